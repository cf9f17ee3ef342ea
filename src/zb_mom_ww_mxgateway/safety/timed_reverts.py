"""The timed writes of one connection: notes each on disk before it is sent, and puts it back when its time comes."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from datetime import UTC, datetime
from typing import Any

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, MxGatewayError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.live.followed_writes import followed_writes, surely_not_sent
from zb_mom_ww_mxgateway.live.session import LiveSession
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue
from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.safety.changes import ChangeLedger, OwnWrite, Standing, ValueBefore, WriteState
from zb_mom_ww_mxgateway.safety.pending_reverts import PendingReverts
from zb_mom_ww_mxgateway.safety.revert_files import RevertFolder, new_key
from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertEvent, RevertNews, RevertStage, RevertVerdict, TimedWrite
from zb_mom_ww_mxgateway.safety.write_note import current_note, given
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.values import Typed

_LOOK_SECONDS = 0.25
"""How often it looks whether something is due: also after a sleep of the machine, which no timer counts."""
_STAYS_SECONDS = 2.0
"""How long a reason for a delay must last before it is reported: most restarts are over sooner."""
_OUTCOME_SECONDS = 30.0


class TimedReverts:
    """The pending reverts of one connection.

    A revert writes on the connection, through its guard, only while the tag still has a value that this connection
    wrote. Its file is on disk before the timed write is sent, and is removed when nothing is left to put back.
    """

    def __init__(
        self,
        live: LiveSession,
        ledger: ChangeLedger,
        folder: RevertFolder,
        *,
        endpoint: str,
        who: str,
        on_news: Callable[[RevertNews], object],
    ) -> None:
        """`endpoint` is the one spelling under which later processes look for what this one leaves behind."""
        self._live = live
        self._ledger = ledger
        self.pending: PendingReverts = PendingReverts(folder, endpoint, lambda: live.session.session_id)
        """The reverts that are not over."""
        self._endpoint = endpoint
        self._who = who
        self._on_news = on_news
        self._delayed: dict[str, tuple[str, float]] = {}
        """By key: why a revert is delayed, and since when; infinite once that was reported."""
        self._turns: dict[str, asyncio.Lock] = {}
        self._wake = asyncio.Event()
        self._sleep = clock.SleepWatch()
        self._timer: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        ledger.on_sent.append(self._note)

    # State.

    def covers(self, tag: str, value: object) -> bool:
        """Return whether a write of this value to this tag is a revert that is being made now.

        The consent to the timed write covers it, also after the connection is disarmed.
        """
        revert = self.pending.of(tag)
        return revert is not None and revert.stage is RevertStage.MAKING and is_as_written(revert.original, value)

    # A timed write.

    async def write(
        self,
        item: Item,
        before: LiveValue,
        value: Typed,
        seconds: float,
        send: Callable[[], Awaitable[WriteResult]],
    ) -> WriteResult:
        """Note the revert of a write, send it with `send`, and put `before` back `seconds` later.

        Raises MxGatewayWriteBlockedError, with nothing sent, where the value cannot be put back or the revert cannot be
        noted, MxGatewayArgumentError for an invalid time, and what `send` raises.
        """
        revert, timed = self._begun(item.tag, before, value, seconds)
        try:
            await self.pending.store(revert)
        except (OSError, TimeoutError) as error:
            revert.end(timed, "not sent")
            self._drop_void(revert)
            raise self._blocked(item.tag, f"its revert cannot be noted: {_reason(error)}") from error
        # Until the outcome is known, it may have been sent: cancelling leaves a revert that is pending then.
        state: WriteState = "unknown"
        try:
            with given(expected={tag_key(item.tag): before.value}), followed_writes() as calls:
                result = await send()
            state = result.outcome.value
        except MxGatewayError as error:
            state = "unknown" if error.outcome_unknown else "not sent"
            raise
        except asyncio.CancelledError:
            state = "not sent" if surely_not_sent(calls) else "unknown"
            raise
        finally:
            revert.end(timed, state)
            is_void = self._drop_void(revert)
            self._run()
            await self._stored(revert)
            self._report(RevertEvent.VOID if is_void else RevertEvent.ARMED, revert)
        return result

    def _begun(self, tag: str, before: LiveValue, value: Typed, seconds: float) -> tuple[Revert, TimedWrite]:
        kept = ValueBefore.of(before)
        original = kept.sendable()
        if not kept.is_good or original is None:
            what = "good and live" if not kept.is_good else "one that can be written"
            raise self._blocked(tag, f"its value is not {what}, so it could not be put back")
        revert = self.pending.of(tag)
        if revert is None:
            revert = Revert(new_key(), tag, original, self._who, datetime.now(UTC), reason=current_note().reason)
        elif revert.stage is not RevertStage.PENDING or revert.standing(before) is Standing.ANOTHER:
            raise self._blocked(tag, "an earlier timed write is not put back yet; end that with revert or keep first")
        timed = revert.begin(value, seconds)
        self.pending.add(revert)
        return revert, timed

    def _drop_void(self, revert: Revert) -> bool:
        if revert.is_void:
            self._forget(revert)
        return revert.is_void

    def _note(self, tag: str, write: OwnWrite) -> None:
        """Note any write of this connection, in the moment of sending."""
        revert = self.pending.of(tag)
        if revert is not None:
            revert.note(write)
            self._spawn(self._stored(revert))

    # The time.

    def _run(self) -> None:
        """Let the timer look now, and start it if it does not run."""
        self._wake.set()
        if self.pending.all and (self._timer is None or self._timer.done()):
            self._sleep = clock.SleepWatch()
            self._timer = self._spawn(self._follow())

    async def _follow(self) -> None:
        while self.pending.all:
            self._wake.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._wake.wait()

    async def look(self) -> None:
        """Make every revert that is due, as far as it can be made now."""
        slept = self._sleep.slept()
        due = [each for each in self.pending.all if each.is_due]
        for each in due if slept else ():
            self._report(RevertEvent.SLEPT, each, why=f"{slept:.0f}")
        await asyncio.gather(*map(self._look_at, due))

    async def _look_at(self, revert: Revert) -> None:
        async with self._turn(revert):
            if self.pending.of(revert.tag) is not revert or not revert.is_due:
                return
            try:
                if (found := await self._present(revert)) is not None:
                    await self._act(revert, *found)
            except MxGatewayError as error:
                self._delay(revert, str(error))
            except Exception as error:
                # Whatever it was, a person has to know that the value is not put back.
                await self._stop(revert, RevertStage.FAILED, f"internal error, please report it: {error!r}", None)

    def _turn(self, revert: Revert) -> asyncio.Lock:
        return self._turns.setdefault(revert.key, asyncio.Lock())

    async def _present(self, revert: Revert) -> tuple[Item, LiveValue | None, bool] | None:
        """Return the item, the value that it surely has now, and whether that may be from before the last write; None
        where that cannot be had now."""
        live = self._live
        if live.state is not LiveState.LIVE:
            self._delay(revert, f"the session is {live.state.value}")
            return None
        item = live.session.handles.find(revert.tag)
        if item is None or not item.advised:
            (item,) = await live.subscribe_tags([revert.tag])
        if live.latest(*item.key) is None:
            await live.first_value(item, timeout=_OUTCOME_SECONDS)
        if not await live.caught_up():
            self._delay(revert, "the gateway does not answer")
            return None
        unseen = live.unseen_write(*item.key)
        return item, live.latest(*item.key), unseen is not None and unseen.ago < COMMAND_SECONDS

    async def _act(self, revert: Revert, item: Item, present: LiveValue | None, is_unseen: bool) -> None:
        match revert.verdict(present, is_unseen=is_unseen):
            case RevertVerdict.WAIT if revert.standing(present) is Standing.UNSURE:
                self._delay(revert, "its value is not good, or may be old")
            case RevertVerdict.MAKE if present is not None:
                await self._make(revert, item, present)
            case RevertVerdict.DONE:
                is_made = revert.stage in (RevertStage.MADE, RevertStage.DOUBTFUL)
                await self._end(revert, RevertEvent.MADE if is_made else RevertEvent.BACK, present)
            case RevertVerdict.ASK:
                await self._stop(revert, RevertStage.QUESTION, "", present)
            case RevertVerdict.FAIL:
                why = "its outcome stayed unknown, and it had no effect"
                await self._stop(revert, RevertStage.FAILED, why, present)

    def _delay(self, revert: Revert, why: str) -> None:
        """Report why a revert that is due cannot be made, once that has stayed so for a moment."""
        before, since = self._delayed.get(revert.key, ("", 0.0))
        if before != why:
            self._delayed[revert.key] = why, clock.monotonic()
        elif clock.monotonic() - since >= _STAYS_SECONDS:
            self._delayed[revert.key] = why, math.inf
            self._report(RevertEvent.DELAYED, revert, why=why)

    async def _make(self, revert: Revert, item: Item, present: LiveValue) -> None:
        """Write the first value back, while the tag still has the present value."""
        revert.make()
        state, why, is_blocked = await self._written(revert, item, present.value)
        now = self._live.latest(*item.key)
        if is_blocked and now is not None and not is_as_written(present.value, now.value, data_type=now.data_type):
            # It was not ours any more, or not this one of ours: look at it again.
            state = "not sent"
        revert.made(state, why)
        self._settle_ledger(revert)
        match revert.stage:
            case RevertStage.MADE if not revert.may_still_happen_for:
                await self._end(revert, RevertEvent.MADE)
            case RevertStage.FAILED:
                await self._stop(revert, RevertStage.FAILED, why, now)
            case RevertStage.PENDING if not is_blocked:
                self._delay(revert, why)
            case RevertStage.DOUBTFUL:
                self._report(RevertEvent.UNSURE, revert, why=why)
                await self._stored(revert)
            case _:
                await self._stored(revert)
        self._wake.set()

    def _settle_ledger(self, revert: Revert) -> None:
        """Have a revert that completed count as no change of its own, where it puts back what another process wrote."""
        change = self._ledger.of(revert.tag) if revert.stage is RevertStage.MADE else None
        if change is not None and all(is_as_written(each.value, revert.original.sent) for each in change.writes):
            self._ledger.forget(change)

    async def _written(self, revert: Revert, item: Item, expected: object) -> tuple[WriteState, str, bool]:
        """Write the first value; return the outcome, its reason, and whether the guard refused it."""
        said = {
            "command": f"revert {item.tag}",
            "expected": {tag_key(item.tag): expected},
            "reason": revert.reason or "puts a timed write back",
            "reverts": True,
        }
        try:
            with given(**said), followed_writes() as calls:
                result = await self._live.write_and_confirm(*item.key, revert.original, timeout=_OUTCOME_SECONDS)
        except asyncio.CancelledError:
            revert.made("not sent" if surely_not_sent(calls) else "unknown", "interrupted")
            raise
        except MxGatewayError as error:
            is_blocked = isinstance(error, MxGatewayWriteBlockedError)
            state: WriteState = "not sent" if error.never_reached else "refused"
            return "unknown" if error.outcome_unknown else state, str(error), is_blocked
        return result.outcome.value, "; ".join(map(str, result.statuses)) or str(result.error or ""), False

    # What a person decides.

    async def keep(self, revert: Revert, event: RevertEvent = RevertEvent.KEPT) -> None:
        """End a revert: its value stays. Raises OSError or TimeoutError where its file cannot be removed."""
        self._forget(revert)
        await self.pending.store(revert)
        self._report(event, revert)

    async def make_now(self, revert: Revert, agreed: LiveValue | None = None) -> None:
        """Make a revert now, whatever its time and stage; news tells the result.

        Somebody else's value is only overwritten if it is still the one to which a person `agreed`.
        """
        if agreed is None:
            revert.reopen()
            await self._look_at(revert)
        else:
            async with self._turn(revert):
                # Not before its turn: a look that was under way may have asked once more.
                revert.reopen()
                found = await self._present(revert)
                if found is not None and self.pending.of(revert.tag) is revert and revert.is_due:
                    await self._make(revert, found[0], agreed)
        # What could not be decided now is looked at again.
        self._run()

    async def replaced_by(self, revert: Revert, send: Callable[[], Awaitable[WriteResult]]) -> WriteResult:
        """Send another write that puts the tag of a revert back. If it completes, the revert is over; if its outcome is
        unknown, a person decides. Raises what `send` raises."""
        stage, why = revert.stage, revert.why
        revert.stop(RevertStage.QUESTION, "it was undone, and the outcome of that is unknown")
        try:
            with followed_writes() as calls:
                result = await send()
        except asyncio.CancelledError:
            if surely_not_sent(calls):
                revert.stop(stage, why)
            raise
        except MxGatewayError as error:
            if not error.outcome_unknown:
                revert.stop(stage, why)
            raise
        else:
            if result.outcome is WriteOutcome.COMPLETED:
                await self._end(revert, RevertEvent.KEPT)
            elif result.outcome is WriteOutcome.REFUSED:
                revert.stop(stage, why)
        finally:
            await self._stored(revert)
        return result

    # The end.

    async def finish(self, patience: float) -> list[Revert]:
        """Put everything back now, before the session closes; return what could not be, whose files stay.

        It waits at most `patience` seconds for what cannot be made at once.
        """
        for revert in self.pending.all:
            revert.hurry()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while True:
                    self._wake.clear()
                    await self.look()
                    if not any(each.is_due for each in self.pending.all) or self._live.state is LiveState.CLOSED:
                        break
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_SECONDS):
                            await self._wake.wait()
        return self.pending.all

    async def aclose(self) -> None:
        """Stop the timer. What is pending stays on disk, for the next start to offer."""
        if self._timer is not None:
            self._timer.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self.pending.aclose()

    # Its parts.

    async def _end(self, revert: Revert, event: RevertEvent, present: LiveValue | None = None) -> None:
        self._forget(revert)
        await self._stored(revert)
        self._report(event, revert, present)

    async def _stop(self, revert: Revert, stage: RevertStage, why: str, present: LiveValue | None) -> None:
        revert.stop(stage, why)
        await self._stored(revert)
        event = RevertEvent.ASKS if stage is RevertStage.QUESTION else RevertEvent.FAILED
        self._report(event, revert, present, why)

    def _forget(self, revert: Revert) -> None:
        self.pending.forget(revert)
        self._delayed.pop(revert.key, None)
        self._turns.pop(revert.key, None)

    async def _stored(self, revert: Revert) -> None:
        """Bring the file of a revert up to date; report where that fails."""
        try:
            await self.pending.store(revert)
        except (OSError, TimeoutError) as error:
            self._report(RevertEvent.UNSAVED, revert, why=_reason(error))

    def _blocked(self, tag: str, why: str) -> MxGatewayWriteBlockedError:
        return MxGatewayWriteBlockedError(
            f"blocked locally: timed write to {tag}: {why}; nothing was sent", endpoint=self._endpoint, call="write"
        )

    def _report(self, event: RevertEvent, revert: Revert, present: LiveValue | None = None, why: str = "") -> None:
        self._on_news(RevertNews(event, revert, present, why))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        # Not in the context of the line that times the first write: what is said there is about that write.
        task = asyncio.get_running_loop().create_task(work, name="timed writes", context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
