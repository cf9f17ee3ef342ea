"""The alarms of one connection, kept up to date beside everything else.

A gateway may serve no alarms, or stop to: that is known here, and hurts nobody.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeAlias

from zb_mom_ww_mxgateway.alarms import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmProviderMode,
    AlarmProviderStatus,
    AlarmSnapshotComplete,
    AlarmTransition,
    AlarmTransitionKind,
)
from zb_mom_ww_mxgateway.errors import (
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway_cli.output import one_line, value_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import AlarmFeedItem, GatewayClient

News: TypeAlias = AlarmTransition | AlarmProviderStatus | str
"""What followers get: transitions, the provider's changes, and what became of the stream in words."""

_FINAL_CODES = frozenset({"FAILED_PRECONDITION", "UNIMPLEMENTED", "INVALID_ARGUMENT"})
_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_WAITING = 10_000
# Seconds: so long more alarms are waited for before one line tells of them all, and the least between two lines.
_GATHER, _PAUSE = 0.3, 2.0
# Seconds that a lost stream may take to come back before that is said.
_PATIENCE = 3.0


class AlarmFeed:
    """What is in alarm now, from a stream of its own. Nothing is read before :meth:`start`."""

    def __init__(self) -> None:
        self.alarms: dict[str, ActiveAlarm] = {}
        """By reference: those active, and those cleared that nobody has acknowledged."""
        self.unsure: set[str] = set()
        """References of those that went while nobody looked: cleared, and perhaps acknowledged."""
        self.provider: AlarmProviderStatus | None = None
        self.is_complete = False
        """True once the list of active alarms has been read, and while it is kept up to date."""
        self.lost_at: float | None = None
        """Monotonic seconds since when it may be old; None while it is not."""
        self.error: MxGatewayError | None = None
        """Why there are none, or none any more."""
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._snapshot: dict[str, ActiveAlarm] = {}
        self._known_before = False
        self._followers: list[Follower] = []
        self._flurry = Flurry(lambda text: None)
        self._loss_told: asyncio.TimerHandle | None = None

    def start(self, client: "GatewayClient", say: Callable[[str], None]) -> None:
        """Begins to read, if that is not so already; `say` is told, in a line, of what is new."""
        if self._task is None or self._task.done():
            self.error = None
            self._settled.clear()
            self._flurry.close()
            self._flurry = Flurry(say)
            self._task = asyncio.create_task(self._run(client), name="alarms")

    @property
    def has_ended(self) -> bool:
        """True where nothing more will come: the gateway refused."""
        return self._task is not None and self._task.done()

    @property
    def figure(self) -> str:
        """How many there are, in a word or two; empty where nobody asked."""
        if self._task is None:
            return ""
        if self.has_ended and self.lost_at is None:
            return "alarms off"
        waiting = len(self.unacknowledged)
        doubt = "" if self.is_complete else "?"
        return f"alarms {len(self.alarms)}{doubt}{f' ({waiting} unacked)' if waiting else ''}"

    @property
    def unacknowledged(self) -> list[ActiveAlarm]:
        return [alarm for alarm in self.alarms.values() if is_unacknowledged(alarm)]

    async def ready(self, timeout: float) -> bool:
        """Waits until the list is complete or the gateway has refused; whether it is complete."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        return self.is_complete

    def follow(self) -> "Follower":
        """Everything new from now on."""
        follower = Follower(self._followers)
        self._followers.append(follower)
        return follower

    async def aclose(self) -> None:
        """Ends the reading. Idempotent."""
        self._flurry.close()
        if self._loss_told is not None:
            self._loss_told.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for follower in tuple(self._followers):
            follower.end()

    async def _run(self, client: "GatewayClient") -> None:
        failures = 0
        while True:
            try:
                async with client.stream_alarms() as messages:
                    async for message in messages:
                        failures = 0
                        self._take(message)
                error: MxGatewayError = MxGatewayTransportError("the gateway ended the alarm stream")
            except MxGatewayError as broken:
                error = broken
            except Exception as broken:
                self._lose(MxGatewayError(f"reading the alarms failed: {broken!r}"))
                self._settled.set()
                raise
            self._lose(error)
            if _is_final(error):
                self._settled.set()
                for follower in tuple(self._followers):
                    follower.end()
                return
            await asyncio.sleep(_DELAYS[min(failures, len(_DELAYS) - 1)] * random.uniform(0.75, 1.25))
            failures += 1

    def _lose(self, error: MxGatewayError) -> None:
        self.error = error
        self._snapshot = {}
        if self.is_complete:
            self.is_complete, self.lost_at = False, time.monotonic()
            self._tell(one_line(f"alarm stream lost: {error}"))
            said = one_line(f"alarms are not kept up to date: {error}")
            self._loss_told = asyncio.get_running_loop().call_later(_PATIENCE, self._flurry.say, said)

    def _take(self, message: "AlarmFeedItem") -> None:
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
        self.unsure = {
            alarm.reference
            for alarm in former.values()
            if is_unacknowledged(alarm) and alarm.reference not in self.alarms
        }
        # Nobody has said that those were acknowledged: they do not vanish.
        cleared = AlarmConditionState.INACTIVE
        self.alarms |= {reference: replace(former[reference], state=cleared) for reference in self.unsure}
        self.is_complete, self.lost_at, self.error = True, None, None
        self._settled.set()
        waiting = self.unacknowledged
        if not self._known_before and self.alarms:
            self._flurry.say(f"{len(self.alarms)} alarms active, {len(waiting)} unacknowledged: alarms lists them")
        elif self._known_before:
            for alarm in waiting:
                before = former.get(alarm.reference)
                if before is None or before.changed_at != alarm.changed_at:
                    self._flurry.add(alarm)
            back = f"alarm stream back: {len(self.alarms) - len(self.unsure)} active; "
            back += "what happened meanwhile is not known"
            self._tell(back)
            if self._loss_told is not None and self._loss_told.when() <= asyncio.get_running_loop().time():
                self._flurry.say(back)
        if self._loss_told is not None:
            self._loss_told.cancel()
        self._known_before = True

    def forget(self, reference: str) -> None:
        """The gateway knows nothing of one that may have been acknowledged."""
        if reference in self.unsure:
            self.unsure.discard(reference)
            del self.alarms[reference]

    def _switch(self, provider: AlarmProviderStatus) -> None:
        former, self.provider = self.provider, provider
        is_news = (former.mode, former.degraded) != (provider.mode, provider.degraded) if former else provider.degraded
        if is_news:
            self._flurry.say(provider_text(provider))
        if former is not None and is_news:
            self._tell(provider)

    def _change(self, transition: AlarmTransition) -> None:
        before = self.alarms.get(transition.reference)
        self.unsure.discard(transition.reference)
        state = _state_after(transition.kind, before)
        if state is None:
            self.alarms.pop(transition.reference, None)
        else:
            facts = {field.name: getattr(transition, field.name) for field in fields(transition)}
            del facts["kind"], facts["at"]
            self.alarms[transition.reference] = ActiveAlarm(**facts, state=state, changed_at=transition.at)
            if transition.kind in (AlarmTransitionKind.RAISE, AlarmTransitionKind.RETRIGGER):
                self._flurry.add(self.alarms[transition.reference])
        self._tell(transition)

    def _tell(self, news: News) -> None:
        for follower in tuple(self._followers):
            follower.put(news)


def _is_final(error: MxGatewayError) -> bool:
    """Whether trying again would only be told the same."""
    if isinstance(error, MxGatewayAuthenticationError | MxGatewayAuthorizationError):
        return True
    return error.grpc_code in _FINAL_CODES


def _state_after(kind: AlarmTransitionKind | int, before: ActiveAlarm | None) -> AlarmConditionState | int | None:
    """How an alarm stands after a transition; None when it is over."""
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


def is_unacknowledged(alarm: ActiveAlarm) -> bool:
    """True unless it is known that somebody has acknowledged it."""
    return alarm.state != AlarmConditionState.ACTIVE_ACKED


def provider_text(provider: AlarmProviderStatus) -> str:
    """Where alarms come from, in words."""
    if provider.mode is AlarmProviderMode.SUBTAG:
        how = "alarms come from subtags, one by one, in the place of the alarm manager"
    else:
        how = f"alarms come from {name_of(provider.mode)}"
    return one_line(how + " (degraded)" * provider.degraded + (f": {provider.reason}" if provider.reason else ""))


class Follower:
    """Gets all news of a feed, at most so many behind."""

    def __init__(self, among: "list[Follower]") -> None:
        self.dropped = 0
        self._among = among
        self._queue: asyncio.Queue[News | None] = asyncio.Queue()

    def put(self, news: News) -> None:
        """Offers news; never waits."""
        if self._queue.qsize() >= _WAITING:
            self.dropped += 1
        else:
            self._queue.put_nowait(news)

    def end(self) -> None:
        """Nothing more comes."""
        if self in self._among:
            self._among.remove(self)
            self._queue.put_nowait(None)

    async def batch(self) -> list[News]:
        """All news there are, waited for if there are none; empty at the end."""
        found = [await self._queue.get()]
        while not self._queue.empty() and found[-1] is not None:
            found.append(self._queue.get_nowait())
        if found[-1] is None and len(found) > 1:
            self._queue.put_nowait(None)
        return [news for news in found if news is not None]

    async def aclose(self) -> None:
        """Ends it. Idempotent."""
        self.end()


class Flurry:
    """Tells of new alarms: one line for one, one line for many at once, and never more than one in two seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._waiting: dict[str, ActiveAlarm] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, alarm: ActiveAlarm) -> None:
        """Tells of it soon."""
        self._waiting[alarm.reference] = alarm
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER, self._tell)

    def _tell(self) -> None:
        waiting, self._waiting, self._timer = list(self._waiting.values()), {}, None
        if not waiting:
            return
        worst = min(waiting, key=lambda alarm: alarm.severity)
        value = "" if worst.current_value is None else f"  {value_text(worst.current_value)}"
        described = f"  {worst.description}" if worst.description else ""
        if len(waiting) == 1:
            self.say(one_line(f"ALARM severity {worst.severity}  {worst.reference}{value}{described}"))
        else:
            self.say(
                one_line(
                    f"ALARMS {len(waiting)} new, the most severe {worst.severity}: {worst.reference}; alarms lists them"
                )
            )
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._tell)

    def close(self) -> None:
        """Tells no more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
