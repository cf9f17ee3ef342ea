"""Following something that comes faster than a person reads: paced, ended in time, and nothing left out unsaid."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text

T = TypeVar("T")

KEPT = 10_000
"""The newest so many are in a feed's result."""
_LINES = 20
_PACE_SECONDS = 0.1


@dataclass(slots=True)
class PacedFeed(Generic[T]):
    """A feed of things that come in batches: shown as lines until its end."""

    what: str
    """What they are called: ``events``."""
    batches: Callable[[], Awaitable[list[T]]]
    """Waits for more; empty at the end."""
    text: Callable[[T], str]
    form: Callable[[T], dict[str, Any]]
    dropped: Callable[[], int]
    """How many have been lost to slowness here."""
    close: Callable[[], Awaitable[None]]
    duration: float | None = None
    """Seconds."""
    count: int | None = None
    is_paced: bool = False
    """For a person: no more lines at a time than can be seen, and how many there were besides."""
    seen: int = 0
    hidden: int = 0
    started: float = field(default_factory=clock.monotonic)
    kept: deque[T] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def follow(self, show: Callable[[str], None]) -> "PacedResult":
        """Shows them until the duration or count is reached; raises what they were lost to."""
        if self.is_paced and self.duration is None and self.count is None:
            # There may be nothing to show for a long time.
            show("  Ctrl-C ends")
        try:
            async with clock.timeout(self.duration):
                while self.count is None or self.seen < self.count:
                    batch = await self.batches()
                    if not batch:
                        break
                    self._show(batch, show)
                    # Where they never stop coming, others must get their turn all the same.
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
        """What has been seen so far."""
        return PacedResult(
            self.what,
            self.seen,
            self.hidden,
            self.dropped(),
            clock.monotonic() - self.started,
            [self.form(each) for each in self.kept],
        )


@dataclass(frozen=True, slots=True)
class PacedResult:
    """What a flow has brought."""

    what: str
    seen: int
    hidden: int
    dropped: int
    seconds: float
    records: list[dict[str, Any]]
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return self.records

    def lines(self) -> list[str]:
        said = [f"{self.seen} {self.what} in {age_text(self.seconds)}"]
        said += [f"{self.hidden} not shown"] if self.hidden else []
        said += [f"{self.dropped} DROPPED here: they came faster than they could be taken"] if self.dropped else []
        return [", ".join(said)]

    def form(self) -> Any:
        return {
            "dropped": self.dropped,
            self.what: self.records,
            "kept": len(self.records),
            "seconds": round(self.seconds, 3),
            "seen": self.seen,
        }
