"""The question to the write guard of a client, and what a guard learns of the calls that it allowed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.transport.sent_calls import FOLLOWER

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.models.write_guard import Admission, PendingWrite, WriteAnswer, WriteGuard

_WORD = "blocked locally"
_HELD_UP = 0.05
"""Seconds after which a guard may have held up the event loop, as one does that asks a person by ``input()``."""


class Guarding:
    """The guard of one client, if it has one: asked before every call that changes the plant."""

    def __init__(
        self,
        guard: "Callable[[], WriteGuard | None]",
        endpoint: str,
        tag_of: Callable[[str, int, int], str],
        printable: Callable[[str], str],
    ) -> None:
        """`guard` returns the client's guard now; `tag_of` finds the tag behind a session and its handles; `printable`
        makes words fit for an error.
        """
        self._guard = guard
        self._endpoint = endpoint
        self._tag_of = tag_of
        self._printable = printable
        self._admissions: dict[str, Admission | None] = {}
        """By correlation id of a call whose completion is awaited: what the guard gave for it."""

    async def run(self, request: Any, call: str, send: Callable[[Any, "GuardedCall"], Awaitable[Any]]) -> Any:
        """Have a request sent by `send` if the guard allows it; return the reply.

        Raises MxGatewayWriteBlockedError where the guard refuses, and what `send` raises.
        """
        if (guard := self._guard()) is None:
            return await send(request, GuardedCall(self))
        # A copy: what was allowed is what is sent, even if the caller changes the message meanwhile.
        request, began = wire.judged_copy_of(request), clock.monotonic()
        guarded = await self._ask(guard, request, call)
        correlation_id = wire.correlation_of(request)
        if correlation_id in self._admissions:
            self._admissions[correlation_id] = guarded.admission
        try:
            if clock.monotonic() - began >= _HELD_UP:
                await asyncio.sleep(0)  # Whoever cancelled it meanwhile is heard before it is sent.
            reply = await send(request, guarded)
        except BaseException as error:
            guarded.failed(error)
            raise
        guarded.answered(request, reply)
        return reply

    @contextmanager
    def followed(self, request: Any) -> Iterator[Callable[[Sequence[Any]], None]]:
        """Within the block: yield a function that shows the guard of this request the outcome of each entry."""
        correlation_id = wire.correlation_of(request)
        self._admissions[correlation_id] = None

        def confirmed(outcomes: Sequence[Any]) -> None:
            if (admission := self._admissions.get(correlation_id)) is not None:
                admission.confirmed(outcomes)

        try:
            yield confirmed
        finally:
            del self._admissions[correlation_id]

    async def _ask(self, guard: "WriteGuard", request: Any, call: str) -> "GuardedCall":
        from zb_mom_ww_mxgateway.models.write_guard import Admission, PendingWrite  # Lazy: most sessions write nothing.

        session_id = wire.session_of(request)
        pending = PendingWrite(
            call=call,
            endpoint=self._endpoint,
            session_id=session_id,
            correlation_id=wire.correlation_of(request),
            entries=wire.pending_entries(request, partial(self._tag_of, session_id)),
        )
        cause: Exception | None = None
        try:
            answer: object = await guard(pending)
        except Exception as error:
            answer, cause = f"the guard failed: {error}" if str(error) else f"the guard failed: {error!r}", error
        if answer is True:
            return GuardedCall(self)
        if isinstance(answer, Admission):
            return GuardedCall(self, pending, answer)
        if isinstance(answer, str) and answer:
            reason = answer
        else:
            reason = "the write guard said no" if answer is False else f"the write guard answered {answer!r}, not True"
        raise self.blocked(pending, reason) from cause

    def blocked(self, pending: "PendingWrite", reason: str) -> MxGatewayWriteBlockedError:
        """Return the error of a call that the guard refuses."""
        return MxGatewayWriteBlockedError(
            f"{_WORD}: {pending}: {self._printable(reason)}; nothing was sent",
            pending=pending,
            endpoint=self._endpoint,
            call=pending.call,
            correlation_id=pending.correlation_id or None,
        )


class GuardedCall:
    """One call that may be sent, until its end."""

    def __init__(
        self, guarding: Guarding, pending: "PendingWrite | None" = None, admission: "Admission | None" = None
    ) -> None:
        self._guarding = guarding
        self._pending = pending
        self.admission: Admission | None = admission
        """What the guard gave for it; None without a guard, and from one that does not follow its calls."""
        self.is_sent: bool = False
        """Whether the call has begun."""

    def check(self) -> None:
        """Raise MxGatewayWriteBlockedError if it must not be sent after all.

        Nothing may be awaited between this and the send.
        """
        if self.admission is not None and self._pending and (reason := self.admission.refusal()):
            raise self._guarding.blocked(self._pending, reason)

    def begin(self, request: Any) -> None:
        """Note that it is sent now."""
        self.is_sent = True
        if (follower := FOLLOWER.get()) is not None:
            follower.sending(request)

    def answered(self, request: Any, reply: Any) -> None:
        """Show the guard the reply."""
        if self.admission is not None:
            self.admission.answered(wire.write_answer(request, reply))

    def failed(self, error: BaseException) -> None:
        """Show the guard that the call ended without a reply."""
        if self.admission is not None:
            self.admission.answered(self.answer_of(error))

    def answer_of(self, error: BaseException) -> "WriteAnswer":
        """Return what it means for the write that the call ended with `error`."""
        from zb_mom_ww_mxgateway.models.write_guard import WriteAnswer

        if not self.is_sent:
            return WriteAnswer("not sent", str(error) or type(error).__name__)
        if isinstance(error, MxGatewayError):
            return WriteAnswer("unknown" if error.outcome_unknown else "refused", str(error))
        ended = "the wait for the answer ended" if isinstance(error, asyncio.CancelledError) else repr(error)
        return WriteAnswer("unknown", ended)
