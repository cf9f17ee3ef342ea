"""Watching of items for a time or a number of samples; the front end shows it."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.live.values import LiveValue, copy_of
from zb_mom_ww_mxgateway.models.events import BufferedData, EventFamily
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample, samples_of
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, counted, safe
from zb_mom_ww_mxgateway_shell.feeds.paced import KEPT, older_remarks
from zb_mom_ww_mxgateway_shell.output.alignment import SampleColumns
from zb_mom_ww_mxgateway_shell.output.results import Sheet
from zb_mom_ww_mxgateway_shell.output.tag_texts import shown_value
from zb_mom_ww_mxgateway_shell.output.value_text import VALUE_COLUMNS, clock_text, sample_text, value_record
from zb_mom_ww_mxgateway_shell.output.watch_table import WatchTable
from zb_mom_ww_mxgateway_shell.output.watch_view import WatchView
from zb_mom_ww_mxgateway_shell.process.tasks import first_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Subscription, UnseenWrite

_WAITING = 10_000
_DATA = (EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE)


@dataclass(slots=True)
class Watch:
    """A watch to be followed, and when it ends by itself."""

    tables: Sequence[WatchTable]
    """The items of each connection."""
    duration: float | None = None
    """Seconds."""
    count: int | None = None
    """Number of samples: the current values, then every change."""
    waiting: int = _WAITING
    """Number of events that may wait to be shown; then the oldest are missed."""
    samples: int = 0
    kept: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """The newest samples, for a program."""
    missed: int = 0
    """Number of changes that came faster than they could be shown."""
    started: float = field(default_factory=clock.monotonic)
    panel: WatchView = field(init=False)
    columns: SampleColumns = field(init=False)
    """Columns of the lines."""

    def __post_init__(self) -> None:
        self.panel = WatchView(lambda: [(table, True) for table in self.tables])
        self.columns = SampleColumns(safe(each.tag) for each in self.panel.items)

    async def follow(self, show: Callable[[str], None]) -> "WatchResult":
        """Show the current values, then a line for every change with its own value, until the duration or count is
        reached.

        Raises the reason of the session's loss. Cancelling ends it; the counts stay in the object.
        """
        async with AsyncExitStack() as stack:
            streams = [(table, await stack.enter_async_context(self._events(table))) for table in self.tables]
            try:
                async with clock.timeout(self.duration):
                    for table in self.tables:
                        for item in table.items:
                            if value := table.value(item):
                                self.columns.fit(shown_value(value.value, table.texts.seen(item.tag, value.value)))
                    for table in self.tables:
                        for item in table.items:
                            if value := table.value(item):
                                self._take(table, item, value, show, table.unseen_write(item))
                    await first_of((self._changes(*each, show) for each in streams), is_over=lambda: self.is_over)
            except TimeoutError:
                pass
            finally:
                self.missed = sum(events.dropped for _, events in streams)
        return self.result()

    def _events(self, table: WatchTable) -> "Subscription":
        table.texts.want(item.tag for item in table.items)
        wanted = {item.key for item in table.items}
        return table.live.subscribe(
            lambda event: event.family in _DATA and (event.server_handle, event.item_handle) in wanted,
            queue_size=self.waiting,
        )

    async def _changes(self, table: WatchTable, events: "Subscription", show: Callable[[str], None]) -> None:
        """Show the changes of one connection until it is over, or its session is closed."""
        wanted = {item.key: item for item in table.items}
        while not self.is_over:
            try:
                event = await anext(events)
            except StopAsyncIteration:
                return
            item = wanted[event.server_handle, event.item_handle]
            for sample in samples_of(event):
                self._take(table, item, _value_of(item, sample), show)

    @property
    def is_over(self) -> bool:
        return self.count is not None and self.samples >= self.count

    def _take(
        self,
        table: WatchTable,
        item: Item,
        value: LiveValue,
        show: Callable[[str], None],
        unseen: "UnseenWrite | None" = None,
    ) -> None:
        """Show a sample and keep it, unless there are as many as were asked for."""
        if self.is_over:
            return
        self.samples += 1
        facts, shown = table.texts.seen(item.tag, value.value), table.shown(item)
        self.kept.append(value_record(shown, value, unseen, facts))
        show(f"{clock_text(value.received_at)}   {sample_text(shown, value, unseen, facts, columns=self.columns)}")

    def result(self) -> "WatchResult":
        """Return the result so far."""
        return WatchResult(self, clock.monotonic() - self.started)

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        """Return as many lines of the values now as fit a screen of this size."""
        lines = self.panel.lines(columns, rows - 1, more="and {} more")
        return [[(mood, line)] for line, mood in [*lines, ("  Ctrl-C ends", "good")]]


def _value_of(item: Item, sample: Sample) -> LiveValue:
    """Return a sample as the value that it was when it arrived."""
    event = sample.event
    value = LiveValue.of(event, item.tag, 0)
    assert value is not None  # An event with a sample always has one.
    if isinstance(event.body, BufferedData):
        waited = (
            event.gateway_receive_time_ns - sample.source_time_ns
            if sample.source_time_ns and event.gateway_receive_time_ns
            else 0
        )
        value = replace(
            value,
            value=sample.value,
            quality=sample.quality,
            source_time_ns=sample.source_time_ns,
            age_when_received=max(0, waited) / 1e9,
        )
    if item.suspended:
        value.stale_since = value.received_at
    return value


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What a watch has shown."""

    watch: Watch
    seconds: float
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        """The last values in the order of the items."""
        return [value and value.value for value in self._values()]

    @property
    def returned(self) -> list[LiveValue | None]:
        """The last values with their quality, in the order of the items."""
        return [value and copy_of(value) for value in self._values()]

    def lines(self) -> list[str]:
        missed = f", {self.watch.missed} missed" if self.watch.missed else ""
        return [f"{counted(self.watch.samples, 'sample')} in {age_text(self.seconds)}{missed}"]

    def form(self) -> Any:
        return {
            "items": [self.watch.panel.record(item) for item in self.watch.panel.items],
            "kept": len(self.watch.kept),
            "missed": self.watch.missed,
            "samples": list(self.watch.kept),
            "seconds": round(self.seconds, 3),
            "seen": self.watch.samples,
        }

    def sheet(self) -> Sheet:
        missed = f"{self.watch.missed} MISSED: they came faster than they could be taken"
        remarks = older_remarks(self.watch.samples, len(self.watch.kept), "samples")
        return Sheet(VALUE_COLUMNS, list(self.watch.kept), [*remarks, *([missed] if self.watch.missed else [])])

    def _values(self) -> list[LiveValue | None]:
        return [self.watch.panel.value(item) for item in self.watch.panel.items]
