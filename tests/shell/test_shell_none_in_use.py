"""After the connection in use is closed, no other one takes its place before somebody chooses it."""

from pathlib import Path

import pytest
from shell_lines import follow, run
from shell_plants import INT, two_plants
from shell_process import ShellProcess
from shell_terminal import TAB, shell

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_sim import SimulatedGateway

NONE = "no connection is in use: use NAME chooses one of"


async def test_no_other_connection_takes_the_place_of_the_one_that_is_closed(tmp_path: Path) -> None:
    async with two_plants(tmp_path, cursor_reports=True) as (sh, other):
        screen = sh.terminal
        await screen.enter("use plantB", "plantB>")
        await screen.enter("disconnect", f"disconnected from plantB; {NONE} demo", "mxgw (none in use)>")
        await screen.shows("none in use · use NAME: demo")
        await screen.enter(f"write {INT} 5", f"{NONE} demo\nmxgw (none in use)>")
        await screen.enter("disconnect", f"mxgw (none in use)> disconnect\n{NONE} demo")
        await screen.enter(f"why {INT}", "none in use; open: demo", "use demo")
        await screen.enter("status", f"status\n{NONE} demo")
        await screen.enter("use", "demo  ready  armed")
        screen.type("use ")
        await screen.shows("demo  ready")
        screen.type(TAB + "\n")
        await screen.shows("demo: ready\ndemo>")
        await screen.enter(f"write {INT} 6", "completed")
        assert ([each.value for each in sh.gateway.writes], list(other.writes)) == ([6], [])


async def test_what_is_watched_by_its_name_stays_in_view_while_none_is_in_use(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, other):
        screen = sh.terminal
        await screen.enter(f"watch plantB:{INT}", "plantB: added item 1")
        await screen.enter("disconnect", "disconnected from demo", "mxgw (none in use)>")
        other.set(INT, 77)
        await screen.shows(f"plantB:{INT}  77 ")


