"""What a shell leaves in the plant: timed writes are put back, and what stays changed is told."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_console.render.forms import counted

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.reverts import Revert
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
    from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow


class Departure:
    """Puts back before connections are closed, and knows what could not be put back."""

    def __init__(self, alert: Callable[[str], object]) -> None:
        self.must_be_clean = False
        """Whether what a run leaves changed is a failure."""
        self.tells_all = False
        """Whether what is left changed is looked for even where it is no failure."""
        self._shows = alert
        self.failed_recordings: list[str] = []
        """Files of recordings that could not be written to their end."""
        self._left: list[ChangeNow] = []
        self._not_put_back: list[tuple[GatewayConnection, Revert]] = []

    async def put_back(self, connected: "GatewayConnection") -> None:
        """Put back what the timed writes of a connection wait to put back; report what could not be, once."""
        pending = connected.changes.pending
        # The end of a run waits for all of them; to close its connection waits no second time.
        if all((connected, each) in self._not_put_back for each in pending):
            return
        from zb_mom_ww_mxgateway_shell.output.revert_text import not_put_back_text  # Lazy: most time no write.

        self._alert(f"{counted(len(pending), 'timed write')} of {connected.name} put back now, before it is closed")
        for revert in await connected.changes.finish():
            self._not_put_back.append((connected, revert))
            self._alert(not_put_back_text(revert))

    async def leave(self, connected: "GatewayConnection") -> None:
        """Put back what is to be put back, and keep in mind what a connection that is about to be closed leaves."""
        await self.put_back(connected)
        if self.must_be_clean or self.tells_all:
            self._left += await connected.changes.now()

    async def replace(self, connected: "GatewayConnection") -> None:
        """Report what a connection leaves changed that another one has taken the place of."""
        for line in _lines_of(await connected.changes.left()):
            self._alert(f"left changed: {line}")

    async def left_changed(self, connections: "Iterable[GatewayConnection]") -> "list[ChangeNow]":
        """Put everything back now; return what is left changed, where that is a failure or is to be told."""
        here = list(connections)
        for each in here:
            await self.put_back(each)
        if not (self.must_be_clean or self.tells_all):
            return []
        return await self.changed(here)

    async def changed(self, connections: "Iterable[GatewayConnection]") -> "list[ChangeNow]":
        """Return what these connections have changed and not put back, and what those left that are closed."""
        return [*self._left, *[row for each in list(connections) for row in await each.changes.now()]]

    def failures(self, left: "Sequence[ChangeNow]") -> list[str]:
        """Return what is left changed, a line each, where that is a failure."""
        return _lines_of(left) if left and self.must_be_clean else []

    def _alert(self, text: str) -> None:
        # The terminal may be gone, which is why it is left: then what is to be put back still is.
        with suppress(OSError):
            self._shows(text)

    @property
    def not_put_back(self) -> str:
        """The tags of timed writes that were not put back before their connection was closed, nor since; or empty."""
        there = (revert.tag for connected, revert in self._not_put_back if connected.changes.is_on_disk(revert))
        return ", ".join(dict.fromkeys(there))


def _lines_of(rows: "Sequence[ChangeNow]") -> list[str]:
    from zb_mom_ww_mxgateway_shell.state.plant_changes import left_lines  # Lazy: a line alone needs no connection.

    return left_lines(rows)
