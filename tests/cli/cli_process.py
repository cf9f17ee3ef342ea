"""``mxgw-py`` as a process, and what it said."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway import Session
from zb_mom_ww_mxgateway_sim import ApiKey

KEY = ApiKey("plant", "s3cret_with-underscore")
DEADLINE = 20.0


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
    def stream(self) -> list[str]:
        """The arguments that name the session to stream."""
        return ["stream-events", "--plaintext", "--session-id", self.session.session_id]


async def ended(process: asyncio.subprocess.Process) -> Ran:
    """Waits for the end of a process."""
    async with asyncio.timeout(DEADLINE):
        out, err = await process.communicate()
    assert process.returncode is not None
    ran = Ran(process.returncode, (out or b"").decode(), err.decode())
    assert KEY.secret not in ran.out + ran.err
    return ran


async def until(condition: Callable[[], object]) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # what it waits for has no event to wait on
            await asyncio.sleep(0.005)
