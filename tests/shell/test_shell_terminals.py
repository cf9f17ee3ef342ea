"""The shell at terminals that are taken away, resized, narrow or dumb; Ctrl-C at a real one."""

import asyncio
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from shell_process import KEY, ShellProcess

from zb_mom_ww_mxgateway_console.process.endings import CALLED_OFF, INTERRUPT
from zb_mom_ww_mxgateway_shell.process.quiet_terminal import quiet_terminal
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, interruptible, on_signals
from zb_mom_ww_mxgateway_sim import SimulatedGateway

if sys.platform == "win32":
    pytest.skip("these are the terminals of POSIX", allow_module_level=True)

import termios

from shell_pty import at_a_terminal
from shell_waiting import until

CTRL_C = "\x03"


@pytest.fixture
def process(tmp_path: Path) -> ShellProcess:
    return ShellProcess(tmp_path).in_folders_of_its_own()


@pytest.mark.parametrize("doing", ["", "watch Plant.Tank1.Level --for 5m", "watch Plant.* --full"])
async def test_a_terminal_that_is_taken_away_ends_the_shell_and_its_session(
    process: ShellProcess, gateway: SimulatedGateway, doing: str
) -> None:
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        await terminal.enter("watch Plant.Tank1.Level", "good")
        if doing:
            await terminal.enter(doing, "Ctrl-C ends" if "--for" in doing else "q leaves")
        assert len(gateway.live_sessions) == 1
        terminal.take_away()
        assert await terminal.ended() == 130
        await until(lambda: not gateway.live_sessions)


@pytest.mark.usefixtures("heard_hangups")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_to_end_closes_the_session(
    process: ShellProcess, gateway: SimulatedGateway, sent: signal.Signals
) -> None:
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        terminal.process.send_signal(sent)
        assert await terminal.ended() == 130
        assert "Traceback" not in terminal.raw
        await until(lambda: not gateway.live_sessions)


@pytest.mark.parametrize(
    ("tag", "line", "written"),
    [
        ("TestChildObject.TestInt", "write TestChildObject.TestInt 5", "5"),
        (
            "TestChildObject.TestIntArray",
            "write-elements TestChildObject.TestIntArray 2 0=5",
            "an array of 2 with 1 element set",
        ),
    ],
)
async def test_ctrl_c_stops_a_command_that_waits_and_not_the_shell(
    process: ShellProcess, gateway: SimulatedGateway, tag: str, line: str, written: str
) -> None:
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        await terminal.enter(f"arm {tag}", "armed for")
        gateway.faults.stall("write")
        await terminal.enter(line, "[y/N]", "void in")
        terminal.type("y\r")
        await until(lambda: any("write {" in str(call.request) for call in gateway.calls))
        terminal.type(CTRL_C)
        await terminal.shows("interrupted; a write was sent, and its outcome is UNKNOWN")
        # It may still happen, and is looked for.
        await terminal.enter("last-error", f"line         {line}", "outcome      UNKNOWN: it may")
        await terminal.enter("status", f"in doubt    {tag}   the write of {written}")
        gateway.faults.release()
        await terminal.shows("the tag had that")
        await terminal.enter("status", "servers", "events")
        await terminal.leave()
        await terminal.shows("Leave all the same? [y/N]")
        await terminal.enter("y", "closing")
        assert await terminal.ended() == 0
    await until(lambda: not gateway.live_sessions)


async def test_what_is_typed_before_a_question_about_a_write_does_not_answer_it(
    process: ShellProcess, gateway: SimulatedGateway
) -> None:
    """It is at the next prompt instead."""
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        await terminal.enter("arm TestChildObject.TestInt", "armed for")
        gateway.faults.stall("subscribe_bulk")
        terminal.type("write TestChildObject.TestInt 5\r")
        await until(lambda: any("subscribe_bulk {" in str(call.request) for call in gateway.calls))
        terminal.type("y\ryes\r")
        gateway.faults.release()
        await terminal.shows("send 5 to TestChildObject.TestInt? [y/N]", "or when something shown changes")
        assert not gateway.writes
        await terminal.enter("n", "the selection is void:", "it was not confirmed; nothing was sent", "> y\nyes")
        terminal.type("\x03")
        await terminal.leave()
        assert await terminal.ended() == 0
    assert not gateway.writes


