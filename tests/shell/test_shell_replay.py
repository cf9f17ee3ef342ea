"""Recording what was typed, and running it again: the same on the same plant, another on another."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from shell_lines import SIMULATED
from shell_process import Done, ShellProcess, declared, statements
from shell_terminal import Shell, shell

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

INT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestBool"
STAMPS = re.compile(
    r'"(at|seconds|after_write_seconds|age_seconds|accepted_ms|completed_ms|received_at)": '
    r'("[^"]*"|[0-9.]+)|[0-9.]+ (s|ms)\b'
)


async def typed(sh: Shell) -> None:
    """A session as a person types it, by handles and with mistakes, kept as a script."""

    async def enter(line: str, wanted: str) -> None:
        sh.terminal.type(f"{line}\r")
        said = ""
        try:
            async with asyncio.timeout(15):
                while wanted not in said or not said.rstrip().endswith("demo>"):
                    await asyncio.sleep(0.01)
                    _, entered, below = sh.terminal.text.rpartition(f"demo> {line}\n")
                    said = below if entered else ""
        except TimeoutError:
            pytest.fail(f"{line} shows no {wanted}:\n{sh.terminal.text}")

    await enter("register acceptance", "server 1")
    await enter(f"add-item {INT}", "item 1")
    await enter("advise 1", "advised 1")
    await enter("write 1 7", "→ 7")
    await enter(f"alias both watch 1 {BOOL}", "stands for")
    await enter("both --count 2", "2 samples")
    await enter("writ 1 8", "no command writ")
    await enter(f"let tag = {BOOL}", "tag = ")
    await enter("write $tag true", "→ true")
    await enter("expect $tag = false", "expected")
    await enter('write TestChildObject.TestString "a \\"b\\" c"', "completed")
    await enter("wait TestChildObject.TestString ~ 'b' now timeout 5s", " after ")
    await enter("watch TestChildObject.TestString Plant.Tank2.Outlet.Position --count 2", "2 samples")
    await enter("unregister 1", "4 items gone")
    await enter("record-script typed.mxs --last 50 --expect", "lines")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are named as short as a person would."""
    monkeypatch.chdir(tmp_path)


