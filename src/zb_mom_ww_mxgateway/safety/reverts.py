"""Timed writes: a value that is put back after a time unless it is kept. States alone: nothing is read or sent here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.kept_secrets import holds_kept
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.safety.changes import (
    SentValue,
    Standing,
    WriteState,
    standing_of,
    values_of,
)
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.values import Typed

LONGEST_SECONDS = 8 * 3600.0
"""The longest time after which a timed write is put back."""
_LEAST_SECONDS = 0.1


class RevertStage(StrEnum):
    """Stage of a revert."""

    PENDING = "pending"
    """It is made when its time comes."""
    MAKING = "making"
    """It is being sent."""
    MADE = "made"
    """It completed, and an earlier write of the tag may still be carried out."""
    DOUBTFUL = "doubtful"
    """It was sent, and its outcome is unknown. It is not sent again."""
    QUESTION = "question"
    """The tag has a value that is not ours: only a person decides."""
    FAILED = "failed"
    """It was refused, here or there: only a person tries again."""


class RevertVerdict(Enum):
    """What to do with a revert whose time has come."""

    MAKE = "make"
    """The present value is ours: put the first one back."""
    WAIT = "wait"
    """Look again later: a write is under way or may still happen, or the present value is not known."""
    DONE = "done"
    """The tag has its first value, or had it once the revert completed."""
    ASK = "ask"
    """The present value is somebody else's, and stays."""
    FAIL = "fail"
    """The revert had no effect."""


class RevertEvent(StrEnum):
    """Something that happened to a revert."""

    ARMED = "armed"
    """Its write was not refused: it is made when its time comes."""
    VOID = "void"
    """Its write was refused: there is nothing to put back."""
    MADE = "made"
    """The first value was put back."""
    BACK = "back"
    """The tag had its first value again already: nothing was sent."""
    KEPT = "kept"
    """A person ended it."""
    DELAYED = "delayed"
    """It is due, and cannot be made yet: `why` says what it waits for."""
    ASKS = "asks"
    """The tag has somebody else's value, which stays: a person decides."""
    FAILED = "failed"
    """It could not be made: `why` says why. A person tries again."""
    UNSURE = "unsure"
    """It was sent, and its outcome is unknown."""
    SLEPT = "slept"
    """The machine slept beyond its time: it is due now. `why` has the seconds."""
    UNSAVED = "unsaved"
    """Its file could not be written or removed: `why` says why."""


@dataclass(slots=True)
class TimedWrite(SentValue):
    """One write that is to be put back."""

    seconds: float
    due_at: float
    """Monotonic seconds, by the library's clock."""
    due: datetime
    """The time of day at which it is due, for a person."""