async def test_a_second_ctrl_c_no_longer_waits_for_what_the_first_one_stopped() -> None:
    begun, released, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            signal.raise_signal(signal.SIGINT)
            await released.wait()
            ended.set()

    async def interrupted() -> None:
        await begun.wait()
        signal.raise_signal(signal.SIGINT)

    waiting = asyncio.create_task(interrupted())
    with pytest.raises(Interrupted):
        await interruptible(slow_to_end(), INTERRUPT)
    assert not ended.is_set()
    released.set()
    await ended.wait()
    await waiting


def interrupt_elsewhere() -> None:
    """Has Ctrl-C come on this thread, while the other one waits."""
    while "select" not in sys._current_frames()[threading.main_thread().ident or 0].f_code.co_name:
        time.sleep(0.01)
    time.sleep(0.1)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)


async def test_a_signal_that_does_not_end_the_wait_of_the_loop_is_handled_at_once() -> None:
    """One that comes right before the loop begins to wait, or on another thread as here, leaves it waiting."""
    reached = asyncio.Event()
    before = signal.set_wakeup_fd(-1)
    with on_signals(INTERRUPT, reached.set):
        threading.Thread(target=interrupt_elsewhere).start()
        await reached.wait()
        with on_signals(CALLED_OFF, lambda: None):
            reached.clear()
            threading.Thread(target=interrupt_elsewhere).start()
            await reached.wait()
    assert signal.set_wakeup_fd(before) == -1


def test_ctrl_z_does_not_stop_a_shell_whose_command_runs() -> None:
    master, slave = os.openpty()
    try:
        before = termios.tcgetattr(slave)
        with quiet_terminal(slave):
            os.write(master, b"\x1aX")
            assert os.read(slave, 1) == b"\x1a"
        assert termios.tcgetattr(slave) == before
    finally:
        os.close(master)
        os.close(slave)


async def test_a_terminal_that_shrinks_is_filled_as_it_is_now(process: ShellProcess, gateway: SimulatedGateway) -> None:
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        await terminal.enter("watch Plant.Tank1.Level Plant.Tank1.Inlet.Position", "35.0", "changes")
        terminal.resize(40, 20)
        await terminal.enter("status", "servers")
        await terminal.enter("why Plant.Tank1.Level", "q leaves")
        terminal.type("Gq")
        await terminal.shows("lines)")
        await terminal.shows("1.Level", "good")
        await terminal.leave()
        assert await terminal.ended() == 0


async def test_forty_columns_are_enough(process: ShellProcess, gateway: SimulatedGateway) -> None:
    async with at_a_terminal(process, gateway, columns=40, rows=24) as terminal:
        await terminal.shows(">")
        await terminal.enter("watch Plant.Tank1.Inlet.Position", "35.0", "good")
        await terminal.enter("arm Plant.Tank1.*", "armed for")
        await terminal.enter("write Plant.Tank1.Inlet.Position 60", "[y/N]", "void in")
        await terminal.enter("y", "completed")
        await terminal.enter("why Plant.Tank1.Inlet.Position", "q leaves")
        terminal.type("G")
        await terminal.shows("meaning")
        terminal.type("q")
        await terminal.shows("lines)")
        await terminal.leave()
        await terminal.shows("[y/N]")
        terminal.type("y\r")
        assert await terminal.ended() == 0


async def test_the_list_of_commands_is_a_page_and_a_bit_at_forty_columns(
    process: ShellProcess, gateway: SimulatedGateway
) -> None:
    async with at_a_terminal(process, gateway, columns=40, rows=24) as terminal:
        await terminal.shows(">")
        await terminal.enter("help", "q leaves")
        terminal.type("G")
        await terminal.shows("help first")
        terminal.type("q")
        await terminal.shows("lines)")
        await terminal.leave()
        assert await terminal.ended() == 0


