"""Watching items: what a watch follows, and how a row of it looks. Shown by the front end."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.handles import Item
from zb_mom_ww_mxgateway_cli.output import ExitCode, age_text, value_text
from zb_mom_ww_mxgateway_shell.bars import bars
from zb_mom_ww_mxgateway_shell.results import table_lines
from zb_mom_ww_mxgateway_shell.values_said import freshness, quality_text, sample_text, value_record

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue

HEADINGS = ("item", "tag", "value", "quality", "age", "changes")
_VALUE_WIDTH = 40


@dataclass(slots=True)
class Watch:
    """A watch about to begin: what it follows, and when it ends by itself."""

    live: "LiveSession"
    items: list[Item]
    duration: float | None = None
    """Seconds."""
    count: int | None = None
    """Samples: the values held at the start, then every change."""
    samples: int = 0
    missed: int = 0
    """Changes that came faster than they could be shown."""
    started: float = field(default_factory=time.monotonic)
    history: dict[tuple[int, int], deque[float]] = field(default_factory=dict)

    async def follow(self, show: Callable[[str], None]) -> "Watched":
        """Shows the values held, then every change, a line each, until the duration or count is reached.

        Raises what the session was lost to. Cancelling ends it; what was seen stays in the object.
        """
        wanted = {item.key: item for item in self.items}
        with_events = self.live.subscribe(lambda event: (event.server_handle, event.item_handle) in wanted)
        async with with_events as events:
            try:
                async with asyncio.timeout(self.duration):
                    for item in self.items:
                        if (value := self.live.latest(*item.key)) and self._sample(item, value.value):
                            show(sample_text(item, value))
                    while not self.is_over:
                        event = await anext(events)
                        item = wanted[event.server_handle, event.item_handle]
                        value = self.live.latest(*item.key)
                        if event.family == 1 and value and self._sample(item, event.value):
                            show(sample_text(item, value))
            except TimeoutError:
                pass
            except StopAsyncIteration:
                pass
            self.missed = events.dropped
        return self.result()

    @property
    def is_over(self) -> bool:
        return self.count is not None and self.samples >= self.count

    def _sample(self, item: Item, value: Any) -> bool:
        if self.is_over:
            return False
        self.samples += 1
        if isinstance(value, int | float) and math.isfinite(value):
            self.history.setdefault(item.key, deque(maxlen=12)).append(float(value))
        return True

    def result(self) -> "Watched":
        """What has been seen so far."""
        return Watched(self, time.monotonic() - self.started)

    def row(self, item: Item) -> list[str]:
        """The item's cells under HEADINGS."""
        value = self.live.latest(*item.key)
        if value is None:
            return [str(item.item_handle), item.tag, "", "no value yet", "", ""]
        text = value_text(value.value)
        return [
            str(item.item_handle),
            item.tag,
            text if len(text) <= _VALUE_WIDTH else text[: _VALUE_WIDTH - 1] + "…",
            quality_text(value),
            freshness(value, item),
            self._bars(item),
        ]

    def lines(self) -> list[str]:
        """The table as it stands."""
        return table_lines(HEADINGS, [self.row(item) for item in self.items])

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        """The table as it stands, for a screen of this size."""
        state = self.live.state.value
        lost = [] if state == "live" else [f"  {state}: {self.live.lost}"]
        return [[("", line)] for line in [*self.lines(), *lost, "  Ctrl-C ends"]]

    def _bars(self, item: Item) -> str:
        return bars(self.history.get(item.key, ()))


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch has seen."""

    watch: Watch
    seconds: float
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        """The last values, in the order of the items."""
        return [value and value.value for value in self._values()]

    def lines(self) -> list[str]:
        missed = f", {self.watch.missed} missed" if self.watch.missed else ""
        return [f"{self.watch.samples} samples in {age_text(self.seconds)}{missed}"]

    def form(self) -> Any:
        return {
            "items": [value_record(item, value) for item, value in zip(self.watch.items, self._values(), strict=True)],
            "missed": self.watch.missed,
            "samples": self.watch.samples,
            "seconds": round(self.seconds, 3),
        }

    def _values(self) -> list["LiveValue | None"]:
        return [self.watch.live.latest(*item.key) for item in self.watch.items]
