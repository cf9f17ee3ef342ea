"""The galaxy as an earlier run read it: names for completion at once, and a whole catalogue once it is verified."""

import asyncio
import io
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayCommandError, MxGatewayError

# The modules of the file and its lines are loaded when they are needed: most runs never do.
if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient
    from zb_mom_ww_mxgateway_shell.galaxy.kept_galaxy import GalaxyState, KeptGalaxy
    from zb_mom_ww_mxgateway_shell.galaxy.tag_index import TagIndex

_LEAST_TAGS = 10_000
"""A smaller galaxy is read about as fast from the gateway."""
_STRETCH = 0.003
"""Seconds of work before other tasks have their turn."""


class EarlierGalaxy:
    """What is kept of one gateway's galaxy between runs."""

    def __init__(self) -> None:
        self.unverified: TagIndex | None = None
        """What an earlier run read, while it is unknown whether the galaxy is still the same."""
        self.path: Path | None = None
        """The file that has the galaxy as it is known to be now; None where there is none."""
        self.problem = ""
        """Why it could not be kept; empty where it could."""
        self._state: GalaxyState | None = None
        """The galaxy of the file, as far as is known."""
        self._has_looked = False

    async def verified(self, client: "GatewayClient") -> "tuple[GalaxyState, TagIndex] | None":
        """Return the galaxy of an earlier run, if that is what is deployed; None where there is none, or another one.

        Raises the library's errors where the gateway cannot be asked; then the next call asks again.
        """
        if not self._has_looked:
            await self._look(client.options)
            self._has_looked = True
        if self.unverified is None:
            return None
        from zb_mom_ww_mxgateway_shell.galaxy.kept_galaxy import GalaxyState

        try:
            now = await GalaxyState.of(client)
        except MxGatewayCommandError:
            now = None  # To read the galaxy tells whether anything is wrong with it.
        found, self.unverified = self.unverified, None
        if now is None or now != self._state:
            return None
        self.path = await asyncio.to_thread(_note_use, client.options)
        return now, found

    async def _look(self, options: "ClientOptions") -> None:
        if (kept := await asyncio.to_thread(_read, options)) is not None:
            self._state, lines = kept
            self.unverified = await _index_of(lines)

    async def keep(self, client: "GatewayClient", index: "TagIndex", deployed_at: datetime | None) -> None:
        """Keep what was just read for the next run, unless another galaxy is deployed by now."""
        from zb_mom_ww_mxgateway_shell.galaxy.kept_galaxy import GalaxyState

        self.path, self.problem = None, ""
        if index.tags < _LEAST_TAGS:
            if self._state is not None:
                await self.forget(client.options)
            return
        try:
            state = await GalaxyState.of(client)
            if state is None or state.deployed_at != deployed_at:
                self.problem = "the gateway does not say that it is what is deployed"
            elif state.objects != index.objects:
                self.problem = f"the gateway counts {state.objects} objects, and gave {index.objects}"
            else:
                self.path = await asyncio.to_thread(_write, client.options, state, index)
                self._state = state
        except (MxGatewayError, OSError) as error:
            self.problem = str(error)

    def outdated(self) -> None:
        """Drop what an earlier run read: the galaxy was read since."""
        self.unverified = self.path = None

    async def forget(self, options: "ClientOptions") -> None:
        """Forget what an earlier run read, on the disk, too: the key does not see that galaxy any more."""
        self.unverified = self.path = self._state = None
        await asyncio.to_thread(_remove, options)


async def _index_of(lines: io.BytesIO) -> "TagIndex | None":
    from zb_mom_ww_mxgateway_shell.galaxy.index_lines import UnreadableIndexError, reading_index

    steps, began = reading_index(lines), time.perf_counter()
    while True:
        try:
            next(steps)
        except StopIteration as done:
            index: TagIndex = done.value
            return index
        except UnreadableIndexError:
            return None
        if time.perf_counter() - began > _STRETCH:
            await asyncio.sleep(0)
            began = time.perf_counter()


# What follows blocks, and runs in a thread.


def _found(options: "ClientOptions") -> "KeptGalaxy | None":
    from zb_mom_ww_mxgateway_shell.galaxy.kept_galaxy import KeptGalaxy

    try:
        return KeptGalaxy(options, make=False)
    except (OSError, MxGatewayArgumentError):
        return None


def _read(options: "ClientOptions") -> "tuple[GalaxyState, io.BytesIO] | None":
    kept = _found(options)
    return kept.read() if kept is not None else None


def _write(options: "ClientOptions", state: "GalaxyState", index: "TagIndex") -> Path:
    from zb_mom_ww_mxgateway_shell.galaxy.index_lines import index_lines
    from zb_mom_ww_mxgateway_shell.galaxy.kept_galaxy import KeptGalaxy

    kept = KeptGalaxy(options, make=True)
    kept.write(state, index_lines(index))
    return kept.path


def _note_use(options: "ClientOptions") -> Path | None:
    kept = _found(options)
    if kept is None:
        return None
    kept.used()
    return kept.path


def _remove(options: "ClientOptions") -> None:
    if (kept := _found(options)) is not None:
        kept.remove()
