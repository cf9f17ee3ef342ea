"""Leaving with a gateway that is down."""

import sys
from pathlib import Path

import pytest
from shell_lines import SIMULATED
from shell_process import ShellProcess
from shell_terminal import CTRL_C, CTRL_D, ENTER, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError
from zb_mom_ww_mxgateway.safety.journal_chain import JournalError
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
def process(tmp_path: Path) -> ShellProcess:
    return ShellProcess(tmp_path).in_folders_of_its_own()


@pytest.mark.skipif(sys.platform == "win32", reason="this is a terminal of POSIX")
@pytest.mark.parametrize("leaving", ["exit", "Ctrl-D"])
async def test_whoever_leaves_with_the_gateway_down_is_told_and_has_the_exit_code_0(
    process: ShellProcess, gateway: SimulatedGateway, leaving: str
) -> None:
    from shell_pty import at_a_terminal

    async with at_a_terminal(process, gateway) as terminal:
        await terminal.enter("watch Plant.Tank1.Level", "good")
        await gateway.aclose()
        await terminal.shows(":resuming (read-only)>")
        await (terminal.enter("exit") if leaving == "exit" else terminal.leave())
        assert await terminal.ended() == 0
        text = await terminal.shows("the session was not closed, and expires by itself: ")
        assert "Traceback" not in text
        assert "internal error" not in text


async def test_a_gateway_that_is_down_hides_no_graver_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(all_commands(), interactive=True)
    notices: list[str] = []
    context.set_outputs(notices.append)
    closed = GatewayConnection.aclose

    async def close(connected: GatewayConnection) -> None:
        await closed(connected)
        if connected.name == "b":
            raise JournalError("the journal cannot be written")
        raise MxGatewayTransportError("down")

    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        for name in ("a", "b"):
            await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), name, terms=SIMULATED)
        monkeypatch.setattr(GatewayConnection, "aclose", close)
        with pytest.raises(JournalError, match="the journal cannot be written"):
            await context.disconnect()
    assert "down" in notices


async def test_only_an_answer_to_the_question_leaves_what_is_changed(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("write TestChildObject.TestInt 5", "completed")
        await screen.prompted()
        screen.type_ahead(f"exit{ENTER}y{ENTER}")
        await screen.shows("Leave all the same? [y/N]")
        await screen.enter("", "demo> y")
        screen.type(CTRL_C)
        # Ctrl-D is no consent either, however often it comes.
        for times in (2, 3, 4):
            await screen.prompted()
            screen.type(CTRL_D)
            await until(lambda times=times: screen.text.count("Leave all the same?") == times, lambda: screen.text)
            screen.type(CTRL_D)
        await screen.prompted()
        assert sh.context.current
