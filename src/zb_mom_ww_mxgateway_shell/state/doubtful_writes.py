"""Writes whose outcome is unknown, and what was seen of them since: such a write may still happen for a while."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import age_text, value_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue

MAY_STILL_HAPPEN = f"may still happen for up to {COMMAND_SECONDS:g} s"
_LATE_SECONDS = 15.0
"""How long after that time a value may still be on its way."""


@dataclass(eq=False, slots=True)
class UnknownWrite:
    """One write whose outcome is unknown. Times are monotonic seconds, by the library's clock."""

    item: Item
    value: object
    sent_at: float
    seen_at: float | None = field(default=None, init=False)
    """When the value was first seen after it was sent; None while it was not."""
    is_over: bool = field(default=False, init=False)
    """Whether it is too old to happen any more."""
    is_reported: bool = field(default=False, init=False)
    """Whether what was seen of it has been reported."""

    def text(self) -> str:
        """Return what is known of it by now."""
        value = f"the write of {value_text(self.value)}, whose outcome is unknown"
        if self.seen_at is not None:
            return f"{value}: the tag had that value {age_text(self.seen_at - self.sent_at)} after it was sent"
        if self.is_over:
            return f"{value}: that value was not seen within {COMMAND_SECONDS + _LATE_SECONDS:g} s after it was sent"
        left = self.sent_at + COMMAND_SECONDS - clock.monotonic()
        still = f"it may still happen for {age_text(left)}" if left > 0 else "it may just have happened"
        return f"{value}: not seen yet, {still}"

    def look(self, latest: "LiveValue | None") -> None:
        """Take the item's latest value."""
        if self.seen_at is not None or self.is_over:
            return
        is_new = latest is not None and latest.stale_since is None and latest.received_at >= self.sent_at
        if latest is not None and is_new and same_value(self.value, latest.value, data_type=latest.data_type):
            self.seen_at = latest.received_at
            return
        self.is_over = clock.monotonic() > self.sent_at + COMMAND_SECONDS + _LATE_SECONDS


class UnknownWrites:
    """The last write of each item of one live session, where its outcome is unknown."""

    def __init__(self, live: "LiveSession") -> None:
        self._live = live
        self._writes: dict[tuple[int, int], UnknownWrite] = {}

    def add(self, item: Item, value: object, sent_at: float) -> None:
        """Keep a write whose outcome is unknown."""
        self._writes[item.key] = UnknownWrite(item, value, sent_at)

    def forget(self, item: Item) -> None:
        """Forget the write to an item: a later one has an outcome."""
        self._writes.pop(item.key, None)

    def all(self) -> list[UnknownWrite]:
        """Return the writes of all items that are still there, with what has been seen by now."""
        items = self._live.session.handles.items
        self._writes = {key: write for key, write in self._writes.items() if items.get(key) is write.item}
        for key, write in self._writes.items():
            write.look(self._live.latest(*key))
        return list(self._writes.values())

    def news(self) -> list[str]:
        """Return what has been seen of these writes since the last call."""
        news = [write for write in self.all() if (write.seen_at is not None or write.is_over) and not write.is_reported]
        for write in news:
            write.is_reported = True
        return [f"{write.item.tag}   {write.text()}" for write in news]