@dataclass(slots=True)
class Revert:
    """The revert of one tag, with the writes that it puts back.

    It keeps the value from before the first of them. Later writes of this connection to the tag, timed or not, are its
    own too; the time of the last timed one that was not refused counts.
    """

    key: str
    """Name among all reverts of this user."""
    tag: str
    original: Typed
    who: str
    written_at: datetime
    stage: RevertStage = RevertStage.PENDING
    why: str = ""
    """Why it is a question, or has failed."""
    reason: str = ""
    """Reason that was given for the timed write."""
    writes: list[SentValue] = field(default_factory=list)
    _attempt: SentValue | None = None

    def begin(self, value: object, seconds: float) -> TimedWrite:
        """Add a timed write that is about to be sent; raise MxGatewayArgumentError for an invalid time."""
        if not _LEAST_SECONDS <= seconds <= LONGEST_SECONDS:
            most = f"{LONGEST_SECONDS / 3600:g} h"
            raise MxGatewayArgumentError(f"a timed write lasts at least {_LEAST_SECONDS:g} s and at most {most}")
        if holds_kept(getattr(value, "value", value)) or holds_kept(self.original.value):
            raise MxGatewayArgumentError("a timed write keeps its values in a file, and one of them is a secret")
        now = clock.monotonic()
        write = TimedWrite(value, now, "sent", seconds, now, datetime.now(UTC))
        _let_begin(write, now)
        self.writes.append(write)
        return write

    def note(self, write: SentValue) -> None:
        """Add a write of this connection to the tag that is being sent; its state changes later.

        The time of a timed write begins here, where it is sent.
        """
        for each in self._timed():
            if each.state == "sent" and is_as_written(each.value, write.value):
                _let_begin(each, write.sent_at)
        self.writes.append(write)

    def end(self, write: TimedWrite, state: WriteState) -> None:
        """Note the outcome of a timed write."""
        write.state = state

    def hurry(self) -> None:
        """Let its time be over."""
        for each in self._timed():
            each.due_at = min(each.due_at, clock.monotonic())

    def reopen(self) -> None:
        """Let its time be over, also where it waits for a person."""
        if self.stage in (RevertStage.QUESTION, RevertStage.FAILED):
            self.stop(RevertStage.PENDING, "")
        self.hurry()

    def adopt(self, ours: Sequence[object], sent_at: float, due: datetime) -> None:
        """Take over the writes of another process, whose outcome and time are its own: they are never due here."""
        self.writes = [TimedWrite(each, sent_at, "unknown", 0.0, math.inf, due) for each in ours]

    def _timed(self) -> list[TimedWrite]:
        return [each for each in self.writes if isinstance(each, TimedWrite) and not each.changed_nothing]

    @property
    def is_void(self) -> bool:
        """Whether every timed write was refused: then there is nothing to put back."""
        return not self._timed()

    @property
    def due_at(self) -> float:
        """Monotonic seconds at which it is due, by the library's clock; infinite while a timed write is under way."""
        timed = self._timed()
        return math.inf if not timed or any(each.state == "sent" for each in timed) else timed[-1].due_at

    @property
    def planned_at(self) -> float:
        """Monotonic seconds at which it is due, as if a write that is under way had been accepted."""
        timed = self._timed()
        return timed[-1].due_at if timed else math.inf

    @property
    def planned(self) -> datetime:
        """The time of day of :attr:`planned_at`; the time of writing where nothing is to be put back."""
        timed = self._timed()
        return timed[-1].due if timed else self.written_at

    @property
    def is_due(self) -> bool:
        """Whether it is to be made now, if its verdict says so. A question or a failure waits for a person."""
        if self.stage in (RevertStage.DOUBTFUL, RevertStage.MADE):
            return True
        return self.stage is RevertStage.PENDING and self.due_at <= clock.monotonic()

    @property
    def ours(self) -> Sequence[object]:
        """Values that the tag may have because of these writes, besides the first one."""
        return [each for each in values_of(self.writes) if not is_as_written(each, self.original.sent)]

    @property
    def may_still_happen_for(self) -> float:
        """Seconds for which the gateway may still write another value than the first one."""
        others = (each for each in self.writes if not is_as_written(each.value, self.original.sent))
        return max((each.may_still_happen_for for each in others), default=0.0)

    def standing(self, present: LiveValue | None) -> Standing:
        """Compare the present value with the first one and with ours."""
        return standing_of(present, self.original.sent, self.ours)

    def verdict(self, present: LiveValue | None, *, is_unseen: bool = False) -> RevertVerdict:
        """Return what to do now. `is_unseen` if the present value may be from before the last write."""
        if self.stage is RevertStage.MAKING or any(each.state == "sent" for each in self._timed()):
            return RevertVerdict.WAIT
        standing, stays = self.standing(present), not self.may_still_happen_for
        if self.stage is RevertStage.MADE:
            if stays or standing is Standing.ANOTHER:
                return RevertVerdict.DONE
            return RevertVerdict.MAKE if standing is Standing.OURS and not is_unseen else RevertVerdict.WAIT
        is_doubtful = self.stage is RevertStage.DOUBTFUL
        match standing:
            case Standing.UNSURE:
                return RevertVerdict.WAIT
            case Standing.ANOTHER:
                return RevertVerdict.ASK
            case Standing.BEFORE:
                return RevertVerdict.DONE if stays and (is_doubtful or not is_unseen) else RevertVerdict.WAIT
            case Standing.OURS if is_doubtful:
                is_open = self._attempt is not None and self._attempt.may_still_happen_for > 0
                return RevertVerdict.WAIT if is_open else RevertVerdict.FAIL
        return RevertVerdict.MAKE

    def make(self) -> None:
        """Note that the first value is about to be written."""
        self.stage, self.why = RevertStage.MAKING, ""
        self._attempt = SentValue(self.original.sent, clock.monotonic(), "sent")

    def made(self, state: WriteState, why: str = "") -> None:
        """Note the outcome of that write. One that was certainly not sent leaves the revert pending."""
        assert self._attempt is not None
        self._attempt.state, self.why = state, "" if state == "completed" else why
        self.stage = {
            "completed": RevertStage.MADE,
            "not sent": RevertStage.PENDING,
            "refused": RevertStage.FAILED,
        }.get(state, RevertStage.DOUBTFUL)
        if state == "completed":
            self.writes.append(self._attempt)

    def stop(self, stage: RevertStage, why: str) -> None:
        """Leave it to a person."""
        self.stage, self.why = stage, why


def _let_begin(write: TimedWrite, now: float) -> None:
    """Let the time of a write begin now."""
    write.sent_at, write.due_at = now, now + write.seconds
    write.due = datetime.now(UTC) + timedelta(seconds=write.seconds)


@dataclass(frozen=True, slots=True)
class RevertNews:
    """News of one revert."""

    event: RevertEvent
    revert: Revert
    present: LiveValue | None = None
    """The value that the tag has, where that matters."""
    why: str = ""
