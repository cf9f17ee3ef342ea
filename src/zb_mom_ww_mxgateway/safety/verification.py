"""Verification of a write: whether the tag has the value that was written, by the event stream or by a fresh read."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError, MxGatewayWaitError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.models.results import ReadResult
from zb_mom_ww_mxgateway.safety.fresh_values import read_afresh
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import MxValueInput

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.session import LiveSession
    from zb_mom_ww_mxgateway.safety.desk import WriteDesk

VERIFY_SECONDS: Final = 5.0
"""Seconds until the tag is read afresh, if the stream has not shown the value by then."""
_READ_SECONDS = 5.0
"""Seconds for the fresh read itself."""

SeenValue: TypeAlias = LiveValue | ReadResult
"""A value as the stream brought it, or as a fresh read did."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a verification saw of the tag after the write."""

    is_as_written: bool
    value: SeenValue | None
    """The value that decided it; None where the tag has none, or it could not be had."""
    within: float
    """Seconds that the stream had to bring the value."""
    tolerance: float | None
    """How far a real may differ; None for the precision of its type."""
    problem: str = ""
    """Why no value could be judged; empty where one was."""

    @property
    def was_read(self) -> bool:
        """Whether the value was read afresh, not brought by the stream."""
        return isinstance(self.value, ReadResult)


@dataclass(frozen=True, slots=True)
class VerifiedWrite:
    """The outcome of a write, and what was seen of its tag afterwards."""

    result: WriteResult
    read_back: ReadBack | None
    """None for a write that was refused: nobody looked."""

    @property
    def is_verified(self) -> bool:
        """Whether it completed, and the tag has the value."""
        is_done = self.result.outcome is WriteOutcome.COMPLETED
        return is_done and self.read_back is not None and self.read_back.is_as_written


async def verify(
    live: "LiveSession",
    item: Item,
    written: Any,
    *,
    since: float,
    tolerance: float | None = None,
    within: float = VERIFY_SECONDS,
) -> ReadBack:
    """Look whether an item has the value that was written to it; nothing is written.

    A value of the stream counts if it is good, not stale, and came `since` then (seconds of :func:`clock.monotonic`,
    from before the write was sent). Where none comes that is as written, the tag is read afresh after `within` seconds,
    and what that gives decides; it is read at once where it had the value before already, as no change comes then. It
    returns as soon as the value is seen, and raises nothing but MxGatewayArgumentError.
    """
    check_tolerance(tolerance)
    arguments.seconds("within", within)
    until = clock.monotonic() + within
    known = live.latest(*item.key)
    data_type = known.data_type if known else DataType.UNSPECIFIED

    def matches(value: Any) -> bool:
        return is_as_written(written, value, tolerance=tolerance, data_type=data_type)

    def made(value: SeenValue | None, problem: str = "") -> ReadBack:
        is_there = value is not None and not problem and _can_count(value) and matches(value.value)
        return ReadBack(is_there, value, within, tolerance, problem)

    async def afresh() -> ReadBack:
        return made(*await _fetched(live, item))

    def is_there(value: Any) -> bool:
        now = live.latest(*item.key)
        return now is not None and now.received_at >= since and matches(value)

    if known is not None and known.received_at < since and _can_count(known) and matches(known.value):
        found = await afresh()
        if found.is_as_written:
            return found
    try:
        left = max(0.001, until - clock.monotonic())
        return made(replace(await live.wait_for(item, is_there, timeout=left)))
    except MxGatewayWaitError:
        return await afresh()
    except MxGatewayError as error:
        return made(live.latest(*item.key), str(error))


def _can_count(value: SeenValue) -> bool:
    """Return whether a value is good, and surely the tag's value at the time when it was taken."""
    is_old = isinstance(value, LiveValue) and value.stale_since is not None
    is_nan = isinstance(value.value, float) and math.isnan(value.value)
    return value.quality_word == "good" and value.value is not None and not is_old and not is_nan


async def _fetched(live: "LiveSession", item: Item) -> tuple[SeenValue | None, str]:
    """Return the value of a fresh read, or the last one of the stream and why there is no other."""
    try:
        if item.suspended:
            problem = "the item is suspended: the gateway has nothing newer"
        else:
            async with clock.timeout(_READ_SECONDS):
                (result,) = await read_afresh(live, [item.tag], item.server_handle, timeout=_READ_SECONDS)
            if result.was_successful:
                return result, ""
            problem = f"it cannot be read afresh: {result.error_message or 'no reason given'}"
    except TimeoutError:
        problem = f"a fresh read was not answered within {_READ_SECONDS:g} s"
    except MxGatewayError as error:
        problem = f"it cannot be read afresh: {error}"
    return live.latest(*item.key), problem


def check_tolerance(tolerance: float | None) -> None:
    """Raise MxGatewayArgumentError for a tolerance that is not a finite number from 0."""
    if tolerance is None:
        return
    is_number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if not is_number or not 0 <= tolerance < math.inf:
        raise MxGatewayArgumentError(f"tolerance must be a finite number from 0, not {tolerance!r}")


async def write_and_verify(
    live: "LiveSession",
    tag: str,
    value: MxValueInput,
    *,
    tolerance: float | None = None,
    within: float = VERIFY_SECONDS,
    timeout: float = 30.0,
    server_handle: int | None = None,
    user_id: int = 0,
    desk: "WriteDesk | None" = None,
) -> VerifiedWrite:
    """Write a tag as :meth:`LiveSession.write` does, then :func:`verify` that it has the value. Never writes again.

    Whole numbers, Booleans, texts and times must be equal. A real may differ by `tolerance`, else by that of the limits
    of `desk`, else by what its type cannot tell. The journal of `desk` gets what was seen.

    Raises what ``write`` raises.
    """
    check_tolerance(tolerance)
    arguments.seconds("within", within)
    since = clock.monotonic()
    result = await live.write(tag, value, timeout=timeout, server_handle=server_handle, user_id=user_id)
    item = live.session.handles.find(tag, server_handle)
    if result.outcome is WriteOutcome.REFUSED or item is None:
        return VerifiedWrite(result, None)
    if tolerance is None and desk is not None:
        tolerance = desk.rules.tolerance_of(item.tag)
    seen = await verify(live, item, value, since=since, tolerance=tolerance, within=within)
    if desk is not None:
        desk.records.verified(result.correlation_id, [read_back_form(seen)])
    return VerifiedWrite(result, seen)


def read_back_form(seen: ReadBack) -> dict[str, Any]:
    """Return what was seen, for the journal."""
    return {
        "as_written": seen.is_as_written,
        "problem": seen.problem,
        "quality": seen.value and seen.value.quality,
        "source": None if seen.value is None else "read" if seen.was_read else "stream",
        "tolerance": seen.tolerance,
        "value": seen.value and seen.value.value,
        "within": seen.within,
    }
