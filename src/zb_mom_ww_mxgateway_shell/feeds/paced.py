"""Feeds that are faster than a person reads: paced, limited in time and number, with a count of what is not shown."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text
from zb_mom_ww_mxgateway_shell.output.results import Sheet

T = TypeVar("T")

KEPT = 10_000
"""Number of newest entries in a feed's result."""
_LINES = 20
_PACE_SECONDS = 0.1


@dataclass(slots=True)
class PacedFeed(Generic[T]):
    """A feed of batches, shown as lines until its end."""

    what: str
    """The name of its entries: ``events``."""
    batches: Callable[[], Awaitable[list[T]]]
    """Waits for the next batch; an empty one is the end."""
    text: Callable[[T], str]
    form: Callable[[T], dict[str, Any]]
    dropped: Callable[[], int]
    """Number of entries lost because they came faster than they were taken."""
    close: Callable[[], Awaitable[None]]
    columns: Sequence[str]
    """The keys of the form of every entry."""
    duration: float | None = None
    """Seconds."""
    count: int | None = None
    is_paced: bool = False
    """For a person: show no more lines at a time than can be read, and how many are left out."""
    seen: int = 0
    hidden: int = 0
    started: float = field(default_factory=clock.monotonic)
    kept: deque[T] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def follow(self, show: Callable[[str], None]) -> "PacedResult":
        """Show entries until the duration or count is reached; raise the reason of a loss."""
        if self.is_paced and self.duration is None and self.count is None:
            # It may take long until there is a line to show.
            show("  Ctrl-C ends")
        try:
            async with clock.timeout(self.duration):
                while self.count is None or self.seen < self.count:
                    batch = await self.batches()
                    if not batch:
                        break
                    self._show(batch, show)
                    # An endless feed still lets other tasks run.
                    await asyncio.sleep(_PACE_SECONDS if self.is_paced else 0)
        except TimeoutError:
            pass
        finally:
            await self.close()
        return self.result()

    def _show(self, batch: list[T], show: Callable[[str], None]) -> None:
        if self.count is not None:
            batch = batch[: self.count - self.seen]
        self.seen += len(batch)
        self.kept.extend(batch)
        shown = batch[:_LINES] if self.is_paced else batch
        for each in shown:
            show(self.text(each))
        if len(shown) < len(batch):
            self.hidden += len(batch) - len(shown)
            show(f"          … {len(batch) - len(shown)} more at that moment, not shown")

    def result(self) -> "PacedResult":
        """Return the result so far."""
        return PacedResult(
            self.what,
            self.seen,
            self.hidden,
            self.dropped(),
            clock.monotonic() - self.started,
            [self.form(each) for each in self.kept],
            self.columns,
        )


def older_remarks(seen: int, kept: int, what: str) -> list[str]:
    """Return that the older entries of a feed are not in its result; nothing where they are."""
    return [f"{seen} {what}, of which the newest {kept} are here"] if kept < seen else []


@dataclass(frozen=True, slots=True)
class PacedResult:
    """What a feed has shown."""

    what: str
    seen: int
    hidden: int
    dropped: int
    seconds: float
    records: list[dict[str, Any]]
    columns: Sequence[str]
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return self.records

    def lines(self) -> list[str]:
        parts = [f"{self.seen} {self.what} in {age_text(self.seconds)}"]
        parts += [f"{self.hidden} not shown"] if self.hidden else []
        parts += [f"{self.dropped} DROPPED here: they came faster than they could be taken"] if self.dropped else []
        return [", ".join(parts)]

    def sheet(self) -> Sheet:
        dropped = f"{self.dropped} DROPPED here: they came faster than they could be taken"
        remarks = [*older_remarks(self.seen, len(self.records), self.what), *([dropped] if self.dropped else [])]
        return Sheet(self.columns, self.records, remarks)

    def form(self) -> Any:
        return {
            "dropped": self.dropped,
            self.what: self.records,
            "kept": len(self.records),
            "seconds": round(self.seconds, 3),
            "seen": self.seen,
        }
