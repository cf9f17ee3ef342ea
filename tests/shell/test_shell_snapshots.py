"""snapshot, snapshots, diff, restore: what is kept, what is said of the rest, and that only what differs is written."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import SIMULATED, connected, follow, result_of, run, text_of
from shell_process import ShellProcess, declared
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway import MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.snapshots import SnapshotFolder
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition
from zb_mom_ww_mxgateway_sim.faults.call_faults import kind_of

INT, DOUBLE, TEXT = "TestChildObject.TestInt", "TestChildObject.TestDouble", "TestChildObject.TestString"
BOOL, ARRAY, LEVEL = "TestChildObject.TestBool", "TestChildObject.TestIntArray", "Plant.Tank1.Level"
SECURED = "Plant.Interlock.Bypass"
ALL = f"{INT} {DOUBLE} {TEXT} {BOOL} {ARRAY}"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as made:
        yield made


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    async with connected(gateway) as made:
        yield made


def sent(gateway: SimulatedGateway) -> list[str]:
    kinds = [kind_of(call.request) or "" for call in gateway.calls]
    return [kind for kind in kinds if kind.startswith("write")]


async def test_what_differs_is_restored_in_order_and_nothing_else_is_written(
    context: Context, gateway: SimulatedGateway
) -> None:
    assert "before: 5 tags kept" in await text_of(context, f"snapshot before {ALL}")
    assert "5 of 5 tags as in before" in await text_of(context, "diff before")
    assert (await text_of(context, "restore before")).strip() == "nothing to restore"
    gateway.set(INT, 8)
    gateway.set(ARRAY, (1, 2))
    gateway.set(TEXT, "other")
    shown = await result_of(context, "diff before")
    assert shown.value == [INT, TEXT, ARRAY]
    assert [line.split()[0] for line in shown.lines()[:4]] == ["tag", INT, TEXT, ARRAY]
    assert "2 of 5 tags as in before" in shown.lines()[-1]
    states = {each["tag"]: (each["state"], each["now"]) for each in shown.form()["rows"]}
    assert (states[INT], states[BOOL][0], states[TEXT][1]) == (("differs", 8), "same", "other")
    restored = await result_of(context, "restore before")
    assert restored.exit_code is ExitCode.DONE
    records = restored.form()
    assert [(each["tag"], each["result"]) for each in records[:3]] == [(tag, "completed") for tag in (INT, TEXT, ARRAY)]
    assert {each["tag"]: each["left_out"] for each in records[3:]} == dict.fromkeys(
        (DOUBLE, BOOL), "as in the snapshot"
    )
    assert sent(gateway) == ["write_bulk"]
    assert [write.tag for write in gateway.writes] == [INT, TEXT, ARRAY]
    assert "5 of 5 tags as in before" in await text_of(context, "diff before")


async def test_what_cannot_be_restored_is_named_and_left_out(context: Context, gateway: SimulatedGateway) -> None:
    gone = SnapshotFolder()
    await result_of(context, f"snapshot before {LEVEL} {INT} {DOUBLE} {TEXT} {BOOL}")
    path = gone.path("before")
    form = json.loads(path.read_text(encoding="utf-8"))
    form["rows"].append({**form["rows"][1], "tag": "Tank9.Gone"})
    array = next(each for each in form["rows"] if each["tag"] == BOOL)
    array["value"] = {"dimensions": [1], "texts": ["true"], "type": "bool"}
    path.write_text(json.dumps(form), encoding="utf-8")
    gateway.set(LEVEL, 12.5)
    gateway.set(INT, 8)
    gateway.set(TEXT, "a", 0)
    gateway.set(BOOL, True)
    restored = await result_of(context, "restore before")
    # Only what can be done nothing about is no failure.
    assert restored.exit_code is ExitCode.NOT_MET
    why = {each["tag"]: each.get("left_out") for each in restored.form()}
    assert why[LEVEL] == "it is read-only (ViewOnly)"
    assert why[TEXT].startswith("its quality is bad")
    assert why["Tank9.Gone"].startswith("it cannot be read")
    assert why[BOOL] == "it is no array now"
    assert (why[DOUBLE], why[INT]) == ("as in the snapshot", None)
    assert [write.tag for write in gateway.writes] == [INT]
    text = "\n".join(restored.lines())
    assert all(f"left out: {reason}" in text for tag, reason in why.items() if tag not in (INT, DOUBLE))
    # A read-only tag alone is none.
    gateway.set(INT, 0)
    only = await result_of(context, f"restore before {LEVEL} {INT}")
    assert (only.exit_code, len(gateway.writes)) == (ExitCode.DONE, 1)
    assert "would leave out Tank9.Gone" in "\n".join((await _preview(context, "restore before")).lines())


async def _preview(context: Context, line: str) -> Result:
    from zb_mom_ww_mxgateway_shell.scripts.dry_run import Plan
    from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun

    result = (await Plan().preview(LineRun(context, line), follow)).unwrap()
    assert result is not None
    return result


async def test_a_refused_row_leaves_the_others_and_gives_the_exit_code(
    context: Context, gateway: SimulatedGateway
) -> None:
    await result_of(context, f"snapshot before {INT} {DOUBLE}")
    gateway.set(INT, 8)
    gateway.set(DOUBLE, 2.5)
    gateway.faults.lose_next_reply("write_bulk")
    lost = await result_of(context, "restore before")
    assert (lost.exit_code, {each["result"] for each in lost.form()}) == (ExitCode.UNKNOWN, {"unknown"})
    assert [write.tag for write in context.connected.doubtful.all()] == [INT, DOUBLE]


async def test_reals_have_a_tolerance_and_nothing_else_has(context: Context, gateway: SimulatedGateway) -> None:
    gateway.set(DOUBLE, 1.5)
    await result_of(context, f"snapshot before {INT} {DOUBLE}")
    gateway.set(DOUBLE, 1.6)
    gateway.set(INT, 1)
    assert (await result_of(context, "diff before")).value == [INT, DOUBLE]
    assert (await result_of(context, "diff before --tol 0.1")).value == [INT]
    with pytest.raises(InputError, match="a number is expected"):
        await result_of(context, "diff before --tol 2s")
    await result_of(context, "restore before --tol 0.1")
    assert [write.tag for write in gateway.writes] == [INT]


async def test_some_tags_of_a_snapshot_are_compared_and_restored(context: Context, gateway: SimulatedGateway) -> None:
    await result_of(context, f"snapshot before {ALL}")
    gateway.set(INT, 8)
    gateway.set(TEXT, "other")
    assert (await result_of(context, "diff before TestChildObject.TestI*")).value == [INT]
    await result_of(context, f"restore before {TEXT}")
    assert [write.tag for write in gateway.writes] == [TEXT]
    with pytest.raises(ShellError, match=r"no tag of the snapshot before is named Plant\.\*"):
        await result_of(context, "restore before Plant.*")


async def test_what_is_not_good_is_named_and_not_kept(context: Context, gateway: SimulatedGateway) -> None:
    gateway.set(INT, 7, 64)
    gateway.set(DOUBLE, None)
    result = await result_of(context, f"snapshot before {INT} {DOUBLE} {TEXT} No.Such.Tag")
    assert "before: 1 of 4 tags kept" in result.lines()[0]
    assert set(result.form()["left_out"]) == {INT, DOUBLE, "No.Such.Tag"}
    assert f"left out: {INT}: its quality is uncertain" in "\n".join(result.lines())
    with pytest.raises(ShellError, match="nothing is kept") as raised:
        await result_of(context, f"snapshot other {INT}")
    assert (raised.value.exit_code, SnapshotFolder().names()) == (ExitCode.NOT_MET, ["before"])


async def test_a_name_that_is_taken_is_replaced_by_agreement_alone(context: Context, gateway: SimulatedGateway) -> None:
    await result_of(context, f"snapshot before {INT}")
    with pytest.raises(ShellError, match="no terminal to ask at"):
        await result_of(context, f"snapshot before {TEXT}")
    assert [row.tag for row in SnapshotFolder().load("before").rows] == [INT]
    context.assume_yes = True
    await result_of(context, f"snapshot before {TEXT}")
    assert [row.tag for row in SnapshotFolder().load("before").rows] == [TEXT]
    for line, said in (("snapshot ../x A.b", "letters, digits"), ("diff befor", "did you mean before")):
        with pytest.raises(InputError, match=said):
            await result_of(context, line)


async def test_snapshots_are_listed_also_those_that_cannot_be_relied_on(context: Context) -> None:
    assert (await text_of(context, "snapshots")).startswith("no snapshots")
    await result_of(context, f"snapshot before {INT}")
    SnapshotFolder().path("spoilt").write_text("{}", encoding="utf-8")
    listed = await result_of(context, "snapshots")
    assert [(each["name"], each["error"] is None) for each in listed.form()] == [("before", True), ("spoilt", False)]
    with pytest.raises(ShellError, match="cannot be relied on") as raised:
        await result_of(context, "restore spoilt")
    assert raised.value.exit_code is ExitCode.GUARDED


async def test_a_snapshot_of_another_gateway_is_restored_by_agreement_alone(context: Context) -> None:
    await result_of(context, f"snapshot before {INT}")
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as other:
        await context.connect(Connection(endpoint=other.endpoint, plaintext=True), "other", terms=SIMULATED)
        other.set(INT, 8)
        assert (await result_of(context, "diff before")).value == [INT]
        with pytest.raises(ShellError, match="no terminal to ask at") as raised:
            await result_of(context, "restore before")
        assert (raised.value.exit_code, other.writes) == (ExitCode.GUARDED, ())
        context.assume_yes = True
        await result_of(context, "restore before")
        assert other.read(INT).value == 0
        await context.disconnect("other")


async def test_a_deployment_since_is_said(context: Context, gateway: SimulatedGateway) -> None:
    notices: list[str] = []
    context.set_outputs(notices.append)
    await result_of(context, f"snapshot before {INT}")
    context.connected.catalogue.start(context.connected.client)
    await context.connected.catalogue.loaded(30)
    await until(lambda: context.connected.deployed_at)
    await result_of(context, "diff before")
    assert not [text for text in notices if "deployed" in text]
    before = context.connected.deployed_at
    gateway.faults.redeploy()
    await until(lambda: context.connected.deployed_at != before)
    await result_of(context, "diff before")
    assert [text for text in notices if "the galaxy was deployed again since before was taken" in text]


async def test_it_passes_the_guard_of_every_write(context: Context, gateway: SimulatedGateway) -> None:
    await result_of(context, f"snapshot before {INT}")
    gateway.set(INT, 8)
    await run(context, "disarm", follow)
    with pytest.raises(MxGatewayWriteBlockedError, match="read-only"):
        await result_of(context, "restore before")
    assert not gateway.writes


async def test_signed_and_plain_tags_are_restored_apart(context: Context, gateway: SimulatedGateway) -> None:
    await result_of(context, f"snapshot before {INT} {SECURED}")
    gateway.set(INT, 8)
    gateway.set(SECURED, True)
    with pytest.raises(ShellError, match=r"needs a signature, and TestChildObject\.TestInt does not"):
        await result_of(context, "restore before")
    with pytest.raises(ShellError, match="nobody is logged in"):
        await result_of(context, f"restore before {SECURED}")
    await result_of(context, f"restore before {INT}")
    assert [write.tag for write in gateway.writes] == [INT]


async def test_in_a_file_lint_knows_what_a_snapshot_names(tmp_path: Path, gateway: SimulatedGateway) -> None:
    program = ShellProcess(tmp_path).on(gateway)
    (tmp_path / "steps.mxs").write_text(
        declared(f"snapshot before {INT}\nwrite {INT} 8\nrestore before\nexpect {INT} = 0\ndiff before\n"),
        encoding="utf-8",
    )
    done = await program("--plaintext", "-c", "steps.mxs")
    assert (done.code, [write.value for write in gateway.writes]) == (0, [8, 0]), done.err
    SnapshotFolder().path("before").unlink()
    done = await program("--plaintext", "plan", "steps.mxs")
    assert done.code == 0, done.err
    assert "would keep values as before" in done.out
    assert "would compare the values kept as before" in done.out
    assert "would restore the values kept as before" in done.out
    assert (len(gateway.writes), SnapshotFolder().names()) == (2, [])
    (tmp_path / "only.mxs").write_text(declared("write A.b 1\nrestore before\n"), encoding="utf-8")
    assert "no snapshot before" in (await program("--plaintext", "plan", "only.mxs")).err
    assert (await program("--plaintext", "-e", f"snapshot before {INT}")).code == 0
    (tmp_path / "back.mxs").write_text('requires write "Plant.*"\nrestore before\n', encoding="utf-8")
    done = await program("lint", "back.mxs")
    assert done.code != 0
    assert f"snapshot before: {INT} is not declared" in done.out + done.err


async def test_one_confirmation_holds_for_all_rows(tmp_path: Path) -> None:
    tags = [TagDefinition(f"Row.Value{number}", NativeType.INTEGER, number) for number in range(3)]
    async with (
        SimulatedGateway(plaintext=True, api_keys=(), tags=tags, write_complete_delay=0) as gateway,
        shell(tmp_path) as made,
    ):
        screen = made.terminal
        await screen.enter(f"connect {gateway.endpoint} --plaintext", "connected to")
        await screen.enter("snapshot before Row.Value0 Row.Value1 Row.Value2", "3 tags kept")
        for tag in tags:
            gateway.set(tag.name, 9)
        await screen.enter("arm Row.*", "armed for")
        await screen.enter("restore before", "Row.Value0", "Row.Value2", "send these 3 writes on 127.0.0.1:")
        await screen.enter("y", "completed")
        assert [write.value for write in gateway.writes] == [0, 1, 2]
        assert sent(gateway) == ["write_bulk"]
