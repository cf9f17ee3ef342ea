"""Ends of calls and streams: each is logged at DEBUG and told to observers; doubtful writes are logged as warnings."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.system.log import CALLS, WRITES, log
from zb_mom_ww_mxgateway.transport.client_observers import tell


class LoggedCall:
    """Logs one call that is sent: name, gRPC code, duration in milliseconds, correlation id. No argument of it."""

    def __init__(self, options: ClientOptions, rpc: wire.Rpc, call: str, request: Any, *, mutating: bool) -> None:
        self._options = options
        self._rpc = rpc
        self._call = call
        self._request = request
        self._mutating = mutating
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None and not self._options.observers and not CALLS.isEnabledFor(logging.DEBUG):
            return  # Mostly nobody looks.
        if self._mutating and isinstance(error, asyncio.CancelledError):
            reason = "outcome unknown: cancelled while under way"
            _log_write(self._options, self._call, self._request, lambda: reason)
        self._ended(_code_of(error))

    def _ended(self, code: str, counted: str = "", *, streaming: bool = False) -> None:
        duration = time.perf_counter() - self._started
        log(
            CALLS,
            logging.DEBUG,
            lambda: f"{self._call} {code} {duration * 1000:.1f} ms{counted}{_named(self._request)}",
            api_key=self._options.api_key,
        )
        if not self._options.observers:
            return
        from zb_mom_ww_mxgateway.models.client_observer import CallFacts

        facts = CallFacts(
            endpoint=self._options.endpoint,
            name=self._call,
            rpc=self._rpc.path,
            started_at=time.time() - duration,
            duration=duration,
            code=code,
            correlation_id=wire.correlation_of(self._request),
            mutating=self._mutating,
            streaming=streaming,
        )
        tell(self._options, lambda observer: observer.call_ended(facts))


class LoggedStream(LoggedCall):
    """Logs one stream when it is opened and when it has ended: in addition, how many messages it brought."""

    def __init__(self, options: ClientOptions, rpc: wire.Rpc, call: str, request: Any) -> None:
        super().__init__(options, rpc, call, request, mutating=False)
        self._messages = 0
        # It may be ended by another task than the one that opened it.
        self._context = contextvars.copy_context() if options.observers else None
        log(CALLS, logging.DEBUG, f"{call} opened{_named(request)}", api_key=options.api_key)

    def took(self, count: int = 1) -> None:
        """Note messages that came."""
        self._messages += count

    def took_events(self, count: int) -> None:
        """Note events that came in a batch."""
        self._messages += count
        if self._options.observers:
            from zb_mom_ww_mxgateway.models.client_observer import EventFacts

            session_id = wire.session_of(self._request)
            facts = EventFacts(endpoint=self._options.endpoint, session_id=session_id, count=count)
            tell(self._options, lambda observer: observer.events_received(facts))

    def ended(self, error: BaseException | None) -> None:
        """Note its end: by an error, by a CancelledError where it was closed here, or by None."""
        code, counted = _code_of(error), f", {self._messages} message{'s' * (self._messages != 1)}"
        if self._context is None:
            self._ended(code, counted, streaming=True)
        else:
            self._context.run(self._ended, code, counted, streaming=True)


def _code_of(error: BaseException | None) -> str:
    if error is None:
        return "OK"
    if isinstance(error, grpc.aio.AioRpcError):
        return str(error.code().name)
    if isinstance(error, asyncio.CancelledError):
        return "CANCELLED"
    # The channel was closed under the call, or gRPC refused to make it.
    return "UNAVAILABLE" if isinstance(error, grpc.aio.BaseError) else "UNKNOWN"


def log_failed_write(options: ClientOptions, call: str, request: Any, error: MxGatewayError) -> None:
    """Log a call that changes the plant and raised: refused, not sent, or of unknown outcome as its text says."""
    _log_write(options, call, request, lambda: str(error))


def log_answered_write(options: ClientOptions, call: str, request: Any, reply: Any) -> None:
    """Log what the reply to a call that changes the plant refuses or leaves open; nothing where it says yes."""
    try:
        doubt = _doubt(request, reply)
    except Exception:  # As in a log, which must not change the outcome of a call.
        return
    if doubt:
        _log_write(options, call, request, lambda: doubt)


def log_unseen_writes(options: ClientOptions, request: Any, results: Sequence[Any]) -> None:
    """Log the writes (``WriteResult``) that were accepted and are unknown all the same, or no longer waited for;
    nothing if there are none."""
    _log_write(options, wire.kind_name(request), request, lambda: _unseen(results))


def _unseen(results: Sequence[Any]) -> str:
    from zb_mom_ww_mxgateway.models.write_outcome import WriteOutcome  # Lazy: most sessions write nothing.

    unseen = [
        each
        for each in results
        if (each.outcome is WriteOutcome.UNKNOWN and each.accepted_after is not None)
        or (each.outcome is WriteOutcome.ACCEPTED and each.error is not None)
    ]
    if not unseen:
        return ""
    of = f" of {len(unseen)} of {len(results)} entries" if len(results) > 1 else ""
    if unseen[0].outcome is WriteOutcome.ACCEPTED:
        return f"accepted{of}: {unseen[0].error}"
    return f"outcome unknown{of}: accepted, but {unseen[0].error or 'events were lost before its completion'}"


def _doubt(request: Any, reply: Any) -> str:
    """Return what a reply refuses or leaves open; empty where it says yes."""
    answer = wire.write_answer(request, reply)
    if answer.outcome == "accepted":
        return ""
    return f"{'outcome unknown' if answer.outcome == 'unknown' else answer.outcome}: {answer.reason}"


def _log_write(options: ClientOptions, call: str, request: Any, reason: Callable[[], str]) -> None:
    def text() -> str:
        why = reason()
        return f"{call}{_named(request)}: {why}" if why else ""

    log(WRITES, logging.WARNING, text, api_key=options.api_key, stacklevel=3)


def _named(request: Any) -> str:
    """Return the correlation id of a request, or the session id of one without, in brackets after a space."""
    name = wire.correlation_of(request) or wire.session_of(request)
    return f" [{name}]" if name else ""
