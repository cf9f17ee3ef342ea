"""record-script after the fact: a file of what was typed since a moment, with waits, replayed where it was made."""

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from shell_process import ShellProcess
from shell_terminal import Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL, TEXT = "TestChildObject.TestInt", "TestChildObject.TestBool", "TestChildObject.TestString"
INLET = "Plant.Tank1.Inlet"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are named as short as a person would."""
    monkeypatch.chdir(tmp_path)


async def typed(sh: Shell, *lines: tuple[str, str]) -> None:
    for line, said in lines:
        await sh.terminal.enter(line, said)


async def stroked(sh: Shell) -> None:
    """A valve is driven, as a person would, who looks until it is there."""
    await typed(
        sh,
        (f"watch {INLET}.Travelling --count 1", "1 sample"),
        ('step "stroke"', 'demo> step "stroke"\ndemo>'),
        (f"write {INLET}.Position 60", "completed"),
        (f"watch {INLET}.Position --count 1", "1 sample"),
    )
    live = sh.context.live
    assert live is not None
    await live.wait_for(f"{INLET}.Position", lambda value: value == 60, timeout=60)
    await live.wait_for(f"{INLET}.Travelling", lambda value: value is False, timeout=60)


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


async def test_what_changed_after_a_write_becomes_a_wait_and_the_end_puts_back_what_was_there(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await stroked(sh)
        await sh.terminal.enter("record-script stroke.mxs --since 10m --expect", "stroke.mxs: 4 lines")
    made = lines_of(tmp_path / "stroke.mxs")
    waits = [line for line in made if line.startswith("wait")]
    assert re.fullmatch(r"# Recorded by mxgw-shell at 20\S+ \S+Z from demo\.", made[0])
    assert made[1] == f"requires write {INLET}.Position"
    assert re.fullmatch(r'step "as it was at \d\d:\d\d:\d\dZ"', made[3])
    # There and back: the last that is waited for is the end of the stroke.
    assert any(re.fullmatch(rf"wait {INLET}\.Position = 60\.0 tol \S+ timeout \d+s", line) for line in waits)
    assert any(re.fullmatch(rf"wait {INLET}\.Travelling = false timeout \d+s", line) for line in waits)
    assert f"# seen: watch {INLET}.Position --count 1" in made
    ending = made[made.index("finally") + 1 :]
    assert len(ending) == 1
    assert re.fullmatch(rf"write {INLET}\.Position \d+\.\d+", ending[0])
    process = ShellProcess(tmp_path)
    assert "nothing wrong" in (await process("lint", "stroke.mxs")).out
    done = await process("--demo", "-c", "stroke.mxs")
    assert (done.code, done.err) == (0, "")


async def test_a_check_asks_replays_it_at_once_and_leaves_the_plant_as_it_was(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await stroked(sh)
        before = sh.gateway.writes[0].value
        sh.terminal.type("record-script stroke.mxs --since 10m --expect --check\r")
        await sh.terminal.shows(f"replay it now? It writes {INLET}.Position at {sh.gateway.endpoint}")
        assert len(sh.gateway.writes) == 1
        sh.terminal.type("y\r")
        await sh.terminal.shows("all passed", timeout=120)
        assert [each.value for each in sh.gateway.writes][-2] == before
        assert list(sh.context.connections) == ["demo"]
        # What the replay ran is not what was typed.
        await sh.terminal.enter("record-script again.mxs --since 10m", "again.mxs: 4 lines")


async def test_checks_of_all_forms_are_recorded_as_typed_and_pass_again(tmp_path: Path) -> None:
    lines = [
        ('step "a" req URS-1, URS-2', "for URS-1"),
        ('comment "looks fine"', "comment: looks fine"),
        ("expect every Plant.Pump*.Running = true", "2 tags"),
        (f"write {INT} 5", "0 → 5"),
        (f"wait {INT} = 5 not before 1ms timeout 5s", "after the write"),
        ("expect Plant.Tank1.Level within 5..100 for 500ms", "held for"),
        (f"expect {INT} in [4, 5]", "5 (good"),
        ("expect Plant.Tank1.Level = tag:Plant.LC1.PV tol 2%", "and Plant.LC1.PV is"),
        ("watchdog Plant.Tank1.Level < 95", "watching:"),
        ("expect-no-alarm --area Plant", "no active alarm"),
        ("write Plant.Tank1.Level 5 --refused", "as expected refused"),
    ]
    async with shell(tmp_path) as sh:
        await typed(sh, *lines)
        sh.terminal.type("record-script forms.mxs --since 10m --expect --check\r")
        await sh.terminal.shows("replay it now?")
        sh.terminal.type("y\r")
        await sh.terminal.shows("all passed", timeout=60)
    made = lines_of(tmp_path / "forms.mxs")
    assert [line for line in made if line in {text for text, _ in lines}] == [text for text, _ in lines]
    # A number that moves by itself is nothing to wait for, and a refused write changes nothing.
    assert not any(line.startswith("wait") and "Plant." in line for line in made)
    assert made[-2:] == ["finally", f"write {INT} 0"]


async def test_a_check_names_the_line_that_does_not_pass_and_puts_back_all_the_same(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await typed(sh, (f"write {INT} 7", "0 → 7"), (f"expect {BOOL} = false", "false (good"))
        sh.gateway.set(BOOL, True)
        sh.terminal.type("record-script steps.mxs --last 2 --check\r")
        await sh.terminal.shows("replay it now?")
        sh.terminal.type("y\r")
        shown = await sh.terminal.shows("replayed: line 5 does not pass", timeout=60)
        assert f"expected {BOOL} = false, is true" in shown
        await sh.terminal.enter("record-script since.mxs --since 10m --check")
        await until(lambda: sh.terminal.text.count("replay it now?") == 2, lambda: sh.terminal.text)
        sh.terminal.type("y\r")
        await until(lambda: sh.gateway.writes[-1].value == 0)
        assert [each.value for each in sh.gateway.writes] == [7, 7, 7, 0]


async def test_a_check_tells_what_was_not_put_back_after_a_line_that_did_not_pass(tmp_path: Path) -> None:
    text = f"requires write {INT}\nexpect {INT} = 5\nfinally\nwrite {INT} 0\nexpect {INT} = 0\n"
    async with shell(tmp_path) as sh:
        (tmp_path / "steps.mxs").write_text(text, encoding="utf-8")
        sh.context.assume_yes = True
        sh.gateway.faults.lose_next_reply("write")
        assert sh.context.made_files is not None
        replayed = await sh.context.made_files.replay(tmp_path / "steps.mxs")
    assert (replayed.code, replayed.line) == (ExitCode.UNKNOWN, 2)
    assert [line for line in replayed.lines if line.startswith("replayed")] == [
        f"replayed: line 2 does not pass: expect {INT} = 5",
        f"replayed: line 4 does not pass: write {INT} 0",
    ]
    assert "unknown" in replayed.lines[-1]


async def test_a_check_that_nobody_agrees_to_writes_nothing(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"write {INT} 7", "0 → 7")
        await sh.terminal.prompted()
        sh.terminal.type("record-script steps.mxs --last 1 --check\r")
        await sh.terminal.shows("replay it now?")
        sh.terminal.type("n\r")
        await sh.terminal.shows("not replayed")
        assert len(sh.gateway.writes) == 1
        # The file is there.
        assert lines_of(tmp_path / "steps.mxs")[-1] == f"write {INT} 7"
        await sh.terminal.enter("disarm", "demo>")
        await sh.terminal.enter("record-script other.mxs --last 1 --check", "not replayed:", "arm")
        assert len(sh.gateway.writes) == 1


async def test_a_replay_is_armed_for_no_more_than_the_person_armed(tmp_path: Path) -> None:
    async with shell(tmp_path, terms=ConnectionTerms()) as sh:
        await typed(sh, (f"arm {INT} --for 10m", "armed"))
        sh.terminal.type(f"write {INT} 7\r")
        await sh.terminal.shows("[y/N]")
        sh.terminal.type("y\r")
        await sh.terminal.shows("0 → 7")
        sh.terminal.type("record-script steps.mxs --last 1 --check\r")
        await sh.terminal.shows("replay it now?")
        sh.terminal.type("y\r")
        # Each write is asked for, as at any prompt.
        await sh.terminal.shows("write on replay1")
        await until(lambda: sh.terminal.text.count("[y/N]") == 3)
        sh.terminal.type("y\r")
        await sh.terminal.shows("all passed", timeout=60)
        assert [each.value for each in sh.gateway.writes] == [7, 7]


async def test_a_replay_is_interrupted_and_puts_back_all_the_same(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await typed(sh, (f"write {INT} 7", "0 → 7"), ("sleep 1s", "slept 1 s"))
        made = tmp_path / "long.mxs"
        await sh.terminal.enter("record-script long.mxs --since 10m", "long.mxs: 2 lines")
        text = made.read_text(encoding="utf-8")
        made.unlink()
        assert sh.context.made_files is not None
        slow = tmp_path / "slow.mxs"
        slow.write_text(text.replace("sleep 1s", f"write {INT} 8\nsleep 600s"), encoding="utf-8")
        sh.context.assume_yes = True
        replaying = asyncio.create_task(sh.context.made_files.replay(slow))
        await until(lambda: sh.gateway.writes[-1].value == 8)
        replaying.cancel()
        await asyncio.wait([replaying])
        assert sh.gateway.writes[-1].value == 0
        assert (list(sh.context.connections), sh.context.replays) == (["demo"], False)


async def test_yes_to_all_arms_nothing(tmp_path: Path) -> None:
    async with shell(tmp_path, terms=ConnectionTerms()) as sh:
        sh.context.assume_yes = True
        (tmp_path / "steps.mxs").write_text(f"requires write {INT}\nwrite {INT} 7\n", encoding="utf-8")
        assert sh.context.made_files is not None
        with pytest.raises(ShellError, match="not replayed"):
            await sh.context.made_files.replay(tmp_path / "steps.mxs")
        assert not sh.gateway.writes


async def test_what_cannot_be_repeated_becomes_a_remark_and_is_listed(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as second, shell(tmp_path) as sh:
        await typed(
            sh,
            (f"write {INT} 1", "0 → 1"),
            (f"write {TEXT} mxgw_ab_c2VjcmV0", "→ mxgw_ab_***"),
            (f"expect {INT} = 2", "expected"),
        )
        await sh.context.connect(Connection(endpoint=second.endpoint, plaintext=True))
        await typed(sh, (f"read {INT}", "gateway"), ("use demo", "demo: ready"))
        sh.terminal.type('confirm "is it free?"\r')
        await sh.terminal.shows("[y/N]")
        sh.terminal.type("y\r")
        await sh.terminal.shows("yes")
        sh.terminal.type("secret pin\r")
        await sh.terminal.shows("pin:")
        await sh.terminal.enter("never typed 99", "pin is kept secret")
        shown = await sh.terminal.enter(
            "record-script all.mxs --since 10m --expect",
            "not replayed, a key is left out of it",
            f"not replayed, it was for another gateway, {second.endpoint}: read {INT}",
            'not replayed, it asks a person: confirm "is it free?"',
            "not replayed, it asks a person: secret pin",
            f"failed: expect {INT} = 2",
        )
        assert "c2VjcmV0" not in shown
    made = lines_of(tmp_path / "all.mxs")
    assert "c2VjcmV0" not in "\n".join(made)
    assert [line for line in made if not line.startswith(("#", "requires")) and line] == [
        f"write {INT} 0",
        f"write {INT} 1",
        f"expect {INT} = 1",
        "finally",
        f"write {INT} 0",
    ]


async def test_a_tag_that_is_only_read_is_expected_as_it_was_read(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await typed(sh, (f"read {BOOL}", "s  gateway"))
        await sh.terminal.enter("record-script read.mxs --since 10m --expect", "read.mxs: 1 line")
    assert lines_of(tmp_path / "read.mxs")[1:] == [f"read {BOOL}", f"expect {BOOL} = false"]


async def test_nothing_typed_is_no_file_and_strange_combinations_are_mistakes(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        soon = datetime.now() + timedelta(minutes=3)
        await typed(
            sh,
            ("record-script none.mxs --since 1s", "nothing was typed since"),
            ("record-script none.mxs --since 1s --last 2", "give one of them"),
            ("record-script none.mxs --check", "it belongs to --since or --last"),
            ("record-script --expect", "takes no option"),
            (f"note at {soon:%H:%M}", "at"),
        )
    assert not (tmp_path / "none.mxs").exists()


async def test_in_a_run_a_check_needs_yes(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        f"await mx('record-script first.mxs')\nawait mx('write {INT} 5')\n"
        "await mx('record-script made.mxs --since 10m --expect --check')\n",
        encoding="utf-8",
    )
    process = ShellProcess(tmp_path)
    done = await process("--demo", "--python", "run.py")
    assert (done.code, "nobody can be asked" in done.err) == (5, True)
    (tmp_path / "made.mxs").unlink()
    (tmp_path / "first.mxs").unlink()
    done = await process("--demo", "--yes", "--python", "run.py")
    assert (done.code, "all passed" in done.out) == (0, True)
    made = lines_of(tmp_path / "made.mxs")
    assert made[1] == f"requires write {INT}"
    assert made[-2:] == ["finally", f"write {INT} 0"]
