"""The journals of this process: that of the user's gateways, and that of the demo."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.journal import Journal
    from zb_mom_ww_mxgateway.safety.journal_chain import Head


class Journals:
    """Journals that were opened, each once. All connections of this process write to the same one."""

    def __init__(self, alert: Callable[[str], object]) -> None:
        """`alert` shows whom a line waits for."""
        self._alert = alert
        self._open: dict[bool, Journal] = {}

    def of(self, *, is_demo: bool) -> "Journal":
        """Return the journal for a connection; raise MxGatewayArgumentError where the user has no home.

        The demo has its own: what is tried out there is no record of a plant.
        """
        if is_demo not in self._open:
            from zb_mom_ww_mxgateway_console.connect.write_journal import open_journal  # Lazy: see above.

            self._open[is_demo] = made = open_journal("mxgw-shell", demo=is_demo)
            made.tell_wait = self._alert
        return self._open[is_demo]

    async def heads(self) -> "list[Head]":
        """Return the heads of the journals that this process wrote to, once everything so far is on the disk."""
        for each in self._open.values():
            await each.drained()
        return [each.head for each in self._open.values() if each.head.count]

    def own_counts(self) -> dict[bool, int]:
        """Return how many lines this process has written to each journal so far; raise JournalError."""
        return {is_demo: len(self._own(each)) for is_demo, each in self._open.items()}

    def own_lines(self, after: Mapping[bool, int] = MappingProxyType({})) -> "Iterator[dict[str, Any]]":
        """Yield the lines that this process has written, as they stand in the journals; raise JournalError.

        `after` are earlier counts: the lines that were there then are left out.
        """
        for is_demo, each in self._open.items():
            yield from islice(self._own(each), after.get(is_demo, 0), None)

    def _own(self, journal: "Journal") -> "list[dict[str, Any]]":
        from zb_mom_ww_mxgateway.safety.journal_actions import forms_of_frame  # Lazy: few runs need it.

        return forms_of_frame(journal.folder, journal.frame)

    async def aclose(self) -> "list[Head]":
        """Write what waits, close all and return their heads; raise JournalError if lines are lost."""
        journals, self._open = list(self._open.values()), {}
        return [await each.aclose() for each in journals]
