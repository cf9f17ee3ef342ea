"""Accepted writes: after a delay each is checked, carried out and completed."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.model import USER_CATEGORIES, Attribute, Security
from zb_mom_ww_mxgateway_sim.plant.point_store import Binding, Point, PointStore
from zb_mom_ww_mxgateway_sim.plant.status import Status
from zb_mom_ww_mxgateway_sim.plant.tag_patterns import TagPattern
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, NativeType, Value, coerce, coerce_scalar
from zb_mom_ww_mxgateway_sim.plant.write_refusals import WriteRefusals
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource, moment, nanoseconds
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue
from zb_mom_ww_mxgateway_sim.wire.codec import UndecodableValue


class Clearance(IntEnum):
    """Users behind a write: no known one, one, or two different ones."""

    PLAIN = 0
    SECURED = 1
    VERIFIED = 2


# Clearance that a security classification needs; the others take any write.
_NEEDED_CLEARANCE = {
    Security.SECURED_WRITE: (Clearance.SECURED, status.SECURED_WRITE_NEEDED),
    Security.VERIFIED_WRITE: (Clearance.VERIFIED, status.VERIFIED_WRITE_NEEDED),
}


@dataclass(frozen=True, slots=True)
class WriteAuthor:
    """The users behind a write, and the clearance that follows."""

    user_id: int = 0
    verifier_id: int = 0
    clearance: Clearance = Clearance.PLAIN


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One write that reached the plant, with the value as the tag took it."""

    tag: str
    value: Value
    user_id: int
    time: datetime
    verifier_id: int = 0


Completed = Callable[[tuple[Status, ...]], None]
WriteListener = Callable[[WriteRecord], None]


@dataclass(frozen=True, slots=True)
class _Listener:
    pattern: TagPattern
    call: WriteListener
    stores: bool


class WriteQueue:
    """Carries out accepted writes in the order in which they arrived."""

    def __init__(
        self, timers: TimerQueue, points: PointStore, refusals: WriteRefusals, clock: TimeSource, delay: float
    ) -> None:
        self._timers = timers
        self._points = points
        self._refusals = refusals
        self._clock = clock
        self._delay = delay
        self._holding = False
        self._held: deque[Callable[[], None]] = deque()
        self._listeners: list[_Listener] = []
        self.records: deque[WriteRecord] = deque(maxlen=10_000)

    def listen(self, pattern: TagPattern, listener: WriteListener, *, stores: bool) -> None:
        """Call ``listener`` for each write to these tags. Without ``stores`` they do not take the written value."""
        self._listeners.append(_Listener(pattern, listener, stores))

    def accept(
        self,
        binding: Binding,
        value: Callable[[], object],
        completed: Completed,
        *,
        author: WriteAuthor,
        time_ns: int | None = None,
    ) -> None:
        """Accept a write. ``value`` may raise UndecodableValue. ``completed`` is called with the outcome."""

        def carry_out() -> None:
            outcome = self._check(binding, value, author.clearance)
            outcome_status = outcome if isinstance(outcome, Status) else status.OK
            if self._holding:
                self._held.append(lambda: completed((outcome_status,)))
            else:
                completed((outcome_status,))
            if not isinstance(outcome, Status) and binding.point is not None:
                self._carry_out(binding.point, outcome.value, author, time_ns)

        self._timers.after(self._delay, carry_out)

    def hold(self) -> None:
        """Withhold every completion from now on. The writes still take effect."""
        self._holding = True

    def release(self) -> None:
        """Send the withheld completions in order, and withhold no more."""
        self._holding = False
        while self._held:
            self._held.popleft()()

    def _check(self, binding: Binding, value: Callable[[], object], clearance: Clearance) -> "Status | _Accepted":
        point = binding.point
        if binding.fault is not None or point is None:
            return binding.fault or status.NO_SUCH_REFERENCE
        refused = _security(point, clearance) or self._refusals.of(point.reference)
        if refused is not None:
            return refused
        try:
            held = _held_value(binding, point, value())
            return _Accepted(held) if _is_within(point.attribute, held) else status.OUT_OF_RANGE
        except CoercionError as error:
            return status.OUT_OF_RANGE if error.out_of_range else status.WRONG_TYPE
        except UndecodableValue:
            return status.WRONG_TYPE
        except IndexError:
            return status.INDEX_OUT_OF_RANGE

    def _carry_out(self, point: Point, value: Value, author: WriteAuthor, time_ns: int | None) -> None:
        now = moment(self._clock.now())
        record = WriteRecord(point.reference, value, author.user_id, now, author.verifier_id)
        self.records.append(record)
        listeners = [each for each in self._listeners if each.pattern.matches(point.reference)]
        self._points.keep(point)
        point.moves = False
        point.forced = point.led = False
        if not all(each.stores for each in listeners):
            pass
        elif point.on_write is not None:
            point.on_write(value)
        else:
            point.update(value, self._clock.now() if time_ns is None else time_ns)
        for each in listeners:
            each.call(record)


@dataclass(frozen=True, slots=True)
class _Accepted:
    value: Value


def _security(point: Point, clearance: Clearance) -> Status | None:
    attribute = point.attribute
    if attribute.category not in USER_CATEGORIES or attribute.security is Security.VIEW_ONLY:
        return status.WRITE_DENIED
    needed, refused = _NEEDED_CLEARANCE.get(attribute.security, (Clearance.PLAIN, None))
    return refused if clearance < needed else None


def _is_within(attribute: Attribute, value: Value) -> bool:
    """Return whether each number of a value is within the attribute's range."""
    if attribute.low is None and attribute.high is None:
        return True
    return all(
        (attribute.low is None or element >= attribute.low) and (attribute.high is None or element <= attribute.high)
        for element in (value if isinstance(value, tuple) else (value,))
        if isinstance(element, int | float)
    )


def _held_value(binding: Binding, point: Point, value: object) -> Value:
    attribute = point.attribute
    if binding.element is None:
        return coerce(value, attribute.type, array=attribute.is_array)
    elements = list(point.value) if isinstance(point.value, tuple) else []
    if not 0 <= binding.element < len(elements):
        raise IndexError(binding.element)
    elements[binding.element] = coerce_scalar(value, attribute.type)
    return tuple(elements)


def source_time(value: object) -> int | None:
    """Return a write's own time in nanoseconds; None for null. Raise CoercionError if it is not a time."""
    if value is None:
        return None
    time = coerce_scalar(value, NativeType.TIME)
    return nanoseconds(time) if isinstance(time, datetime) else None