async def test_what_was_typed_becomes_a_script_by_tag_names(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        path = tmp_path / "typed.mxs"
        await typed(sh)
        heading, *declared, empty = path.read_text(encoding="utf-8").splitlines()[:5]
        lines = path.read_text(encoding="utf-8").splitlines()[5:]
        assert re.fullmatch(r"# Recorded by mxgw-shell at 20\S+ \S+Z from demo\.", heading)
        assert declared == [f"requires write {tag}" for tag in (INT, BOOL, "TestChildObject.TestString")]
        assert empty == ""
        assert lines == [
            "register acceptance",
            f"add-item {INT}",
            f"advise {INT}",
            f"write {INT} 7",
            f"watch {INT} {BOOL} --count 2",
            f"expect {INT} = 7",
            f"expect {BOOL} = false",
            f"let tag = {BOOL}",
            f"write {BOOL} true",
            f"# failed: expect {BOOL} = false",
            'write TestChildObject.TestString "a \\"b\\" c"',
            "wait TestChildObject.TestString ~ 'b' now timeout 5s",
            "watch TestChildObject.TestString Plant.Tank2.Outlet.Position --count 2",
            'expect TestChildObject.TestString = "a \\"b\\" c"',
            "expect Plant.Tank2.Outlet.Position = 40.0 tol 0.4",
            "unregister",
        ]
        # A file that is there is not lost by it.
        await sh.terminal.enter("record-script typed.mxs", "is there already")
        await sh.terminal.enter("record-script none/x.mxs", "cannot write")


async def test_a_recorded_script_passes_where_it_was_recorded_and_fails_at_the_line_that_is_no_longer_so(
    tmp_path: Path,
) -> None:
    path = tmp_path / "typed.mxs"
    async with shell(tmp_path) as sh:
        await typed(sh)

    async def replayed(gateway: SimulatedGateway) -> Done:
        return await ShellProcess(tmp_path).on(gateway)("--plaintext", "-c", "typed.mxs")

    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        assert (await replayed(gateway)).code == 0
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        gateway.set("Plant.Tank2.Outlet.Position", 44.0)
        done = await replayed(gateway)
    line = path.read_text(encoding="utf-8").splitlines().index("expect Plant.Tank2.Outlet.Position = 40.0 tol 0.4") + 1
    assert done.code == 1
    assert done.err.startswith(
        f"typed.mxs:{line}:8: expected Plant.Tank2.Outlet.Position = 40.0 tol 0.4, is 44.0 (good"
    )


async def test_what_was_read_of_a_tag_that_nobody_follows_is_expected_too(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"read {BOOL} {INT} Plant.FT1.PV", "s  gateway")
        await sh.terminal.enter("record-script read.mxs --last 1 --expect", "1 line")
    _, *expected = (tmp_path / "read.mxs").read_text(encoding="utf-8").splitlines()[2:]
    assert expected[:2] == [f"expect {BOOL} = false", f"expect {INT} = 0"]
    assert re.fullmatch(r"expect Plant\.FT1\.PV != null  # \d[0-9.]+ when recorded", expected[2])
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        assert (await ShellProcess(tmp_path).on(gateway)("--plaintext", "-c", "read.mxs")).code == 0


async def test_of_a_number_that_moves_by_itself_it_is_only_expected_that_it_is_there(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("watch Plant.Tank1.Level --count 5", "5 samples")
        await sh.terminal.enter("record-script moving.mxs --last 1 --expect", "1 line")
    line, expected = (tmp_path / "moving.mxs").read_text(encoding="utf-8").splitlines()[2:]
    assert line == "watch Plant.Tank1.Level --count 5"
    assert re.fullmatch(r"expect Plant\.Tank1\.Level != null  # 6[0-9.]+ when recorded, and moving", expected)
    done = await ShellProcess(tmp_path)("--demo", "-c", "moving.mxs")
    assert done.code == 0


async def test_of_several_servers_a_line_keeps_its_own(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        for line, said in [
            ("register one", "server 1"),
            (f"add-item {INT} --server 1", "item 1"),
            ("register two", "server 2"),
            (f"add-item {BOOL} --server 2", "item 1"),
            ("unregister 1", "server 1 unregistered"),
            (f"write {BOOL} true --server 2", "→ true"),
            ("record-script servers.mxs --last 50", "6 lines"),
        ]:
            await sh.terminal.enter(line, said)
    assert (tmp_path / "servers.mxs").read_text(encoding="utf-8").splitlines()[1:] == [
        f"requires write {BOOL}",
        "",
        "register one",
        f"add-item {INT}",
        "register two",
        f"add-item {BOOL} --server 2",
        "unregister 1",
        f"write {BOOL} true",
    ]
    assert (await ShellProcess(tmp_path)("--demo", "-c", "servers.mxs")).code == 0


async def test_what_was_for_another_gateway_is_a_remark_that_says_so(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as second, shell(tmp_path) as sh:
        await sh.terminal.enter("record-script two.mxs", "recording to two.mxs")
        await sh.terminal.enter(f"write {INT} 1", "0 → 1")
        await sh.context.connect(Connection(endpoint=second.endpoint, plaintext=True), terms=SIMULATED)
        await sh.terminal.enter("note there", "\nthere")
        await sh.terminal.enter(f"write {INT} 2", "0 → 2")
        await sh.terminal.enter("use demo", "demo: ready")
        await sh.terminal.enter(f"write {INT} 3", "1 → 3")
        await sh.terminal.enter("record-script", "two.mxs ended")
    assert (tmp_path / "two.mxs").read_text(encoding="utf-8").splitlines()[1:] == [
        f"requires write {INT}",
        "",
        f"write {INT} 1",
        "note there",
        f"# not replayed, it was for another gateway, {second.endpoint}: write {INT} 2",
        f"write {INT} 3",
    ]
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        done = await ShellProcess(tmp_path).on(gateway)("--plaintext", "-c", "two.mxs")
        assert (done.code, [write.value for write in gateway.writes]) == (0, [1, 3])


async def test_a_line_with_a_key_is_a_remark_because_without_the_key_it_would_write_something_else(
    tmp_path: Path,
) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("record-script keys.mxs --expect", "recording to keys.mxs")
        await sh.terminal.enter('write TestChildObject.TestString "mxgw_ab_c2VjcmV0"', "→ mxgw_ab_***")
        await sh.terminal.enter("note after", "\nafter")
        await sh.terminal.enter("record-script", "keys.mxs ended")
    assert (tmp_path / "keys.mxs").read_text(encoding="utf-8").splitlines()[2:] == [
        '# not replayed, a key is left out of it: write TestChildObject.TestString "mxgw_ab_***"',
        "note after",
    ]


async def test_a_recorded_line_has_whole_names_whatever_was_focused_aliased_listed_or_named_by_a_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    async with shell(tmp_path) as sh:
        for line, said in [
            ("cd Plant.Tank1", "demo Plant.Tank1>"),
            ("alias here watch .Level", "stands for"),
            ("list save two Plant.Tank1.Level Plant.Tank2.Level", "list two: 2 tags"),
            ("here --count 1", "1 sample"),
            ("watch .Lev* --count 1", "1 sample"),
            ("watch two --count 2", "2 samples"),
            ("events 1 --count 1", "1 events in"),
            ("events .Lev* --count 1", "1 events in"),
            ("record-script names.mxs --last 5", "5 lines"),
        ]:
            await sh.terminal.enter(line, said)
    assert (tmp_path / "names.mxs").read_text(encoding="utf-8").splitlines()[2:] == [
        "watch Plant.Tank1.Level --count 1",
        "watch Plant.Tank1.Lev* --count 1",
        "watch Plant.Tank1.Level Plant.Tank2.Level --count 2",
        "events Plant.Tank1.Level --count 1",
        "events Plant.Tank1.Lev* --count 1",
    ]


async def test_of_two_servers_with_the_same_tag_a_handle_is_replayed_through_its_own(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        for line, said in [
            ("register one", "server 1"),
            ("register two", "server 2"),
            (f"watch {INT} --server 1 --count 1", "1 sample"),
            (f"watch {INT} --server 2 --count 1", "1 sample"),
            ("write 2/1 5", "0 → 5"),
            ("record-script same.mxs --last 50", "5 lines"),
        ]:
            await sh.terminal.enter(line, said)
    assert (tmp_path / "same.mxs").read_text(encoding="utf-8").splitlines()[-1] == f"write {INT} 5 --server 2"
    done = await ShellProcess(tmp_path)("--demo", "--json", "-c", "same.mxs")
    assert (done.code, done.objects[4]["result"]["server_handle"]) == (0, 2)


async def test_recording_goes_on_as_things_are_typed(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        path = tmp_path / "on.mxs"
        await sh.terminal.enter(f"write {INT} 1", "completed")
        await sh.terminal.enter("record-script on.mxs", "recording to")
        await sh.terminal.enter(f"write {INT} 2", "1 → 2")
        await sh.terminal.enter("cd Plant.Tank1", "demo Plant.Tank1>")
        await sh.terminal.enter("write .LevelSP 61", "60.0 → 61.0")
        await sh.terminal.enter("cd", "demo>")
        await sh.terminal.enter("py", ">>>")
        await sh.terminal.enter(f"await mx('write {INT} 3')", "2 → 3")
        await sh.terminal.enter("exit()", "demo>")
        assert path.read_text(encoding="utf-8").splitlines()[1:] == [
            f"requires write {INT}",
            "requires write Plant.Tank1.LevelSP",
            "",
            f"write {INT} 2",
            "write Plant.Tank1.LevelSP 61",
            f"write {INT} 3",
        ]
        await sh.terminal.enter("record-script", "on.mxs ended")
        await sh.terminal.enter(f"write {INT} 4", "3 → 4")
        assert len(path.read_text(encoding="utf-8").splitlines()) == 7


SCRIPT = f"""\
let target = 60
register replay
step "steer"
write Plant.Tank1.Inlet.Position $target
wait Plant.Tank1.Inlet.Position = $target timeout 30s
expect Plant.Tank1.Inlet.Travelling = false
capture was = {INT}
step "count"
write {INT} 5
expect {INT} = 5
expect {INT} = $was
step "never"
note never
finally
write {INT} $was
expect {INT} = $was
items
"""


async def test_the_same_file_on_a_fresh_plant_gives_the_same_journal_but_for_stamps(tmp_path: Path) -> None:
    (tmp_path / "replay.mxs").write_text(declared(SCRIPT), encoding="utf-8")

    async def journal() -> str:
        clock = ManualClock()
        async with SimulatedGateway(plaintext=True, api_keys=(), clock=clock, write_complete_delay=0) as gateway:
            process = await ShellProcess(tmp_path).on(gateway).start("--plaintext", "--json", "-c", "replay.mxs")
            running = asyncio.create_task(process.communicate())
            async with asyncio.timeout(40):
                while not running.done():
                    await clock.advance(0.1)
                    await asyncio.sleep(0.002)
            out, _ = await running
        assert process.returncode == 1
        return out.decode()

    first, second = await journal(), await journal()
    objects: list[dict[str, Any]] = statements(first)
    assert [(each["step"], each["ok"]) for each in objects] == [
        *[(None, True)] * 2,
        *[("steer", True)] * 5,
        *[("count", True)] * 3,
        ("count", False),
        *[("finally", True)] * 4,
    ]
    settled = [STAMPS.sub("", "\n".join(map(json.dumps, statements(each)))) for each in (first, second)]
    # When the plant's own clock stood at each value differs with the speed of the machine; all else is the same.
    moments = re.compile(r'"source_timestamp": "[^"]*"')
    assert [moments.sub("", each) for each in settled[0].splitlines()] == [
        moments.sub("", each) for each in settled[1].splitlines()
    ]
