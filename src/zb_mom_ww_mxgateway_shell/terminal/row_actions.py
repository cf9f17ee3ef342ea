"""What a person can have done with a row of the full screen: a line of the prompt about its tag."""

from dataclasses import dataclass

from zb_mom_ww_mxgateway_shell.language.target_types import tag_text
from zb_mom_ww_mxgateway_shell.output.watch_view import WatchedItem

ACTIONS = {"w": "why", "t": "trend", "W": "write"}
"""Commands by their keys. No command begins with the key of a write: a line typed at the screen, as if it were the
prompt, writes nothing."""
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
    name, text = ACTIONS[key], tag_text(row.item.tag)
    if not row.is_current:
        return RowAction(f"{name} {row.table.name}:{text}", False) if name == _TAKES_CONNECTION else None
    if name != _TAKES_VALUE:
        return RowAction(f"{name} {text}", False)
    meant = row.table.live.session.handles.find(row.item.tag)
    if meant is not None and meant.server_handle != row.item.server_handle:
        text += f" --server {row.item.server_handle}"
    return RowAction(f"{name} {text} ", True)
