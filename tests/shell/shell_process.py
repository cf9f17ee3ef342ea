"""mxgw-shell as a process, as its user would run it."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import prepared_programs
from settings_of_the_user import programs_environment
from started_programs import StartedProgram

from zb_mom_ww_mxgateway_sim import SimulatedGateway

EXAMPLES = Path(__file__).parents[2] / "examples"
KEY = "mxgw_demo_bm90LWEtc2VjcmV0"


OF_A_RECORD = (
    *("run-begin", "run-gateway", "run-file", "first-contact", "samples", "news", "journal", "run-end"),
    *("alarm", "alarms-lost", "alarms-back"),
)
"""The ``command`` of lines that are about the run and not about one statement; a statement has ``ok``, too."""


def statements(out: str | bytes) -> list[dict[str, Any]]:
    """The lines of JSON about statements, findings and failures: all but those that only a record has."""
    entries: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    return [each for each in entries if "ok" in each or each["command"] not in OF_A_RECORD]


async def next_statement(process: asyncio.subprocess.Process | StartedProgram) -> dict[str, Any]:
    """The next line of JSON about a statement of a run that goes on."""
    assert process.stdout is not None
    while True:
        if found := statements(await process.stdout.readline()):
            return found[0]


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def entries(self) -> list[dict[str, Any]]:
        """All lines of JSON: of a run of files its whole record."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def objects(self) -> list[dict[str, Any]]:
        return statements(self.out)


ARMED = ("TestChildObject.*", "TestMachine_*", "Plant.*", "Unit1.*", "*Area.Object.*")
"""The tags that tests write on a gateway of their own."""
_WRITES = re.compile(r"^\s*(write|write-many|write-elements|ack|call)\s", re.MULTILINE)


def declared(text: str) -> str:
    """The lines of a file, behind a declaration if one of them writes: they are one line further down then."""
    return f"requires write {' '.join(ARMED)}\n{text}" if _WRITES.search(text) else text


class ShellProcess:
    """Runs mxgw-shell as its user would, with nothing of the user's own."""

    def __init__(self, tmp_path: Path) -> None:
        self.armed: tuple[str, ...] = ()
        """What its runs may write; on a gateway of the test's own the tags of the tests."""
        self.environment = programs_environment(tmp_path)
        self.folder = tmp_path

    async def start(self, *arguments: str) -> asyncio.subprocess.Process | StartedProgram:
        return await prepared_programs.start(
            "zb_mom_ww_mxgateway_shell",
            self.armed_for(*arguments),
            environment=self.environment,
            folder=self.folder,
            stdin=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str, stdin: str = "") -> Done:
        async with asyncio.timeout(40):
            ended = await prepared_programs.ended(
                "zb_mom_ww_mxgateway_shell",
                self.armed_for(*arguments),
                environment=self.environment,
                folder=self.folder,
                stdin=stdin.encode(),
            )
        done = Done(ended.code, ended.out.decode(), ended.err.decode())
        assert "--debug" in arguments or "Traceback" not in done.err
        assert KEY not in done.out + done.err
        return done

    def armed_for(self, *arguments: str) -> tuple[str, ...]:
        """The arguments of a run, armed unless they say something else."""
        if "--read-only" in arguments or "--arm" in arguments:
            return arguments
        return (*(word for glob in self.armed for word in ("--arm", glob)), *arguments)

    def in_folders_of_its_own(self) -> "ShellProcess":
        """Keeps what a user's programs share, such as profiles and the journal, below its own folder."""
        for name in ("CONFIG", "STATE", "DATA"):
            self.environment[f"XDG_{name}_HOME"] = str(self.folder / name.lower())
        return self

    def on(self, gateway: SimulatedGateway) -> "ShellProcess":
        """Connects to this gateway by the environment, and may write to it."""
        self.armed = ARMED
        self.environment["MXGATEWAY_ENDPOINT"] = gateway.endpoint
        if gateway.api_key:
            self.environment["MXGATEWAY_API_KEY"] = gateway.api_key
        return self


class Runs:
    """Runs files against one gateway: command files, or by another option files of another kind."""

    def __init__(self, folder: Path, gateway: SimulatedGateway, option: str = "-c", name: str = "try.mxs") -> None:
        self.folder = folder
        self.gateway = gateway
        self.process = ShellProcess(folder).on(gateway)
        self._option = option
        self._name = name

    def file(self, text: str, name: str = "", *, declares: bool = True) -> Path:
        """Makes a file; without `declares` a command file, too, has no lines but these."""
        path = self.folder / (name or self._name)
        path.write_text(declared(text) if declares and path.suffix == ".mxs" else text, encoding="utf-8")
        return path

    async def __call__(self, text: str, *arguments: str) -> Done:
        self.file(text)
        return await self.process("--plaintext", self._option, self._name, *arguments)

    @property
    def written(self) -> list[object]:
        return [write.value for write in self.gateway.writes]
