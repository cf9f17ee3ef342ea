"""What any part of the shell may tell the record of a run, where one is kept."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from zb_mom_ww_mxgateway_shell.state.file_state import FileState

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

NEWS = "news"
"""The ``command`` of what happens to a connection by itself."""
RUN_FILE = "run-file"
"""The ``command`` of a file that a line read, where ``run-begin`` does not have it."""


class RunEntries(Protocol):
    """The record of the present run."""

    is_shown: bool
    """Whether standard output is one of the places where it goes."""

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add an entry, which has a ``command`` that says what it is; without ``at`` it gets the present time.

        A place that takes no more is reported at the end of the run; what is no JSON raises TypeError or ValueError,
        and is left out.
        """

    def add_statement(self, entry: Mapping[str, Any], samples: Any = None) -> None:
        """Add a statement that has ended, and the samples that its result or its error has."""

    async def opened(self, connected: "GatewayConnection") -> None:
        """Add what is known of a connection that was opened."""


def add_news(record: RunEntries | None, file: FileState, connection: str, kind: str, text: str, **facts: Any) -> None:
    """Add what happened to a connection by itself to the record of the run, if one is kept.

    `file` knows the step; `kind` is a word for programs, `text` one line for a person.
    """
    if record is not None:
        of_step = {"id": file.step_id or None, "step": file.step or None}
        entry = {"command": NEWS, "connection": connection, "kind": kind, "text": text}
        record.add({**entry, **of_step, **facts})
