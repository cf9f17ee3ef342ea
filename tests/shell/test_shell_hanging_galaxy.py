"""A galaxy that hangs while everything else of the gateway answers."""

import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import connected, result_of
from shell_process import ShellProcess
from shell_waiting import until

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import alarm_checks
from zb_mom_ww_mxgateway_shell.errors import NotMet, ShellError
from zb_mom_ww_mxgateway_sim import SimulatedGateway

TAG = "Plant.Tank1.Inlet.Position"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as made:
        for call in ("GetLastDeployTime", "DiscoverHierarchy", "BrowseChildren"):
            made.faults.stall(call)
        yield made


@pytest.fixture
def run(tmp_path: Path, gateway: SimulatedGateway) -> ShellProcess:
    return ShellProcess(tmp_path).on(gateway)


def asked(gateway: SimulatedGateway) -> list[str]:
    """The calls to the galaxy that hang."""
    return [call.rpc for call in gateway.calls if call.rpc in ("GetLastDeployTime", "DiscoverHierarchy")]


async def test_a_write_waits_for_one_question_to_the_galaxy(run: ShellProcess, gateway: SimulatedGateway) -> None:
    """Three of them would take longer than this test waits for its program."""
    done = await run("--plaintext", "-e", f"write {TAG} 60", "-e", f"write {TAG} 61")
    assert (done.code, [each.value for each in gateway.writes]) == (0, [60.0, 61.0]), done
    # Each says what it was not judged by.
    assert done.out.count(f"{TAG}: security and range are unknown: the galaxy of") == 2, done
    # Between the two the galaxy rests, unless the machine is slow.
    assert set(asked(gateway)) == {"DiscoverHierarchy"}
    assert len(asked(gateway)) <= 2


async def test_a_plan_goes_on_without_the_galaxy(run: ShellProcess, gateway: SimulatedGateway) -> None:
    (run.folder / "a.mxs").write_text(
        f"requires write Plant.*\nread Plant.Tank1.Level\nwrite {TAG} 60\nwrite {TAG} 61\n"
    )
    done = await run("--plaintext", "plan", "a.mxs")
    assert done.code == 0, done
    assert "galaxy's deploy time unknown" in done.out
    assert f"{TAG}: security and range are unknown: the galaxy of" in done.out, done
    assert not gateway.writes


async def test_what_the_galaxy_only_helps_with_goes_on_without_it(run: ShellProcess) -> None:
    """Each of these would otherwise wait for the time-out of a call."""
    lines = ("snapshot before Plant.Tank1.Level", "expect-no-alarm")
    done = await run("--plaintext", *(part for line in lines for part in ("-e", line)))
    assert done.code == 0, done
    assert "1 tags kept" in done.out


@pytest.mark.parametrize(
    ("line", "name"),
    [("expect-alarm Plant.Tank1.Levle.Hi cleared", "Plant.Tank1.Levle.Hi"), ("expect-no-alarm --area Plnat", "Plnat")],
)
async def test_a_check_of_what_may_not_exist_is_not_met(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch, line: str, name: str
) -> None:
    monkeypatch.setattr(alarm_checks, "_GALAXY_SECONDS", 0.1)
    async with connected(gateway) as context:
        with pytest.raises(NotMet, match=f"it is unknown: the galaxy does not tell whether there is {name}") as raised:
            await result_of(context, line)
    assert raised.value.exit_code == ExitCode.NOT_MET


async def test_nobody_is_told_that_a_tag_of_unknown_security_needs_no_second_person(gateway: SimulatedGateway) -> None:
    async with connected(gateway) as context:
        with pytest.raises(ShellError, match=f"does not tell whether {TAG} is a VerifiedWrite tag"):
            await result_of(context, f"write {TAG} 1 --second bob --second-password-env X")
    assert not gateway.writes


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
async def test_a_line_that_waits_says_so_and_ctrl_c_ends_it(run: ShellProcess, gateway: SimulatedGateway) -> None:
    from shell_pty import at_a_terminal  # Not on Windows.

    async with at_a_terminal(run, gateway, "--plaintext", "-e", "browse") as terminal:
        await terminal.shows("browse, 0.")
        await until(lambda: any(call.rpc == "BrowseChildren" for call in gateway.calls))
        terminal.process.send_signal(signal.SIGINT)
        await terminal.shows("once more ends it at once")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ended() == 130


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
async def test_a_start_that_waits_for_a_session_says_so(run: ShellProcess, gateway: SimulatedGateway) -> None:
    from shell_pty import at_a_terminal  # Not on Windows.

    gateway.faults.stall("OpenSession")
    async with at_a_terminal(run, gateway, "--plaintext", "-e", "read Plant.Tank1.Level") as terminal:
        await terminal.shows(f"connecting to {gateway.endpoint}: no answer yet after 3 s")
        gateway.faults.release("OpenSession")
        assert await terminal.ended() == 0


async def test_doctor_ends_where_its_session_cannot_be_closed(run: ShellProcess, gateway: SimulatedGateway) -> None:
    gateway.faults.release()
    gateway.faults.stall("CloseSession")
    done = await run("-e", f"doctor {gateway.endpoint} --plaintext")
    assert done.code == 0, done
    assert "not closed: no answer within 3 s" in done.out


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
async def test_ctrl_c_during_a_start_is_answered_at_once(run: ShellProcess, gateway: SimulatedGateway) -> None:
    """The session that is being opened is closed then, or left to its lease."""
    gateway.faults.stall("OpenSession")
    process = await run.start("--plaintext", "-e", "read Plant.Tank1.Level")
    await until(lambda: any(call.rpc == "OpenSession" for call in gateway.calls))
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert await process.stderr.readline() == b"interrupted: nothing was run; once more ends it at once\n"
    gateway.faults.release()
    out, _ = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    await until(lambda: not gateway.live_sessions)
