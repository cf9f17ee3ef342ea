"""Events of a session, and the stream they come from."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Generic, Self, TypeVar

from zb_mom_ww_mxgateway.alarms import AlarmProviderStatus, AlarmTransition
from zb_mom_ww_mxgateway.status import MxStatus, quality_word
from zb_mom_ww_mxgateway.values import DataType, MxValueOutput, moment_of

T = TypeVar("T")


class EventFamily(IntEnum):
    """What an event reports."""

    UNSPECIFIED = 0
    ON_DATA_CHANGE = 1
    ON_WRITE_COMPLETE = 2
    OPERATION_COMPLETE = 3
    ON_BUFFERED_DATA_CHANGE = 4
    ON_ALARM_TRANSITION = 5
    ON_ALARM_PROVIDER_MODE_CHANGED = 6


@dataclass(frozen=True, slots=True)
class ReplayGap:
    """Events were lost: those strictly between the two sequences. What is held locally is out of date."""

    requested_after_sequence: int
    oldest_available_sequence: int
    """0: the gateway retains nothing."""


@dataclass(frozen=True, slots=True)
class BufferedData:
    """The changes of a buffered item since the last report, oldest first: as many values as qualities and times."""

    data_type: DataType | int
    values: tuple[Any, ...]
    qualities: tuple[int, ...]
    times_ns: tuple[int, ...]
    """Source times in nanoseconds since the Unix epoch."""


@dataclass(slots=True)
class MxEvent:
    """One event. Times are nanoseconds since the Unix epoch, 0 when the gateway gave none."""

    # Not frozen: thousands are made a second, and a frozen one costs a third more.

    family: EventFamily | int
    sequence: int
    """``worker_sequence``: contiguous in a session."""
    server_handle: int
    item_handle: int
    value: MxValueOutput
    quality: int
    source_time_ns: int
    gateway_time_ns: int
    statuses: tuple[MxStatus, ...] = ()
    data_type: DataType | int = DataType.UNSPECIFIED
    variant_type: str = ""
    hresult: int | None = None
    raw_status: str = ""
    replay_gap: ReplayGap | None = None
    body: BufferedData | AlarmTransition | AlarmProviderStatus | None = None
    """What the families for buffered data and alarms carry; None for the others."""

    @property
    def source_timestamp(self) -> datetime | None:
        """When the source says the value was taken (UTC)."""
        return moment_of(self.source_time_ns)

    @property
    def gateway_receive_timestamp(self) -> datetime | None:
        """When the gateway got it (UTC, the gateway's clock)."""
        return moment_of(self.gateway_time_ns)

    @property
    def quality_word(self) -> str:
        """``good``, ``uncertain`` or ``bad``."""
        return quality_word(self.quality)

    @property
    def failed(self) -> bool:
        """True when a status says so; for ON_WRITE_COMPLETE that the write was refused."""
        return any(status.failed for status in self.statuses)


class MessageStream(Generic[T]):
    """A server stream as an async iterator. The call is cancelled when it is closed, when the consuming
    task is cancelled, and when an ``async for`` over it is left.

    `open_call` starts the call, at once; `decode` turns a message into what is yielded; `translate` turns
    the transport's failure into ours. After :meth:`aclose` a waiting reader sees the end, not an error.
    """

    def __init__(
        self,
        open_call: Callable[[], Any],
        decode: Callable[[Any], T],
        translate: Callable[[Exception], Exception | None],
        on_close: Callable[["MessageStream[T]"], None] = lambda stream: None,
    ) -> None:
        self._call = open_call()
        self._messages = aiter(self._call)
        self._decode = decode
        self._translate = translate
        self._on_close = on_close
        self._closed = False
        # For a stream that is dropped without being closed or looped over.
        weakref.finalize(self, self._call.cancel).atexit = False

    async def __anext__(self) -> T:
        if self._closed:
            raise StopAsyncIteration
        try:
            return self._decode(await anext(self._messages))
        except StopAsyncIteration:
            self._end()
            raise
        except asyncio.CancelledError:
            closed = self._closed
            self._end()
            task = asyncio.current_task()
            # A call cancelled by aclose() looks to its reader like a cancelled task, which it is not.
            if closed and not (task and task.cancelling()):
                raise StopAsyncIteration from None
            raise
        except Exception as error:
            closed = self._closed
            self._end()
            if closed:
                raise StopAsyncIteration from None
            translated = self._translate(error)
            if translated is None:
                raise
            raise translated from translated.__cause__

    def __aiter__(self) -> AsyncIterator[T]:
        # Not self: the generator goes when the loop over it is left, and takes the call with it,
        # even where the stream itself is still held.
        return self._iterate()

    async def _iterate(self) -> AsyncGenerator[T, None]:
        try:
            while True:
                try:
                    item = await self.__anext__()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._end()

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._call.cancel()
            self._on_close(self)

    @property
    def closed(self) -> bool:
        """True once it has ended, for whatever reason."""
        return self._closed

    async def aclose(self) -> None:
        """Cancels the call. Idempotent; may be called while another task reads."""
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
