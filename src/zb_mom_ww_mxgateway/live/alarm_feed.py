"""The alarms of a gateway, kept up to date for hours: read again whenever the stream of them breaks.

For example::

    async with AlarmFeed(client) as feed:
        await feed.ready(timeout=10)
        for alarm in feed.unacknowledged:
            print(alarm.reference, alarm.severity)
        print("kept up to date" if feed.is_complete else f"old, since {feed.lost_at}")

It is unknown what happens to an alarm while the stream is lost. So an unacknowledged one that disappeared meanwhile
stays, as cleared and *unsure*, and a new one is reported when the list has been read again.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self, TypeAlias

from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayError,
    MxGatewayTransportError,
    MxGatewayWaitError,
)
from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmFeedItem,
    AlarmProviderStatus,
    AlarmSnapshotComplete,
    AlarmTransition,
    AlarmTransitionKind,
)
from zb_mom_ww_mxgateway.system import clock

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient

_FINAL_CODES = frozenset({"FAILED_PRECONDITION", "UNIMPLEMENTED", "INVALID_ARGUMENT"})
_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class AlarmFeedLost:
    """The stream broke: what the feed holds may be old until :class:`AlarmListRead` comes."""

    error: MxGatewayError


@dataclass(frozen=True, slots=True)
class AlarmListRead:
    """The list of active alarms has been read, at first or again after a loss."""

    active: int
    """How many there are, without those that are unsure."""
    new: tuple[ActiveAlarm, ...]
    """Unacknowledged ones that were not known, or have changed since they were; at first all unacknowledged."""
    is_first: bool


AlarmNews: TypeAlias = AlarmTransition | AlarmProviderStatus | AlarmFeedLost | AlarmListRead
"""News that followers of an :class:`AlarmFeed` get."""


class AlarmFeed:
    """The alarms of a gateway, from a stream that is opened again whenever it breaks.

    An async context manager. A gateway may serve no alarms, or stop serving them: then the feed has ended and `error`
    says why; nothing else is affected.
    """

    def __init__(self, client: "GatewayClient", prefix: str = "") -> None:
        """`prefix` is the beginning of the references of all alarms. Nothing is read before :meth:`start`."""
        self.alarms: dict[str, ActiveAlarm] = {}
        """Alarms by reference: active ones, and cleared ones that are unacknowledged as far as this feed saw them."""
        self.unsure: set[str] = set()
        """References of alarms that disappeared while the stream was lost: cleared, and perhaps acknowledged."""
        self.provider: AlarmProviderStatus | None = None
        """Provider of the alarms; None before the gateway has named it."""
        self.is_complete: bool = False
        """True once the list of active alarms has been read, and while it is kept up to date."""
        self.lost_at: float | None = None
        """Since when the list may be old, in seconds of :func:`clock.monotonic`; None while it is up to date."""
        self.error: MxGatewayError | None = None
        """Why no alarms are read, or none any more; None while they are read."""
        self._client = client
        self._prefix = prefix
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._snapshot: dict[str, ActiveAlarm] = {}
        self._known_before = False
        self._followers: list[AlarmFollower] = []

    def start(self) -> None:
        """Begin to read, or begin again where the feed has ended. Idempotent; entering the feed does it."""
        if self._task is None or self._task.done():
            self.error = None
            self._settled.clear()
            self._task = asyncio.create_task(self._run(), name="alarms")

    @property
    def has_started(self) -> bool:
        """True once :meth:`start` was called."""
        return self._task is not None

    @property
    def has_ended(self) -> bool:
        """True where nothing more will come: the gateway refused, or the feed was closed."""
        return self._task is not None and self._task.done()

    @property
    def unacknowledged(self) -> list[ActiveAlarm]:
        """Alarms that are not known to be acknowledged."""
        return [alarm for alarm in self.alarms.values() if is_unacknowledged(alarm)]

    async def ready(self, timeout: float | None = None) -> None:
        """Wait until the list is complete.

        Raises MxGatewayWaitError after `timeout` seconds, and what the gateway refused the alarms with.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            raise MxGatewayWaitError(
                f"no list of active alarms within {timeout:g} s{f': {self.error}' if self.error else ''}",
                call="stream_alarms",
            ) from None
        if not self.is_complete and self.error is not None:
            raise self.error

    def follow(self, *, queue_size: int = _WAITING) -> "AlarmFollower":
        """Follow all news from now on; at most `queue_size` wait to be read, then the newest are dropped."""
        if isinstance(queue_size, bool) or not isinstance(queue_size, int) or queue_size < 1:
            raise MxGatewayArgumentError(f"queue_size must be a whole number of at least 1, not {queue_size!r}")
        follower = AlarmFollower(self._followers, queue_size)
        self._followers.append(follower)
        if self.has_ended:
            follower._end(self.error)
        return follower

    def forget(self, reference: str) -> None:
        """Drop an unsure alarm, once the gateway has shown that it no longer knows it, which means acknowledged."""
        if reference in self.unsure:
            self.unsure.discard(reference)
            del self.alarms[reference]

    async def aclose(self) -> None:
        """End the reading, and every follower. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._end(None)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    # The stream.

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                async with self._client.stream_alarms(self._prefix) as messages:
                    async for message in messages:
                        failures = 0
                        self._take(message)
                error: MxGatewayError = MxGatewayTransportError("the gateway ended the alarm stream")
            except MxGatewayError as broken:
                error = broken
            except Exception as broken:
                # A mistake of ours, or in a message: reported like a loss, and reading ends.
                error = MxGatewayError(f"reading the alarms failed: {broken!r}", call="stream_alarms")
                error.__cause__ = broken
                self._lose(error)
                self._end(error)
                return
            self._lose(error)
            if _is_final(error):
                self._end(error)
                return
            await asyncio.sleep(_DELAYS[min(failures, len(_DELAYS) - 1)] * random.uniform(0.75, 1.25))
            failures += 1
            await self._client.reconnected(0)

    def _end(self, error: MxGatewayError | None) -> None:
        self._settled.set()
        for follower in tuple(self._followers):
            follower._end(error)

    def _lose(self, error: MxGatewayError) -> None:
        self.error = error
        self._snapshot = {}
        if self.is_complete:
            self.is_complete, self.lost_at = False, clock.monotonic()
            self.tell(AlarmFeedLost(error))

    def _take(self, message: AlarmFeedItem) -> None:
        match message:
            case ActiveAlarm():
                self._snapshot[message.reference] = message
            case AlarmSnapshotComplete():
                self._begin()
            case AlarmProviderStatus():
                self._switch(message)
            case AlarmTransition():
                self._change(message)

    def _begin(self) -> None:
        former, self.alarms, self._snapshot = self.alarms, self._snapshot, {}
        active = len(self.alarms)
        self.unsure = {
            alarm.reference
            for alarm in former.values()
            if is_unacknowledged(alarm) and alarm.reference not in self.alarms
        }
        # They are not known to be acknowledged, so they stay.
        cleared = AlarmConditionState.INACTIVE
        self.alarms |= {reference: replace(former[reference], state=cleared) for reference in self.unsure}
        self.is_complete, self.lost_at, self.error = True, None, None
        is_first, self._known_before = not self._known_before, True
        new = [
            alarm
            for alarm in self.unacknowledged
            if (before := former.get(alarm.reference)) is None or before.changed_at_ns != alarm.changed_at_ns
        ]
        self._settled.set()
        self.tell(AlarmListRead(active, tuple(new), is_first))

    def _switch(self, provider: AlarmProviderStatus) -> None:
        former, self.provider = self.provider, provider
        if (former.mode, former.degraded) != (provider.mode, provider.degraded) if former else provider.degraded:
            self.tell(provider)

    def _change(self, transition: AlarmTransition) -> None:
        before = self.alarms.get(transition.reference)
        self.unsure.discard(transition.reference)
        state = _state_after(transition.kind, before)
        if state is None:
            self.alarms.pop(transition.reference, None)
        else:
            facts = {field.name: getattr(transition, field.name) for field in fields(transition)}
            del facts["kind"], facts["at_ns"]
            self.alarms[transition.reference] = ActiveAlarm(**facts, state=state, changed_at_ns=transition.at_ns)
        self.tell(transition)

    def tell(self, news: AlarmNews) -> None:
        """Give news to every follower. A subclass that acts on them at once overrides it."""
        for follower in tuple(self._followers):
            follower._put(news)


class AlarmFollower:
    """Gets all news of an alarm feed: an async iterator and an async context manager. Made by ``feed.follow()``.

    It ends when it or the feed is closed; when the gateway has refused to give alarms, it raises that.
    """

    def __init__(self, among: "list[AlarmFollower]", queue_size: int) -> None:
        self.dropped: int = 0
        """News that this follower lost because it was slow: the newest, where the queue is full."""
        self._among = among
        self._queue_size = queue_size
        self._queue: asyncio.Queue[AlarmNews | None] = asyncio.Queue()
        self._ended = False
        self._error: MxGatewayError | None = None

    def _put(self, news: AlarmNews) -> None:
        """Offer news; never waits."""
        if self._queue.qsize() >= self._queue_size:
            self.dropped += 1
        else:
            self._queue.put_nowait(news)

    def _end(self, error: MxGatewayError | None = None) -> None:
        """End it: queued news are still given, then `error` or the end."""
        if not self._ended:
            self._ended, self._error = True, error
            with suppress(ValueError):
                self._among.remove(self)
            self._queue.put_nowait(None)

    async def __anext__(self) -> AlarmNews:
        news = await self._queue.get()
        if news is not None:
            return news
        self._queue.put_nowait(None)  # for the next reader
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise StopAsyncIteration

    def __aiter__(self) -> AsyncIterator[AlarmNews]:
        return self

    async def batch(self) -> list[AlarmNews]:
        """Return all news there are, and wait if there are none; empty at the end. Raises as iterating does."""
        try:
            found = [await anext(self)]
        except StopAsyncIteration:
            return []
        return [*found, *self.take()]

    def take(self) -> list[AlarmNews]:
        """Return all queued news at once; never waits."""
        found: list[AlarmNews] = []
        while not self._queue.empty():
            news = self._queue.get_nowait()
            if news is None:
                self._queue.put_nowait(None)
                break
            found.append(news)
        return found

    async def aclose(self) -> None:
        """End it. Idempotent."""
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def is_unacknowledged(alarm: ActiveAlarm) -> bool:
    """Return whether an alarm is not known to be acknowledged."""
    return alarm.state != AlarmConditionState.ACTIVE_ACKED


def _is_final(error: MxGatewayError) -> bool:
    """Return whether another attempt would fail the same way."""
    if isinstance(error, MxGatewayAuthenticationError | MxGatewayAuthorizationError):
        return True
    return error.grpc_code in _FINAL_CODES


def _state_after(kind: AlarmTransitionKind | int, before: ActiveAlarm | None) -> AlarmConditionState | int | None:
    """Return the state of an alarm after a transition; None when it is over."""
    match kind:
        case AlarmTransitionKind.ACKNOWLEDGE:
            is_over = before is not None and before.state == AlarmConditionState.INACTIVE
            return None if is_over or before is None else AlarmConditionState.ACTIVE_ACKED
        case AlarmTransitionKind.CLEAR:
            is_over = before is not None and before.state == AlarmConditionState.ACTIVE_ACKED
            return None if is_over else AlarmConditionState.INACTIVE
        case AlarmTransitionKind.RAISE | AlarmTransitionKind.RETRIGGER:
            return AlarmConditionState.ACTIVE
    return before.state if before else AlarmConditionState.UNSPECIFIED
