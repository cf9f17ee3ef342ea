"""What the log says of calls: each one at DEBUG, and writes that were refused or whose outcome is unknown."""

import asyncio
import functools
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, ParamSpec, Self

import grpc
import grpc.aio

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError, may_have_run_despite
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.status import ProtocolStatusCode, name_of
from zb_mom_ww_mxgateway.system.log import CALLS, WRITES, log
from zb_mom_ww_mxgateway.wire.values import open_enum

P = ParamSpec("P")


class LoggedCall:
    """Logs one call that is sent: name, duration in milliseconds, gRPC code, correlation id. No argument of it."""

    def __init__(self, options: ClientOptions, call: str, request: Any, *, mutating: bool) -> None:
        self._options = options
        self._call = call
        self._correlation_id = wire.correlation_of(request)
        self._mutating = mutating
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._mutating and isinstance(error, asyncio.CancelledError):
            _log_write(self._options, self._call, self._correlation_id, "outcome unknown: cancelled while under way")
        if not CALLS.isEnabledFor(logging.DEBUG):
            return
        milliseconds = (time.perf_counter() - self._started) * 1000
        code = "OK" if kind is None else kind.__name__
        if isinstance(error, grpc.aio.AioRpcError):
            code = error.code().name
        log(
            CALLS,
            logging.DEBUG,
            f"{self._call} {code} {milliseconds:.1f} ms{_correlated(self._correlation_id)}",
            api_key=self._options.api_key,
        )


def _harmless(write: Callable[P, None]) -> Callable[P, None]:
    """Whatever fails while a line is made: the write has its outcome, and nothing of a log may take it away."""

    @functools.wraps(write)
    def written(*args: P.args, **kwargs: P.kwargs) -> None:
        with suppress(Exception):
            write(*args, **kwargs)

    return written


@_harmless
def log_failed_write(options: ClientOptions, call: str, request: Any, error: MxGatewayError) -> None:
    """Log a call that changes the plant and raised: refused, not sent, or of unknown outcome as its text says."""
    _log_write(options, call, wire.correlation_of(request), str(error))


@_harmless
def log_answered_write(options: ClientOptions, call: str, request: Any, reply: Any) -> None:
    """Log what the reply to a call that changes the plant refuses or leaves open; nothing where it says yes."""
    status = reply.protocol_status.code
    if int(status) != ProtocolStatusCode.OK:
        known = open_enum(ProtocolStatusCode, status)
        verdict = "outcome unknown" if may_have_run_despite(known) else "refused"
        _log_write(options, call, wire.correlation_of(request), f"{verdict}: {name_of(known)}")
        return
    if not isinstance(request, pb.MxCommandRequest) or not wire.written_items(request):
        return
    refusals = wire.refused_writes(request, reply)
    if not refusals:
        _log_write(options, call, wire.correlation_of(request), "outcome unknown: the reply contradicts itself")
    elif any(refusals):
        _log_write(options, call, wire.correlation_of(request), f"refused: {sum(refusals)} of {len(refusals)} entries")


def _log_write(options: ClientOptions, call: str, correlation_id: str, text: str) -> None:
    log(WRITES, logging.WARNING, f"{call}{_correlated(correlation_id)}: {text}", api_key=options.api_key)


def _correlated(correlation_id: str) -> str:
    return f" [{correlation_id}]" if correlation_id else ""
