"""Every exit code of both command lines, each by a process: the table of docs/command-files.md is what happens."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import prepared_programs
import pytest
from documents import text_of
from settings_of_the_user import programs_environment

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, ARMED = "TestChildObject.TestInt", ("--arm", "TestChildObject.*")
SHELL, PY = "zb_mom_ww_mxgateway_shell", "zb_mom_ww_mxgateway_cli"
CODES = [each for each in ExitCode if each is not ExitCode.INTERNAL]
"""All but that of a mistake in the program itself, which no line can bring about."""


@dataclass(frozen=True)
class End:
    """One way in which a program ends."""

    code: ExitCode
    program: str
    words: Sequence[str]
    said: str = ""
    """A part of what it says."""
    before: Callable[[SimulatedGateway], object] = lambda gateway: None

    def __str__(self) -> str:
        program = "mxgw-shell" if self.program == SHELL else "mxgw-py"
        return f"{self.code.name.lower()}: {program} {' '.join(self.words)}"


def refuse(gateway: SimulatedGateway) -> None:
    gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE)


def lose(gateway: SimulatedGateway) -> None:
    gateway.faults.lose_next_reply("write")


def deliver_nothing(gateway: SimulatedGateway) -> None:
    gateway.faults.stall("StreamEvents")


WRITE = f"write {INT} 5"
ENDS = [
    End(ExitCode.DONE, SHELL, ("-e", WRITE, *ARMED), "completed"),
    End(ExitCode.DONE, SHELL, ("-e", f"{WRITE} --verify", *ARMED), "verified"),
    End(ExitCode.NOT_MET, SHELL, ("-e", f"expect {INT} = 9"), "\nexpected "),
    End(ExitCode.USAGE, SHELL, ("-e", f"wirte {INT} 5"), "no command wirte"),
    End(ExitCode.USAGE, SHELL, ("-e", WRITE, "--arm", "*"), "names nothing"),
    End(ExitCode.REFUSED, SHELL, ("-e", WRITE, *ARMED), "MXAccess refused", refuse),
    End(ExitCode.CANNOT_CONNECT, SHELL, ("-e", WRITE, *ARMED, "--endpoint", "127.0.0.1:1"), "cannot connect"),
    End(ExitCode.GUARDED, SHELL, ("-e", WRITE), "nothing was sent"),
    End(ExitCode.UNKNOWN, SHELL, ("-e", WRITE, *ARMED), "It was not sent again", lose),
    End(ExitCode.LEFT_CHANGED, SHELL, ("-e", WRITE, *ARMED, "--leave-clean"), "left changed"),
    # The first Ctrl-C lets the line that runs end, and no other begins.
    End(ExitCode.INTERRUPTED, SHELL, ("-e", "sleep 2s", "-e", "sleep 10m"), "interrupted"),
    End(ExitCode.DONE, PY, ("write", INT, "5"), "completed"),
    End(ExitCode.DONE, PY, ("write", INT, "5", *ARMED), "completed"),
    End(ExitCode.NOT_MET, PY, ("smoke", "--item", INT, "--timeout", "1s"), "within 1 s", deliver_nothing),
    End(ExitCode.USAGE, PY, ("write", INT), "VALUE"),
    End(ExitCode.REFUSED, PY, ("write", INT, "5"), "MXAccess refused", refuse),
    End(ExitCode.CANNOT_CONNECT, PY, ("write", INT, "5", "--endpoint", "127.0.0.1:1"), "cannot connect"),
    End(ExitCode.GUARDED, PY, ("write", INT, "5", "--arm", "Other.*"), "nothing was sent"),
    End(ExitCode.UNKNOWN, PY, ("write", INT, "5"), "outcome unknown", lose),
    End(ExitCode.INTERRUPTED, PY, ("stream-alarms",), "interrupted"),
]


def test_every_code_is_in_the_table_and_shown_here() -> None:
    section = text_of("docs/command-files.md").partition("## How a run ends")[2].partition("\n## ")[0]
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    assert codes == {int(each) for each in ExitCode}
    assert {each.code for each in ENDS if each.program == SHELL} == set(CODES)
    assert {each.code for each in ENDS if each.program == PY} == set(CODES) - {ExitCode.LEFT_CHANGED}


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as running:
        yield running


@pytest.fixture
def environment(gateway: SimulatedGateway, tmp_path: Path) -> dict[str, str]:
    return programs_environment(tmp_path) | {"MXGATEWAY_ENDPOINT": gateway.endpoint}


@pytest.mark.parametrize("end", [each for each in ENDS if each.code is not ExitCode.INTERRUPTED], ids=str)
async def test_how_it_ends(end: End, gateway: SimulatedGateway, environment: dict[str, str], tmp_path: Path) -> None:
    end.before(gateway)
    # Some as a user starts them: an end in doubt, with an open connection, and one before anything is begun.
    cold = {"COLD": "1"} if end.code in (ExitCode.UNKNOWN, ExitCode.USAGE) else {}
    async with asyncio.timeout(60):
        ended = await prepared_programs.ended(
            end.program,
            (*end.words, "--plaintext"),
            environment=environment | cold,
            folder=tmp_path,
            stdin=None,
        )
    said = (ended.out + ended.err).decode()
    assert ended.code == end.code, said
    assert end.said in said


@pytest.mark.parametrize(("program", "words"), [(SHELL, ("-e", "status")), (PY, ("read", INT))], ids=[SHELL, PY])
async def test_grpc_logs_nothing_between_the_lines(
    program: str, words: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    # The root of another gateway: gRPC itself would log that the handshake failed.
    async with SimulatedGateway(certificate_directory=tmp_path / "other") as other, SimulatedGateway() as gateway:
        (tmp_path / "roots.pem").write_text(other.certificate_pem or "")
        async with asyncio.timeout(60):
            ended = await prepared_programs.ended(
                program,
                (*words, "--ca-file", "roots.pem"),
                environment=environment | {"MXGATEWAY_ENDPOINT": gateway.endpoint, "COLD": "1"},
                folder=tmp_path,
                stdin=None,
            )
    assert ended.code == ExitCode.CANNOT_CONNECT
    assert ended.out == b""
    (line,) = ended.err.decode().splitlines()
    assert "does not verify" in line


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
@pytest.mark.parametrize("end", [each for each in ENDS if each.code is ExitCode.INTERRUPTED], ids=str)
async def test_how_an_interrupted_one_ends(
    end: End, gateway: SimulatedGateway, environment: dict[str, str], tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", end.program, *end.words, "--plaintext"),
        env=environment,
        cwd=tmp_path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            # A simulated gateway tells nobody.
            while not (gateway.open_alarm_streams if end.program == PY else gateway.open_streams):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, end.said in out.decode()) == (end.code, True)