async def test_connecting_again_is_to_the_one_that_was_closed_last_and_not_to_an_open_one(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as other, shell(tmp_path) as sh:
        context = sh.context
        await context.connect(Connection(endpoint=other.endpoint, plaintext=True), "plantB")
        plant_b = context.current
        await run(context, "use demo", follow)
        await run(context, "disconnect", follow)
        await run(context, "connect", follow)
        assert context.name == "demo"
        assert context.connections["plantB"] is plant_b


@pytest.mark.parametrize("between", [(), ("finally",)])
async def test_a_file_writes_nowhere_after_it_has_closed_the_connection_in_use(
    tmp_path: Path, between: tuple[str, ...]
) -> None:
    options = {"plaintext": True, "api_keys": ()}
    async with SimulatedGateway(**options) as gateway, SimulatedGateway(**options) as other:
        process = ShellProcess(tmp_path).on(gateway)
        lines = (
            f'requires write "{INT}"', f"connect {other.endpoint} --plaintext", "disconnect", *between, f"write {INT} 5"
        )  # fmt: skip
        (tmp_path / "try.mxs").write_text("\n".join(lines), encoding="utf-8")
        done = await process("--plaintext", "--arm", INT, "-c", "try.mxs")
        assert done.code == ExitCode.GUARDED, done
        assert f"{NONE} {gateway.endpoint}" in done.out + done.err
        assert not [*gateway.writes, *other.writes]
        planned = await process("--plaintext", "--arm", INT, "plan", "try.mxs")
        assert planned.code == ExitCode.GUARDED, planned
        assert NONE in planned.err


@pytest.mark.parametrize(
    "lines",
    [
        ("on-error continue", "use plntB"),
        ("on-error continue", "connect {other} --plaintext --ca-file none.pem"),
        ("on-error next-step", "connect {other} --plaintext --ca-file none.pem", 'step "next"'),
        ("connect 127.0.0.1:1 --plaintext", "finally"),
        ("connect {other} --plaintext", "use {gateway}", "expect 1 = 2", "finally", "use 127.0.0.1:1"),
    ],
)
async def test_a_file_writes_nowhere_after_a_line_that_was_to_choose_another_connection_and_failed(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    options = {"plaintext": True, "api_keys": ()}
    async with SimulatedGateway(**options) as gateway, SimulatedGateway(**options) as other:
        process = ShellProcess(tmp_path).on(gateway)
        chosen = [each.format(gateway=gateway.endpoint, other=other.endpoint) for each in lines]
        (tmp_path / "try.mxs").write_text(
            "\n".join((f'requires write "{INT}"', *chosen, f"write {INT} 5")), encoding="utf-8"
        )
        done = await process("--plaintext", "--arm", INT, "-c", "try.mxs")
        assert done.code == ExitCode.GUARDED, done
        assert f"{NONE} {gateway.endpoint}" in done.out + done.err
        assert not [*gateway.writes, *other.writes]


async def test_a_file_stays_with_its_connection_where_connecting_again_fails(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        process = ShellProcess(tmp_path).on(gateway)
        for number, line in enumerate(("connect --ca-file none.pem", f"connect {gateway.endpoint} --ca-file none.pem")):
            lines = f'requires write "{INT}"', line, "finally", f"write {INT} {number}"
            (tmp_path / "try.mxs").write_text("\n".join(lines), encoding="utf-8")
            done = await process("--plaintext", "--arm", INT, "-c", "try.mxs")
            assert done.code not in (ExitCode.DONE, ExitCode.GUARDED), done
            assert [each.value for each in gateway.writes] == list(range(number + 1))


async def test_a_file_begins_on_the_connection_of_the_run_wherever_the_file_before_it_went(tmp_path: Path) -> None:
    options = {"plaintext": True, "api_keys": ()}
    async with SimulatedGateway(**options) as gateway, SimulatedGateway(**options) as other:
        process = ShellProcess(tmp_path).on(gateway)
        (tmp_path / "second.mxs").write_text(f'requires write "{INT}"\nwrite {INT} 5', encoding="utf-8")
        connect = f"connect {other.endpoint} --plaintext"
        for number, text in enumerate((connect, "use nowhere", f"{connect}\ndisconnect"), start=1):
            (tmp_path / "first.mxs").write_text(text, encoding="utf-8")
            await process("--plaintext", "--arm", INT, "-c", "first.mxs", "-c", "second.mxs")
            assert [each.value for each in gateway.writes] == [5] * number, text
            assert not other.writes


async def test_a_leading_dot_means_no_object_after_one_that_could_not_be_focused(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        glob = "*.TestInt"
        lines = f'requires write "{glob}"', "on-error continue", "cd TestChildObject", "cd Nowhere", "write .TestInt 5"
        (tmp_path / "try.mxs").write_text("\n".join(lines), encoding="utf-8")
        done = await ShellProcess(tmp_path).on(gateway)("--plaintext", "--arm", glob, "-c", "try.mxs")
        assert "a leading dot means the focused object, and there is none" in done.out + done.err
        assert not gateway.writes


async def test_a_typed_line_that_fails_leaves_the_connection_in_use(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        await sh.terminal.enter("use plntB", "no connection plntB is open", "demo>")
        assert sh.context.name == "demo"


async def test_lint_knows_where_no_connection_is_in_use_and_where_a_failed_line_would_choose_it(tmp_path: Path) -> None:
    process = ShellProcess(tmp_path)

    async def found(*lines: str) -> str:
        (tmp_path / "try.mxs").write_text("\n".join((f'requires write "{INT}"', *lines)), encoding="utf-8")
        return (await process("lint", "try.mxs")).out

    none, chosen = "no connection is in use after line ", "choose one after finally, use NAME"
    assert f"try.mxs:4:1: {none}3" in await found(f"write {INT} 1", "disconnect", f"read {INT}")
    for line in ("use plantA", "connect plantA:5000", "disconnect plantB", "disconnect # then:", "status"):
        assert (none in await found("disconnect", line, f"read {INT}")) is (line in ("status", "disconnect # then:"))
    assert none not in await found("disconnect", "status")
    assert f"try.mxs:4:1: which connection is in use here depends on the line that failed: {chosen}" in await found(
        "connect plantB:5000", "finally", f"write {INT} 0", f"write {INT} 1"
    )
    assert chosen not in await found("connect plantB:5000", "finally", "use plantA", f"write {INT} 0")
    assert chosen not in await found(f"write {INT} 1", "finally", f"write {INT} 0")
