"""``mxgw-py`` as a process, and what it said."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from cli_schemas import check_output, command_of, kinds_of

from zb_mom_ww_mxgateway import Session
from zb_mom_ww_mxgateway_sim import GatewayKey

KEY = GatewayKey("plant", "s3cret_with-underscore")
DEADLINE = 20.0
EOR = "__MXGW_BATCH_EOR__"


@dataclass(frozen=True)
class Ran:
    """What a process said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """Standard output as objects; every line must be one, spelled in the stable way."""
        objects = [json.loads(line) for line in self.out.splitlines()]
        assert self.out == "".join(json.dumps(one, sort_keys=True) + "\n" for one in objects)
        return objects


Start = Callable[..., Awaitable[asyncio.subprocess.Process]]
Run = Callable[..., Awaitable[Ran]]


@dataclass(frozen=True)
class Open:
    """A session with one advised item that has had its first value."""

    session: Session
    server: int
    item: int

    @property
    def write(self) -> list[str]:
        """The arguments that name the item to write to."""
        handles = ["--server-handle", str(self.server), "--item-handle", str(self.item)]
        return ["write", "--plaintext", "--session-id", self.session.session_id, *handles]

    @property
    def at_server(self) -> list[str]:
        """The arguments that name the registration."""
        return ["--plaintext", "--session-id", self.session.session_id, "--server-handle", str(self.server)]

    @property
    def stream(self) -> list[str]:
        """The arguments that name the session to stream."""
        return ["stream-events", "--plaintext", "--session-id", self.session.session_id]


STARTED: WeakKeyDictionary[asyncio.subprocess.Process, tuple[str, ...]] = WeakKeyDictionary()
"""The arguments of each process."""


async def ended(process: asyncio.subprocess.Process) -> Ran:
    """Waits for the end of a process."""
    async with asyncio.timeout(DEADLINE):
        out, err = await process.communicate()
    assert process.returncode is not None
    check_output(STARTED.get(process, ()), (out or b"").decode())
    return checked(Ran(process.returncode, (out or b"").decode(), err.decode()))


def checked(ran: Ran) -> Ran:
    """Whatever it says, it never says the key."""
    assert KEY.secret not in ran.out + ran.err
    return ran


async def until(condition: Callable[[], object]) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # what it waits for has no event to wait on
            await asyncio.sleep(0.005)


class Driver:
    """A program that drives a batch line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, *words: str) -> list[dict[str, Any]]:
        """Sends a line and gives what answers it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(words).encode() + b"\n")
        answers = []
        async with asyncio.timeout(DEADLINE):
            while (line := await self.process.stdout.readline()) != f"{EOR}\n".encode():
                answers.append(json.loads(line))
                assert line.decode() == json.dumps(answers[-1], sort_keys=True) + "\n"
                kinds_of(command_of(" ".join(words).split(" ")), answers[-1])
        return answers

    async def end(self) -> tuple[int, str]:
        """Ends the input; the exit code and standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        ran = await ended(self.process)
        assert ran.out == ""
        return ran.code, ran.err


Drive = Callable[..., Awaitable[Driver]]
