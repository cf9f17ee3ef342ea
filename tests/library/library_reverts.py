"""A plant, a live session and a disk in memory, for the timed writes of one connection."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

from zb_mom_ww_mxgateway import (
    DataType,
    LiveSession,
    LiveState,
    LiveValue,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayWriteBlockedError,
    PendingEntry,
    PendingWrite,
    Typed,
    WriteOutcome,
    WriteResult,
)
from zb_mom_ww_mxgateway.live.values import UnseenWrite
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.safety.changes import ChangeLedger
from zb_mom_ww_mxgateway.safety.revert_files import DamagedRevert, RevertFolder, RevertRecord
from zb_mom_ww_mxgateway.safety.reverts import RevertNews
from zb_mom_ww_mxgateway.safety.timed_reverts import TimedReverts
from zb_mom_ww_mxgateway.safety.write_note import current_note
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key

GOOD, BAD = 192, 0


class HandClock:
    """A clock that a test moves, awake or asleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def with_sleep(self) -> float:
        return self.now

    def without_sleep(self) -> float:
        return self.now - self.slept

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@contextmanager
def moved_by_hand() -> Iterator[HandClock]:
    made = HandClock()
    with clock.replaced(made):
        yield made


def held(value: Any, *, tag: str = "Tank1.SP", quality: int = GOOD, stale: bool = False) -> LiveValue:
    """A value of a whole number's tag as it is held."""
    return LiveValue(
        tag, value, quality, DataType.INTEGER, "VT_I4", (), 0, 1, 0.0, 0.0, stale_since=1.0 if stale else None
    )


class MemoryPlant:
    """Tags of whole numbers, and the part of a live session that timed writes use.

    It does what the write guard does at the moment of sending: it tells the ledger, and refuses where a value is no
    longer the expected one.
    """

    def __init__(self, **values: int) -> None:
        self.values: dict[str, tuple[int, str]] = {tag: (value, "plant") for tag, value in values.items()}
        """By tag: its value, and who wrote it."""
        self.outcomes: list[str] = []
        """Outcomes of the next writes; without one, it completes. ``unknown`` did not happen, ``happened`` did, and
        ``late`` may happen later."""
        self.before_sending: Callable[[], object] = lambda: None
        """Happens after a write was decided, before it is sent."""
        self.ledger = ChangeLedger()
        self.quality, self.is_stale, self.answers = GOOD, False, True
        self.state = LiveState.LIVE
        self.writes: list[tuple[str, int]] = []
        """What was sent."""
        self.notes: list[Any] = []
        self.replaced: list[tuple[str, str, bool]] = []
        """Of each write that happened: its tag, who had written the value that it replaced, and whether it reverts."""
        self.late: list[tuple[str, int]] = []
        """Writes of unknown outcome that may still happen."""
        self._items = {tag_key(tag): Item(tag, 1, number, advised=True) for number, tag in enumerate(values, 1)}
        self.session = SimpleNamespace(session_id="session-1", handles=SimpleNamespace(find=self.item))

    def item(self, tag: str, server: int | None = None) -> Item:
        return self._items[tag_key(tag)]

    def latest(self, server_handle: int, item_handle: int) -> LiveValue:
        item = next(each for each in self._items.values() if each.key == (server_handle, item_handle))
        return held(self.values[item.tag][0], tag=item.tag, quality=self.quality, stale=self.is_stale)

    def value_of(self, tag: str) -> LiveValue:
        return self.latest(*self.item(tag).key)

    def happens(self, tag: str, value: int, *, reverts: bool = False) -> None:
        """Have one of our writes happen."""
        self.replaced.append((tag, self.values[tag][1], reverts))
        self.values[tag] = value, "us"

    async def caught_up(self) -> bool:
        return self.answers

    def unseen_write(self, server_handle: int, item_handle: int) -> UnseenWrite | None:
        return None

    async def write_and_confirm(
        self, server_handle: int, item_handle: int, value: Typed, *, timeout: float = 30.0
    ) -> WriteResult:
        item = next(each for each in self._items.values() if each.key == (server_handle, item_handle))
        self.before_sending()
        note = current_note()
        self.notes.append(note)
        outcome = self.outcomes.pop(0) if self.outcomes else "completed"
        if outcome == "lost session":
            raise MxGatewaySessionError("the session was lost; nothing was sent")
        expected = note.expected.get(tag_key(item.tag))
        if outcome == "blocked" or (expected is not None and expected != self.values[item.tag][0]):
            raise MxGatewayWriteBlockedError("blocked locally: a test says so; nothing was sent")
        action = f"a-{len(self.writes)}"
        entry = PendingEntry(server_handle, item_handle, item.tag, value.sent)
        pending = PendingWrite("write", "gw:1", "session-1", action, (entry,))
        self.ledger.sent(pending, [self.value_of(item.tag)], who="anna")
        self.writes.append((item.tag, value.sent))
        await asyncio.sleep(0)
        if outcome in ("completed", "happened"):
            self.happens(item.tag, value.sent, reverts=note.reverts)
        if outcome == "late":
            self.late.append((item.tag, value.sent))
        state = "unknown" if outcome in ("happened", "late", "raised") else outcome
        self.ledger.result(action, 0, cast("Any", state))
        if outcome == "raised":
            raise MxGatewayError("the answer was lost", outcome_unknown=True)
        return WriteResult(WriteOutcome(state))


class MemoryFolder:
    """A disk on which what is there can be seen at every moment."""

    def __init__(self) -> None:
        self.files: dict[str, RevertRecord] = {}
        self.left: list[RevertRecord | DamagedRevert] = []
        self.error: OSError | None = None

    def save(self, record: RevertRecord) -> None:
        if self.error is not None:
            raise self.error
        self.files[record.key] = record

    def remove(self, key: str) -> None:
        if self.error is not None:
            raise self.error
        self.files.pop(key, None)

    def left_behind(self) -> list[RevertRecord | DamagedRevert]:
        return self.left

    def claim(self, key: str) -> RevertRecord | None:
        found = next((each for each in self.left if isinstance(each, RevertRecord) and each.key == key), None)
        if found is not None:
            self.left.remove(found)
            self.files[key] = found
        return found

    def close(self) -> None:
        pass


class RevertRig:
    """Timed writes on such a plant; nothing is looked at until a test says so."""

    def __init__(self, plant: MemoryPlant, folder: MemoryFolder | None = None, *, has_timer: bool = False) -> None:
        self.plant = plant
        self.folder = folder or MemoryFolder()
        self.news: list[RevertNews] = []
        self.reverts = TimedReverts(
            cast("LiveSession", plant),
            plant.ledger,
            cast("RevertFolder", self.folder),
            endpoint="gw:1",
            who="anna",
            on_news=self.news.append,
        )
        if not has_timer:
            self.reverts._run = lambda: None  # type: ignore[method-assign]  # A test says when it looks.

    @property
    def events(self) -> list[str]:
        """What happened, as words."""
        return [str(each.event) for each in self.news]

    async def write_for(self, tag: str, value: int, seconds: float) -> WriteResult:
        """Write a tag for a time."""
        item, typed = self.plant.item(tag), Typed("int32", value)

        async def send() -> WriteResult:
            return await self.plant.write_and_confirm(*item.key, typed)

        return await self.reverts.write(item, self.plant.value_of(tag), typed, seconds, send)

    async def write(self, tag: str, value: int) -> WriteResult:
        """Write a tag without a time."""
        return await self.plant.write_and_confirm(*self.plant.item(tag).key, Typed("int32", value))
