"""What any part of the shell may tell the record of a run, where one is kept."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection


class RunEntries(Protocol):
    """The record of the present run."""

    is_shown: bool
    """Whether standard output is one of the places where it goes."""

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add an entry, which has a ``command`` that says what it is; without ``at`` it gets the present time.

        It never raises: the record is reported as broken at the end of the run.
        """

    def add_statement(self, entry: Mapping[str, Any], samples: Any = None) -> None:
        """Add a statement that has ended, and the samples that its result or its error has."""

    async def opened(self, connected: "GatewayConnection") -> None:
        """Add what is known of a connection that was opened."""
