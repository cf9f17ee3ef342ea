"""Failures of calls as errors of the library: one line each, naming call and endpoint, without the key."""

import re
from typing import Any

import grpc.aio

from zb_mom_ww_mxgateway import auth, wire
from zb_mom_ww_mxgateway.errors import (
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    error_of_grpc,
    may_have_run,
)
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.transport.tls import TRUST_ADVICE

_TIMED_OUT = ("Deadline Exceeded", "Stream removed (Deadline Exceeded)")
_HTTP_1 = re.compile(r"http1\.x server( \(HTTP status \d+\))?")
_DISTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED: ([^:]+)")


def printable(options: ClientOptions, text: str, secret: str = "") -> str:
    """Return a text of the gateway in one line, without the key and without this secret."""
    return " ".join(_without_secrets(options, text, secret).split())


def _without_secrets(options: ClientOptions, text: str, secret: str) -> str:
    return auth.redact(text.replace(secret, "***") if secret else text, options.api_key)


def translated(
    options: ClientOptions, error: Exception, call: str, request: Any, *, of_session: bool, mutating: bool = False
) -> MxGatewayError:
    """Return the error for a failure of gRPC. Of a `mutating` call it says whether the outcome is unknown."""
    if isinstance(error, grpc.aio.AioRpcError):
        code, details = error.code().name, error.details() or ""
        unknown = mutating and may_have_run(code, details)
    else:
        # The channel was closed under the call, or gRPC refused to make it.
        code, details = "UNAVAILABLE", f"{type(error).__name__}: {error}"
        unknown = mutating
    secret = wire.secret_of(request)
    reason = printable(options, _in_short(details), secret) or "no reason given"
    result = error_of_grpc(code, details, of_session=of_session)(
        f"{'outcome unknown: ' if unknown else ''}{call} at {options.endpoint}: {code} {reason}",
        endpoint=options.endpoint,
        call=call,
        grpc_code=code,
        correlation_id=wire.correlation_of(request) or None,
        outcome_unknown=unknown,
        advice=TRUST_ADVICE if _DISTRUSTED.search(details) and _may_remember(options) else "",
    )
    # A traceback shows the cause too: not one that quotes the key, or a password.
    quoted = str(error)
    result.__cause__ = error if _without_secrets(options, quoted, secret) == quoted else None
    # Its traceback holds the call, and that the connection, for as long as the error is kept.
    error.__traceback__ = None
    return result


def _may_remember(options: ClientOptions) -> bool:
    return options.trust_on_first_use and options.remember_certificate


def undecodable(
    options: ClientOptions, reply: wire.Undecodable, call: str, *, mutating: bool = False
) -> MxGatewayTransportError:
    """Return the error for a message that is none of the contract."""
    return MxGatewayTransportError(
        f"{'outcome unknown: ' if mutating else ''}{call} at {options.endpoint}: {reply}; {wire.COMPARE}",
        endpoint=options.endpoint,
        call=call,
        outcome_unknown=mutating,
    )


def _in_short(details: str) -> str:
    """Cut gRPC's long words to the reason: of a connection that is refused, or whose certificate is, of a server of
    another kind, and of a time-out here."""
    refused = re.fullmatch(r"failed to connect to all addresses; .*: Failed to connect to remote host: (.+)", details)
    if refused:
        return f"no connection: {refused[1]}"
    if distrusted := _DISTRUSTED.search(details):
        return f"no connection: the gateway shows a certificate that is not the trusted one ({distrusted[1]})"
    if http := _HTTP_1.search(details):
        return f"no connection: a server for HTTP/1 answers there{http[1] or ''}, no gateway; check the port"
    return "no answer in time" if details in _TIMED_OUT else details


def not_connected(options: ClientOptions, call: str, request: Any) -> MxGatewayTransportError:
    """Return the error of a call that was not sent, as there is no connection."""
    return MxGatewayTransportError(
        f"{call} at {options.endpoint}: not connected; nothing was sent",
        endpoint=options.endpoint,
        call=call,
        grpc_code="UNAVAILABLE",
        correlation_id=wire.correlation_of(request) or None,
    )


def session_lost(options: ClientOptions, call: str, request: Any, when: str) -> MxGatewaySessionError:
    """Return the error of a call whose session was lost; `when` says that, and what it means for the call."""
    return MxGatewaySessionError(
        f"{call} at {options.endpoint}: the session was lost {when}",
        endpoint=options.endpoint,
        call=call,
        correlation_id=wire.correlation_of(request) or None,
    )


def ended_here(
    options: ClientOptions, call: str, request: Any, what: str, *, mutating: bool
) -> MxGatewayTransportError:
    """Return the error of a call that `what` was done here to end."""
    return MxGatewayTransportError(
        f"{'outcome unknown: ' if mutating else ''}{call}: the {what} before the answer came",
        endpoint=options.endpoint,
        call=call,
        correlation_id=wire.correlation_of(request) or None,
        outcome_unknown=mutating,
    )