async def test_a_profile_at_the_start_asks_for_the_key_and_watches_its_list(
    process: ShellProcess, gateway: SimulatedGateway
) -> None:
    lists = process.folder / "config" / "mxgw" / "lists"
    lists.mkdir(parents=True)
    (lists / "tanks.tags").write_text("Plant.Tank1.LevelSP\n", encoding="utf-8")
    (lists.parent / "profiles.toml").write_text(
        f'[profiles.plant]\nendpoint = "{gateway.endpoint}"\nplaintext = true\napi_key_prompt = true\n'
        'read_only = true\nwatch = "tanks"\n',
        encoding="utf-8",
    )
    async with at_a_terminal(process, gateway, "--profile", "plant") as terminal:
        await terminal.shows("API key of plant:")
        await terminal.enter(gateway.api_key or "", "plant (read-only)>", "Plant.Tank1.LevelSP", "60.0")
        assert (gateway.api_key or "?") not in terminal.raw
        await terminal.enter("write Plant.Tank1.LevelSP 70", "the profile plant is", "nothing was sent")
        await terminal.leave()
        assert await terminal.ended() == 0
    assert not gateway.writes


async def test_no_color_in_the_environment_is_obeyed(process: ShellProcess, gateway: SimulatedGateway) -> None:
    process.environment["NO_COLOR"] = "1"
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        await terminal.enter("nonsense", "no command nonsense")
        assert not re.search(r"\x1b\[[\d;]*[34]\d(;[\d;]*)?m", terminal.raw)


@pytest.mark.parametrize("term", ["dumb", "", None])
async def test_a_dumb_terminal_gets_lines_and_nothing_else(
    process: ShellProcess, gateway: SimulatedGateway, term: str | None
) -> None:
    async with at_a_terminal(process, gateway, rows=60, term=term) as terminal:
        await terminal.shows(">")
        await terminal.enter("watch Plant.Tank1.Level --count 2", "2 samples")
        await terminal.enter("arm TestChildObject.TestInt", "armed for")
        await terminal.enter("write TestChildObject.TestInt 5", "[y/N]")
        await terminal.enter("y", "completed")
        await terminal.enter("write TestChildObject.TestInt five", "Integer expected")
        await terminal.enter("trend Plant.Tank1.Level", "without a screen to redraw", "--for 30s")
        await terminal.enter("help all", "leave the shell")
        await terminal.enter("watch Plant.Tank1.LevelSP", "60.0   good")
        terminal.type(CTRL_C)
        await terminal.shows("1 sample in")
        await terminal.leave()
        await terminal.shows("Leave all the same? [y/N]")
        terminal.type("y\r")
        assert await terminal.ended() == 0
        assert "\x1b" not in terminal.raw


async def test_the_history_is_there_again_the_next_time_without_the_lines_that_had_a_key(
    process: ShellProcess, gateway: SimulatedGateway
) -> None:
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        await terminal.enter("echo first-line", "\nfirst-line")
        await terminal.enter(f"echo {KEY}", "\nmxgw_demo_***")
        await terminal.leave()
        assert await terminal.ended() == 0
    kept = (process.folder / "state" / "mxgw" / "history").read_text(encoding="utf-8")
    assert "+echo first-line\n" in kept
    assert KEY not in kept
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        terminal.type("\x1b[A")
        await terminal.shows("> echo first-line")
        terminal.type("\x15")
        await terminal.leave()
        assert await terminal.ended() == 0


async def test_a_keyboard_without_a_screen_gives_lines_and_says_so(
    process: ShellProcess, gateway: SimulatedGateway
) -> None:
    process.on(gateway)
    master, slave = os.openpty()
    try:
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "zb_mom_ww_mxgateway_shell", "--plaintext"),
            stdin=slave,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=process.environment | {"TERM": "xterm-256color"},
        )
        os.write(master, b"arm TestChildObject.TestInt\nwrite TestChildObject.TestInt 5\nitems\n\x04")
        async with asyncio.timeout(30):
            out, error = await started.communicate()
    finally:
        os.close(master)
        os.close(slave)
    assert b"standard output is no terminal. Lines are read without a prompt" in error
    assert b"completed" in out
    assert b"\x1b" not in out + error
    assert started.returncode == 0
