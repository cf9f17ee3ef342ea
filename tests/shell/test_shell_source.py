"""`source FILE`: a command file that runs at the prompt, on its session."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from shell_lines import run
from shell_terminal import CTRL_C, TAB, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_verification import verified
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestBool"
DECLARED = f'requires write "{INT}"'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def file(name: str, *lines: str) -> None:
    Path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def lines_of(name: str) -> list[str]:
    return Path(name).read_text(encoding="utf-8").splitlines()


def entries_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(name)]


async def follow(feed: Feed) -> Result:
    return await feed.follow(print)


async def test_a_file_runs_on_this_session_and_its_names_and_settings_stay(tmp_path: Path) -> None:
    file("part.mxs", f"write {INT} $number")
    setting = DECLARED, 'step "set it"', "include part.mxs", f"expect {INT} = 7", "let after = 4710", "set timing on"
    file("set.mxs", *setting, "exit")
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("let number = 7", "number = 7")
        shown = await screen.enter("source set.mxs", "set.mxs: 1 of 1 steps passed, in ", " ms)")
        assert f"part.mxs:1  write {INT} $number" in shown
        assert "first contact: 1 tag" in shown
        await screen.enter("record-script made.mxs --last 9", "made.mxs")
        await screen.enter("record-script", "made.mxs")
        made = lines_of("made.mxs")
        assert (f"write {INT} 7" in made, any("source" in line for line in made)) == (True, False), made
        await screen.enter("echo $after", "\n4710\n")
        await screen.enter("note more", "\nmore\n")  # The shell is still there, and at no step of the file.
        assert (sh.context.file.step, len(sh.gateway.sessions), sh.context.runs_file) == ("", 1, False)
        assert [each.value for each in sh.gateway.writes] == [7]


async def test_it_stops_at_a_line_that_fails_and_runs_what_is_after_finally(tmp_path: Path) -> None:
    file("stops.mxs", DECLARED, f"write {INT} 5", f"expect {INT} = 6", f"write {INT} 7", "finally", f"write {INT} 8")
    async with shell(tmp_path, cursor_reports=True, columns=60) as sh:
        screen = sh.terminal
        screen.type("\x1b[200~source stops.mxs\nregister behind\x1b[201~\r")
        await screen.shows("WRITES  source stops.mxs", "run these 2 lines?")
        await screen.enter("y", "= 6, is 5", "stops.mxs: 4 statements, 1 failed", "stopped there")
        assert [each.value for each in sh.gateway.writes] == [5, 8]
        assert "behind" not in sh.context.servers.values()
        assert all(len(line) <= 60 for line in screen.text.split("\n"))
        await screen.enter("last-error", f"expect {INT} = 6")


async def test_a_file_with_a_mistake_does_not_begin(tmp_path: Path) -> None:
    file("wrong.mxs", f"write {INT} 5", f"expct {INT} = 5", "source other.mxs", f"arm {INT}")
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(
            "source wrong.mxs",
            "wrong.mxs:2:1: no command expct; did you mean expect?",
            "wrong.mxs:3:1: source is for the prompt: in a file, include FILE runs another one",
            "wrong.mxs:4:1: a file is not armed by itself: declare requires write",
            "wrong.mxs: nothing was run",
        )
        await sh.terminal.enter("source none.mxs", "cannot read none.mxs: No such file")
        await sh.terminal.enter("include wrong.mxs", "include works only in a file: source FILE.mxs runs one here")
        assert not sh.gateway.mutating_calls


async def test_ctrl_c_ends_it_after_its_line_and_its_end_still_runs(tmp_path: Path) -> None:
    file("waits.mxs", DECLARED, f"wait {INT} = 99 timeout 60s", f"write {INT} 5", "finally", f"write {INT} 6")
    async with shell(tmp_path, cursor_reports=True, columns=60) as sh:
        screen = sh.terminal
        screen.type_ahead("source waits.mxs\r")
        await screen.shows(f"waits.mxs:2  {INT}", " left · Ctrl-C")
        screen.type_ahead("items")
        await screen.shows("typed ahead: items")
        screen.type(CTRL_C)
        await screen.shows("interrupted: ends after this statement; once more ends it at once")
        await until(lambda: screen.text.count("Ctrl-C") == 1)
        screen.type(CTRL_C)
        await screen.shows("waits.mxs: 3 statements, 1 failed", "demo> items")
        assert [each.value for each in sh.gateway.writes] == [6]
        await screen.enter("", f"1       1     {INT}\n", "good")


async def test_a_lost_session_does_not_keep_the_lines_after_finally_from_the_plant(tmp_path: Path) -> None:
    file(
        "waits.mxs",
        DECLARED,
        f"write {INT} 5",
        f"wait {INT} = 99 timeout 60s",
        "finally",
        f"write {INT} 6",
    )
    async with shell(tmp_path, columns=160, terms=ConnectionTerms(), write_complete_delay=0) as sh:
        screen = sh.terminal
        await screen.enter(f"arm {INT} {BOOL} --reason trial", "armed for 10m")
        await screen.enter("source waits.mxs", "as it declares [y/N]")
        await screen.enter("y", f"waits.mxs:3  {INT}")
        sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
        await screen.shows("has taken its place", "disarmed, the session was lost")
        screen.type(CTRL_C)
        await screen.shows("once more ends it at once")
        screen.type(CTRL_C)
        await screen.shows(
            f"armed once more for the lines after finally: {INT}",
            "waits.mxs: 4 statements, 1 failed",
        )
        assert [each.value for each in sh.gateway.writes] == [5, 6]
        # Only for them.
        await screen.enter(f"write {INT} 7", "read-only, the session was lost: arm")
        assert len(sh.gateway.writes) == 2


@pytest.mark.parametrize("after_loss", [False, True])
async def test_what_a_person_disarmed_is_not_armed_after_finally(tmp_path: Path, after_loss: bool) -> None:
    file("waits.mxs", DECLARED, f"wait {INT} = 99 timeout 60s", "finally", f"write {INT} 6")
    async with shell(tmp_path, columns=160, terms=ConnectionTerms()) as sh:
        screen = sh.terminal
        await screen.enter(f"arm {INT}", "armed for 10m")
        await screen.enter("source waits.mxs", "as it declares [y/N]")
        await screen.enter("y", f"waits.mxs:2  {INT}")
        if after_loss:
            sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
            await screen.shows("has taken its place", "disarmed, the session was lost")
        sh.context.connected.arming.disarm("somebody said so")
        screen.type(CTRL_C)
        await screen.shows("once more ends it at once")
        screen.type(CTRL_C)
        await screen.shows("read-only, somebody said so", "waits.mxs: 3 statements, 2 failed")
        assert not sh.gateway.mutating_calls


async def test_what_it_writes_is_declared_and_armed_and_one_question_is_for_all(tmp_path: Path) -> None:
    file("bare.mxs", f"write {INT} 5")
    file(
        "names.mxs",
        DECLARED,
        "capture tag = TestChildObject.TestString",
        f"write {INT} 5",
        f"write {INT} 6",
        "write $tag true",
    )
    async with shell(tmp_path, terms=ConnectionTerms(), write_complete_delay=0) as sh:
        screen = sh.terminal
        sh.gateway.set("TestChildObject.TestString", BOOL)
        await screen.enter(
            "source bare.mxs", f'{INT} is not declared: requires write "{INT}"', "bare.mxs: nothing was run"
        )
        await screen.enter("source names.mxs", f"nothing lets this run write {INT}: arm {INT}", "names.mxs: nothing")
        await screen.enter(f"arm {INT} {BOOL}", "armed for 10m")
        question = f"run names.mxs? It writes {INT} at {sh.gateway.endpoint}, as it declares [y/N]"
        await screen.enter("source names.mxs", question)
        await screen.enter("n", "not confirmed; nothing was run")
        assert not sh.gateway.mutating_calls
        await screen.prompted()
        screen.type("source names.mxs\r")
        await until(lambda: screen.unfolded.count(question) == 2)
        await screen.enter("y", f'{BOOL} is not declared: requires write "{BOOL}"', "1 failed, in ")
        assert [each.value for each in sh.gateway.writes] == [5, 6]
        # What is typed is asked about as before, and the arming stands.
        await screen.enter(f"write {BOOL} true", f"send true to {BOOL}? [y/N]")
        await screen.enter("n", "it was not confirmed")


async def test_its_record_has_what_it_did_and_not_what_was_typed(tmp_path: Path) -> None:
    file("set.mxs", DECLARED, 'step "set it" req URS-1', f"write {INT} 5")
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"write {BOOL} true", "completed")
        await sh.terminal.enter("source set.mxs --record run.jsonl", "1 of 1 steps passed")
        await sh.terminal.enter(f"write {INT} 6", "5 → 6")
    entries = entries_of("run.jsonl")
    assert [each["statement"] for each in entries if "statement" in each and "number" in each] == [
        'step "set it" req URS-1',
        f"write {INT} 5",
    ]
    journal = [each["line"] for each in entries if each["command"] == "journal"]
    written = [entry["tag"] for line in journal if line["kind"] == "intent" for entry in line["entries"]]
    assert set(written) == {INT}
    assert (entries[-1]["command"], entries[-1]["exit_code"]) == ("run-end", 0)
    assert [each["tag"] for each in entries[-1]["left_changed"]] == [INT]
    assert not [each for each in verified(Path("run.jsonl")) if each.holds is False]


async def test_its_record_is_right_where_two_journals_have_lines_from_before(tmp_path: Path) -> None:
    file("set.mxs", DECLARED, f"write {INT} 5", "disconnect")
    async with SimulatedGateway(plaintext=True, api_keys=()) as plant, shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter(f"write {BOOL} true", "completed")
        real = Connection(endpoint=plant.endpoint, plaintext=True)
        await sh.context.connect(real, "plant", terms=ConnectionTerms())
        await screen.enter(f"write {INT} 4", "read-only: arm")
        await screen.enter("use demo", "demo: ready")
        await screen.enter("source set.mxs --record run.jsonl", "2 tags left changed; ", "Leave all the same? [y/N]")
        await screen.enter("y", "all done, in")
    entries = entries_of("run.jsonl")
    intents = [each["line"] for each in entries if each["command"] == "journal" and each["line"]["kind"] == "intent"]
    assert [each["tag"] for line in intents for each in line["entries"]] == [INT]
    assert [each["tag"] for each in entries[-1]["left_changed"]] == [INT]
    assert not [each for each in verified(Path("run.jsonl")) if each.holds is False]


async def test_it_runs_from_the_python_pane_and_not_where_there_is_no_prompt(tmp_path: Path) -> None:
    file("fails.mxs", f"expect {INT} = 99")
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("py", ">>>")
        await screen.enter(
            'await mx("source fails.mxs")', "= 99, is 0", "fails.mxs: 1 statement, 1 failed, in ", "\n>>>"
        )
        await screen.enter("exit()", "demo>")
    context = Context(all_commands(), interactive=False)
    with pytest.raises(ShellError, match="-c FILE runs a file, and in a file, include FILE does"):
        await run(context, "source fails.mxs", follow)


@pytest.mark.parametrize("columns", [110, 40])
async def test_a_line_that_fails_says_so_in_its_column_and_the_summary_names_the_steps(
    tmp_path: Path, columns: int
) -> None:
    lines = ('step "one"', f"expect {INT} = 9", 'step "two"', "note fine", "finally", f"expect {INT} = 8")
    file("fails.mxs", "on-error next-step", *lines)
    async with shell(tmp_path, columns=columns) as sh:
        await sh.terminal.enter("source fails.mxs", '1 of 2 steps passed; 1 failed: "one"; finally failed, in')
        rows = sh.terminal.text.split("\n")
        failed = [row for row in rows if "FAILED" in row]
        assert len(failed) == 2
        assert all(re.search(r"FAILED +(\d+ ms|\d\.\d s)$", row) for row in failed)
        if columns == 110:
            assert re.match(rf"   3  expect {INT} = 9 +FAILED", failed[0])
            assert {row.index("FAILED") for row in failed} == {52}
        else:
            assert {row.index("FAILED") for row in failed} == {6}


async def test_whoever_ends_the_shell_leaves_the_plant_as_the_file_wants_it(tmp_path: Path) -> None:
    file("waits.mxs", DECLARED, "note begun", f"wait {INT} = 99 timeout 60s", "finally", f"write {INT} 6")
    async with shell(tmp_path) as sh:
        assert sh.context.source_file is not None
        # As a request to end does: it cancels what runs.
        running = asyncio.create_task(sh.context.source_file("waits.mxs", None))
        await sh.terminal.shows("note begun")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert [each.value for each in sh.gateway.writes] == [6]
        assert not sh.context.runs_file


async def test_tab_offers_command_files_and_folders(tmp_path: Path) -> None:
    file("level.mxs", "status")
    file("level.csv", "status")
    folder = tmp_path / "less"
    folder.mkdir()
    (folder / "valves.mxs").touch()
    async with shell(tmp_path, cursor_reports=True) as sh:
        sh.terminal.type("source le" + TAB)
        await sh.terminal.shows("less/", "level.mxs")
        assert "level.csv" not in sh.terminal.text
        sh.terminal.type("ss/" + TAB)
        await sh.terminal.shows("source less/valves.mxs")


async def test_without_a_declaration_it_writes_nothing_off_the_simulated_plant(tmp_path: Path) -> None:
    file("other.mxs", f"write {INT} 4", "use plant", f"write {INT} 5")
    async with SimulatedGateway(plaintext=True, api_keys=()) as plant, shell(tmp_path) as sh:
        screen = sh.terminal
        real = Connection(endpoint=plant.endpoint, plaintext=True)
        await sh.context.connect(real, "plant", terms=ConnectionTerms())
        await screen.enter(f"arm {INT}", "armed for 10m")
        await screen.enter("use demo", "demo: ready")
        shown = await screen.enter("source other.mxs", f"{INT} is not declared: requires write", "1 failed, in")
        assert "[y/N]" not in shown
        assert ([each.value for each in sh.gateway.writes], plant.mutating_calls) == ([4], 0)


async def test_another_file_does_not_begin_while_a_person_is_asked_about_one(tmp_path: Path) -> None:
    file("one.mxs", DECLARED, f"write {INT} 5")
    file("two.mxs", DECLARED, f"write {INT} 6")
    async with shell(tmp_path, terms=ConnectionTerms()) as sh:
        screen = sh.terminal
        await screen.enter(f"arm {INT}", "armed for 10m")
        await screen.enter("py", ">>>")
        both = 'await asyncio.gather(mx("source one.mxs"), mx("source two.mxs"), return_exceptions=True)'
        await screen.enter(both, "run one.mxs? It writes", "[y/N]")
        await screen.enter("y", "[None, ShellError('a file runs already: source another one when it has ended')]")
        assert [each.value for each in sh.gateway.writes] == [5]
        both = """await asyncio.gather(mx('confirm "first?"'), mx('confirm "second?"'))"""
        await screen.enter(both, "first? [y/N]")
        assert "second? [y/N]" not in screen.text
        await screen.enter("y", "second? [y/N]")
        await screen.enter("y", "[None, None]")


async def test_an_answer_that_comes_after_the_arming_ended_begins_nothing(tmp_path: Path) -> None:
    file("set.mxs", DECLARED, "note begun", f"write {INT} 5")
    async with shell(tmp_path, terms=ConnectionTerms()) as sh:
        screen = sh.terminal
        await screen.enter(f"arm {INT}", "armed for 10m")
        await screen.enter("source set.mxs", "run set.mxs? It writes", "[y/N]")
        sh.context.connected.arming.disarm("the shift is over")
        ended = "the arming ended before the answer: read-only, the shift is over: arm", "nothing was run"
        shown = await screen.enter("y", *ended)
        assert "begun" not in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
async def test_a_record_that_is_not_whole_is_said(tmp_path: Path) -> None:
    file("notes.mxs", "note hello")
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(
            "source notes.mxs --record /dev/full",
            "the record is not whole: cannot write /dev/full: No space left on device",
            "notes.mxs: 1 statement, all done, in ",
        )
