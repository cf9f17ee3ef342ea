"""What is in view while a command runs at the prompt, and what becomes of that which arrives meanwhile."""

import asyncio
import gc
import threading
import weakref
from pathlib import Path

import pytest
from shell_terminal import BACKSPACE, CTRL_C, CTRL_D, ENTER, Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway import times
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.diagnosis.doctor import Doctor
from zb_mom_ww_mxgateway_shell.diagnosis.findings import Finding
from zb_mom_ww_mxgateway_shell.state.profiles import Profile, Profiles
from zb_mom_ww_mxgateway_shell.terminal.prompt import Prompt

INT = "TestChildObject.TestInt"
LINES = f"register pasted\nwrite {INT} 5\nwrite {INT} 6\n"
PASTE = f"\x1b[200~{LINES}\x1b[201~"


async def begin(sh: Shell, line: str, *wanted: str) -> None:
    """Types a line once something reads it, and waits until its view says that it runs."""
    await sh.terminal.enter(line, "Ctrl-C", *wanted)


async def waits(sh: Shell) -> None:
    """Waits until a line waits for a value: one that comes before that, while the line begins, is not new to it."""
    await until(lambda: sh.context.live_session._hub.values._waits, lambda: f"a wait:\n{sh.terminal.text}")


async def test_a_paste_while_a_command_runs_gets_the_review_of_a_paste_at_the_prompt(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await begin(sh, "sleep 2s")
        screen.type_ahead(PASTE + ENTER)
        await screen.shows(f"typed ahead: register pasted⏎write {INT} 5⏎write {INT} 6⏎")
        await screen.shows("3 lines: Enter shows the effect of each, and asks")
        assert not sh.context.servers
        await screen.enter("", f"WRITES  write {INT} 5", "run these 3 lines? [y/N]")
        await screen.enter("n", "nothing was run")
        assert not sh.gateway.writes
        # The terminal marks a paste all the time.
        assert "\x1b[?2004l" not in screen.raw
    assert screen.raw.rpartition("\x1b[?2004")[2].startswith("l")


@pytest.mark.parametrize("line", ["unwatch nothing", f"expect {INT} = 99", f"wait {INT} = 99 timeout 1s"])
async def test_nothing_that_came_with_a_line_runs_behind_its_failure(tmp_path: Path, line: str) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type_ahead(f"{line}{ENTER}write {INT} 5{ENTER}")
        await sh.terminal.shows(f"demo> write {INT} 5")
        assert not sh.gateway.mutating_calls
        await sh.terminal.enter("", "→ 5")


async def test_what_is_typed_while_python_runs_stands_at_its_next_input(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("py", ">>>")
        screen.type_ahead(
            "import asyncio; ran = []; await asyncio.sleep(1)" + ENTER + PASTE.replace("register", "ran +=")
        )
        await screen.shows(f">>> ran += pasted\n... write {INT} 5")
        screen.type(CTRL_C)
        await screen.enter("len(ran) + 4710", "4710\n>>>")
        screen.type_ahead("exit()" + ENTER)
        await screen.prompted()


async def test_a_question_is_not_answered_by_what_was_typed_before_it(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type_ahead(f'confirm "sure?"{ENTER}y{ENTER}')
        await sh.terminal.shows("sure? [y/N]")
        await sh.terminal.enter("n", "not confirmed", "demo> y")


async def test_a_secret_that_was_typed_before_its_question_is_shown_nowhere(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type_ahead(f"secret pin{ENTER}unseen 1{ENTER}")
        await sh.terminal.shows("typed before a question for a secret, and dropped", "\npin:")
        await sh.terminal.enter("other 2", "pin is kept secret")
        await sh.terminal.prompted()
        assert "unseen" not in sh.terminal.raw
        assert sh.terminal.text.rstrip().rpartition("\n")[2] == "demo>"


async def test_a_password_that_is_typed_while_its_question_is_awaited_is_shown_nowhere(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        sh.gateway.faults.stall("register")
        await begin(sh, "login bob")
        screen.type_ahead(f"unseen 1{ENTER}")
        await screen.shows("typed ahead: hidden, maybe a secret")
        sh.gateway.faults.release()
        await screen.shows("typed before a question for a secret, and dropped", "password of bob:")
        sh.gateway.faults.stall("authenticate_user")
        await begin(sh, "other 2")
        # It has been asked: what comes now is the next line.
        screen.type_ahead("read what")
        await screen.shows("typed ahead: read what")
        sh.gateway.faults.release()
        await screen.shows("bob is logged in", "demo> read what")
        screen.type(CTRL_C)
        # A line that ends before its question leaves nothing of it either.
        await screen.prompted()
        screen.type_ahead(f"login bob --server 99{ENTER}unseen 3{ENTER}")
        await until(lambda: screen.unfolded.count("for a secret, and dropped") == 2, lambda: screen.text)
        await screen.prompted()
        assert "unseen" not in screen.raw
        assert screen.text.rstrip().rpartition("\n")[2] == "demo>"


async def test_a_password_that_is_typed_before_the_login_of_a_sourced_file_is_shown_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "logs_in.mxs"
    file.write_text(f"wait {INT} = 99 timeout 60s\nlogin bob\nwait {INT} = 98 timeout 60s\n")
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await begin(sh, f"source {file}", "logs_in.mxs:1")
        screen.type_ahead(f"unseen 1{ENTER}")
        await screen.shows("typed ahead: hidden, maybe a secret")
        await waits(sh)
        sh.gateway.set(INT, 99)
        await screen.shows("typed before a question for a secret, and dropped", "password of bob:")
        screen.type(f"other 2{ENTER}")
        await screen.shows("logs_in.mxs:3", "Ctrl-C")
        # No other question follows: what comes now is the next line.
        screen.type_ahead("read what")
        await screen.shows("typed ahead: read what")
        await waits(sh)
        sh.gateway.set(INT, 98)
        await screen.shows("3 statements", "demo> read what")
        screen.type(CTRL_C)
        await screen.prompted()
        # A file that stops before its question leaves nothing of it either.
        await begin(sh, f"source {file}", "logs_in.mxs:1")
        screen.type_ahead(f"unseen 3{ENTER}")
        await screen.shows("typed ahead: hidden, maybe a secret")
        screen.type(CTRL_C)
        await screen.shows("interrupted: ends after this statement")
        screen.type(CTRL_C)
        await until(lambda: screen.unfolded.count("for a secret, and dropped") == 2, lambda: screen.text)
        await screen.prompted()
        assert "unseen" not in screen.raw


async def test_a_key_that_is_typed_before_the_question_of_doctor_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def contract(doctor: Doctor) -> list[Finding]:
        await reached.wait()
        return []

    monkeypatch.setattr(Doctor, "_contract", contract)
    async with shell(tmp_path, cursor_reports=True) as sh:
        connection = Connection(endpoint=sh.gateway.endpoint, plaintext=True)
        profile = Profile(name="plant", connection=connection, asks_key=True)
        sh.context.profiles = Profiles(tmp_path / "p", {"plant": profile}, {}, {})
        screen = sh.terminal
        await begin(sh, "doctor plant")
        screen.type_ahead(f"unseen 1{ENTER}")
        await screen.shows("typed ahead: hidden, maybe a secret")
        reached.set()
        await screen.shows("typed before a question for a secret, and dropped", "API key of plant:")
        screen.type(CTRL_C)
        await screen.prompted()
        assert "unseen" not in screen.raw


async def test_panel_toolbar_and_alarms_stay_in_view_with_the_state_of_a_write(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True, write_complete_delay=0) as sh:
        screen = sh.terminal
        await screen.enter("watch Plant.Tank1.Level", "good")
        sh.gateway.faults.hold_write_completes()
        await begin(sh, f"write {INT} 5", "accepted ", " ms, waiting for completion, ", " left · Ctrl-C")
        await screen.shows("Plant.Tank1.Level  ", " ready · armed", " ev/s")
        sh.gateway.set("Plant.Tank1.Level", 99.0)
        await screen.shows("ALARMS 2 new", "waiting for completion")
        screen.type(f"items{BACKSPACE}s")
        await screen.shows("typed ahead: items")
        screen.type(CTRL_C)
        await screen.shows(
            f"interrupted; {INT}   accepted ", "; the wait for its completion was interrupted: effect unknown"
        )
        await screen.shows("demo> items")
        await screen.enter("", f"{INT}  ")
        await screen.enter(
            "last-error", "accepted: its effect is unknown, as nothing waited for its completion any more"
        )


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ((), f"write {INT} 5 --verify"),
        ((f"snapshot kept {INT}", f"write {INT} 7"), "restore kept"),
        ((f"write {INT} 7",), "undo 1"),
    ],
)
async def test_ctrl_c_behind_an_accepted_write_says_so_for_whatever_sent_it(
    tmp_path: Path, before: tuple[str, ...], line: str
) -> None:
    async with shell(tmp_path, write_complete_delay=0) as sh:
        for each in before:
            await sh.terminal.enter(each)
            await sh.terminal.prompted()
        sh.gateway.faults.hold_write_completes()
        await begin(sh, line, "waiting for")
        live = sh.context.live_session
        await until(lambda: live.unsettled_writes(0.0) and not live.unsettled_writes(0.0, unanswered=True))
        sh.terminal.type(CTRL_C)
        await sh.terminal.shows("wait for its completion was interrupted: effect unknown")
        assert "UNKNOWN" not in sh.terminal.text


async def test_in_vi_mode_without_colour_and_at_forty_columns_a_paste_waits_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shell(tmp_path, cursor_reports=True, columns=40) as sh:
        screen = sh.terminal
        await screen.enter("set keys vi", "\nkeys vi")
        await begin(sh, "sleep 2s", "sleep, ", "ready")
        screen.type(PASTE)
        await screen.shows("typed ahead: …", "TestInt 6⏎")
        await screen.shows("3 lines: Enter shows the effect")
        assert all(len(line) <= 40 for line in screen.text.split("\n"))
        await screen.enter("", "run these 3 lines? [y/N]")
        await screen.enter("y", "→ 5", "5 → 6")


async def test_a_trend_leaves_room_for_panel_and_toolbar(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await screen.enter("watch Plant.Tank1.Level", "good")
        await begin(sh, "trend Plant.Pump1.Speed", "Ctrl-C ends", "┤", "Plant.Tank1.Level  ", " ev/s")
        screen.type("q")
        await screen.prompted()


async def test_an_impatient_enter_leaves_nothing_at_the_prompt_and_ctrl_d_leaves(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await begin(sh, "sleep 1s")
        sh.terminal.type_ahead(ENTER + ENTER + CTRL_D)
        await until(lambda: sh.prompt is not None and not sh.prompt._prompt.app.is_running)
        await sh.terminal.shows("closing")


@pytest.mark.parametrize("line", ["sleep 60s", f"wait {INT} = 99 timeout 60s"])
async def test_ctrl_c_after_ctrl_d_stops_the_command_and_does_not_leave(tmp_path: Path, line: str) -> None:
    async with shell(tmp_path) as sh:
        await begin(sh, line)
        sh.terminal.type_ahead(CTRL_D + CTRL_C)
        await sh.terminal.prompted()
        await sh.terminal.enter("help keys", "clears the line; never leaves the shell")


async def test_a_trend_stands_above_the_prompt_while_one_writes_and_sees_the_response(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await screen.enter("trend Plant.Tank1.Inlet.Position --above --for 5s", "leave out --for and --save")
        await screen.enter("trend Plant.Tank1.Inlet.Position --above", "┤", "35.0 %", "demo>")
        await screen.enter("watch Plant.Pump1.Running", "Plant.Pump1.Running  true")
        await screen.enter("write Plant.Tank1.Inlet.Position 100", "→ 100.0", "completed")
        await screen.shows("max 100.0", "┤", "Plant.Pump1.Running  true")
        await screen.enter("unwatch", "the trend is gone, and 1 no longer watched")
        await screen.gone("max 100.0")


async def test_panel_state_and_alarms_stay_in_view_around_the_pager(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch Plant.Tank1.Level", "good")
        await until(lambda: sh.context.connected.alarms.is_complete)
        await screen.enter("help all", "q leaves", "Plant.Tank1.Level  ", " ready · armed")
        sh.gateway.raise_alarm("ZB!North.A.Hi", severity=300)
        await screen.shows("ALARM severity 300 ZB!North.A.Hi", "q leaves", "Plant.Tank1.Level  ")
        screen.type("q")
        await screen.prompted()
        await screen.shows("lines)", "ALARM severity 300 ZB!North.A.Hi")


async def test_a_second_ctrl_c_gives_the_prompt_back_while_the_command_still_cleans_up(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("register one", "server 1")
        asked, released = asyncio.Event(), asyncio.Event()

        async def reluctant() -> None:
            try:
                await asyncio.sleep(600)
            finally:
                asked.set()
                await released.wait()

        sh.context.connected.settled = reluctant  # type: ignore[method-assign]  # stands for a slow clean-up
        await begin(sh, "status", "status, ")
        screen.type(CTRL_C)
        await asked.wait()
        screen.type(CTRL_C)
        await screen.shows("\ninterrupted\ndemo>")
        assert sh.prompt is not None
        assert sh.prompt._view._shown is None
        await screen.enter("echo 4711", "\n4711")
        released.set()


def test_a_prompt_that_has_ended_is_not_kept(tmp_path: Path) -> None:
    async def run() -> "weakref.ref[Prompt]":
        async with shell(tmp_path) as sh:
            await begin(sh, "sleep 1m")
            sh.terminal.type(CTRL_C)
            await sh.terminal.prompted()
            assert sh.prompt is not None
            await sh.context.journals.aclose()
            return weakref.ref(sh.prompt)

    ended = asyncio.run(run())
    for thread in threading.enumerate():
        if thread.name == "mxgw-journal":
            thread.join()
    times.show_times_as(times.times_by_environment)  # The settings of the last shell say how.
    gc.collect()
    assert ended() is None
