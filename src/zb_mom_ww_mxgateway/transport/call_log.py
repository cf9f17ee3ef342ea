"""Log of calls: each one at DEBUG, and writes that were refused or whose outcome is unknown."""

import asyncio
import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.system.log import CALLS, WRITES, log


class LoggedCall:
    """Logs one call that is sent: name, duration in milliseconds, gRPC code, correlation id. No argument of it."""

    def __init__(self, options: ClientOptions, call: str, request: Any, *, mutating: bool) -> None:
        self._options = options
        self._call = call
        self._request = request
        self._mutating = mutating
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._mutating and isinstance(error, asyncio.CancelledError):
            reason = "outcome unknown: cancelled while under way"
            _log_write(self._options, self._call, self._request, lambda: reason)
        log(CALLS, logging.DEBUG, lambda: self._text(kind, error), api_key=self._options.api_key)

    def _text(self, kind: type[BaseException] | None, error: BaseException | None) -> str:
        milliseconds = (time.perf_counter() - self._started) * 1000
        code = "OK" if kind is None else kind.__name__
        if isinstance(error, grpc.aio.AioRpcError):
            code = error.code().name
        return f"{self._call} {code} {milliseconds:.1f} ms{_correlated(wire.correlation_of(self._request))}"


def log_failed_write(options: ClientOptions, call: str, request: Any, error: MxGatewayError) -> None:
    """Log a call that changes the plant and raised: refused, not sent, or of unknown outcome as its text says."""
    _log_write(options, call, request, lambda: str(error))


def log_answered_write(options: ClientOptions, call: str, request: Any, reply: Any) -> None:
    """Log what the reply to a call that changes the plant refuses or leaves open; nothing where it says yes."""
    _log_write(options, call, request, lambda: _doubt(request, reply))


def _doubt(request: Any, reply: Any) -> str:
    """Return what a reply refuses or leaves open; empty where it says yes."""
    answer = wire.write_answer(request, reply)
    if answer.outcome == "accepted":
        return ""
    return f"{'outcome unknown' if answer.outcome == 'unknown' else answer.outcome}: {answer.reason}"


def _log_write(options: ClientOptions, call: str, request: Any, reason: Callable[[], str]) -> None:
    def text() -> str:
        why = reason()
        return f"{call}{_correlated(wire.correlation_of(request))}: {why}" if why else ""

    log(WRITES, logging.WARNING, text, api_key=options.api_key, stacklevel=3)


def _correlated(correlation_id: str) -> str:
    return f" [{correlation_id}]" if correlation_id else ""
