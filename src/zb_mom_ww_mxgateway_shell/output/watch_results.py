"""Results of a watch at the prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.output.results import Sheet
from zb_mom_ww_mxgateway_shell.output.value_text import VALUE_COLUMNS
from zb_mom_ww_mxgateway_shell.output.watch_view import WatchedItem, WatchView


@dataclass(frozen=True, slots=True)
class FullScreen:
    """A watch that fills the screen; a line of text where there is no screen."""

    panel: WatchView
    text: str
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return watch_values(self.panel, self.panel.items)

    def lines(self) -> list[str]:
        return [self.text]

    def form(self) -> Any:
        return watch_fields(self.panel)

    def sheet(self) -> Sheet:
        return watch_sheet(self.panel)


def watch_fields(panel: WatchView) -> dict[str, Any]:
    """Return all watched items for JSON."""
    return {"items": [panel.record(item) for item in panel.items]}


def watch_sheet(panel: WatchView) -> Sheet:
    """Return all watched items as rows."""
    return Sheet(VALUE_COLUMNS, watch_fields(panel)["items"])


def watch_values(panel: WatchView, items: Sequence[WatchedItem]) -> list[Any]:
    """Return the latest values of these items; None for an item without one."""
    return [(held := panel.value(item)) and held.value for item in items]
