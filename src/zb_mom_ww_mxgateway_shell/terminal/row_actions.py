"""What a person can have done with a row of the full screen: a line of the prompt about its tag."""

from dataclasses import dataclass

from zb_mom_ww_mxgateway_shell.language.variables import literal_text
from zb_mom_ww_mxgateway_shell.output.watch_view import WatchedItem

ACTIONS = {"w": "why", "t": "trend", "e": "write"}
"""Commands by their keys."""
_TAKES_CONNECTION = "trend"
_TAKES_VALUE = "write"


@dataclass(frozen=True, slots=True)
class RowAction:
    """A line about a row."""

    line: str
    is_begun: bool
    """Whether a person ends it: a value is missing."""


def action_of(key: str, row: WatchedItem) -> RowAction | None:
    """Return the line for a key; None where another connection has to be made the current one first."""
    name = ACTIONS[key]
    if row.is_current:
        text = literal_text(row.item.tag)
        return RowAction(f"{name} {text} ", True) if name == _TAKES_VALUE else RowAction(f"{name} {text}", False)
    return RowAction(f"{name} {row.tag}", False) if name == _TAKES_CONNECTION else None
