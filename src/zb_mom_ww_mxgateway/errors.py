"""Errors and warnings of the library.

Their classes::

    MxGatewayError
    ├── MxGatewayArgumentError (also ValueError)   invalid argument or option; nothing was sent
    │   └── MxGatewayMissingExtraError             what was asked for needs an extra that is not installed
    ├── MxGatewayWriteBlockedError                 the client's own write guard refused; nothing was sent
    ├── MxGatewayTransportError                    no connection, a broken one, or noise on it
    │   └── MxGatewayCertificateChangedError       the gateway shows another certificate than the remembered one
    ├── MxGatewayAuthenticationError               no key, or not a valid one
    ├── MxGatewayAuthorizationError                the key lacks the scope
    ├── MxGatewaySessionError                      session unknown, expired, not ready, overflowed, or in use
    ├── MxGatewayWorkerError                       the session's worker is down or did not answer in time
    ├── MxGatewayWaitError (also TimeoutError)     the awaited condition was not met in time
    └── MxGatewayCommandError                      the gateway refused the command
        ├── MxGatewayContractError                 its answer does not fit the contract that is spoken here
        ├── MxGatewayGalaxyChangedError            a deployment came between the pages of a list
        └── MxAccessError                          MXAccess refused it: hresult and statuses say why

    MxGatewayWarning (UserWarning)
    ├── MxGatewayProtocolWarning                   the gateway speaks another protocol version
    └── MxGatewayKeyWarning                        something outside this library shows the API key

An error is one line for a person and fields for a program. It never contains a key or a password. It can be copied
and pickled if its fields can.
"""

from typing import Any

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.status import MxStatus, ProtocolStatusCode

# After these the command may have run, so the outcome of a write is unknown.
_GRPC_MAYBE_RAN = frozenset(
    {
        "CANCELLED",
        "UNKNOWN",
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "ABORTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
    }
)
_PROTOCOL_MAYBE_RAN = frozenset(
    {
        ProtocolStatusCode.UNSPECIFIED,
        ProtocolStatusCode.WORKER_UNAVAILABLE,
        ProtocolStatusCode.TIMEOUT,
        ProtocolStatusCode.CANCELED,
        ProtocolStatusCode.PROTOCOL_VIOLATION,
    }
)


_LONGEST = 2_000


def readable(message: str) -> str:
    """Return a message that may quote the gateway or a person: one line of limited length, keys redacted, control
    characters escaped."""
    message = redact(message)
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]} … ({len(message) - _LONGEST} characters more)"
    if message.isprintable():
        return message
    return "".join(
        char if char.isprintable() else " " if char.isspace() else char.encode("unicode_escape").decode("ascii")
        for char in message
    )


COMMAND_SECONDS: float = 75.0
"""How long the gateway lets a command run in its worker, also after its caller has given up."""


class MxGatewayError(Exception):
    """Base class of all errors. Unknown fields are None or empty."""

    def __init__(
        self,
        message: str,
        *,
        endpoint: str | None = None,
        call: str | None = None,
        grpc_code: str | None = None,
        protocol_status: ProtocolStatusCode | int | None = None,
        hresult: int | None = None,
        statuses: tuple[MxStatus, ...] = (),
        reply: Any = None,
        correlation_id: str | None = None,
        outcome_unknown: bool = False,
        advice: str = "",
    ) -> None:
        super().__init__(readable(message))
        self.endpoint = endpoint
        """``host:port`` of the gateway."""
        self.call = call
        """The RPC or command that failed, as the library spells it (``write``, ``open_session``)."""
        self.grpc_code = grpc_code
        """Name of the gRPC status code, if a gRPC status was the cause."""
        self.protocol_status = protocol_status
        """The gateway's protocol status, if a reply was the cause."""
        self.hresult = hresult
        """Signed hresult of MXAccess."""
        self.statuses = statuses
        """Every MXSTATUS_PROXY of the reply."""
        self.reply = reply
        """The raw protobuf reply."""
        self.correlation_id = correlation_id
        self.outcome_unknown = outcome_unknown
        """True if the call changes the plant and may have taken effect, or may still, up to 75 s after it was sent.

        It is never sent again.
        """
        self.advice = advice
        """The part of the message that names arguments of this library; command lines show their own options."""

    @property
    def never_reached(self) -> bool:
        """Whether nothing in the plant can have changed: there was no connection, or the session no longer existed.

        A call that changes the plant may then be sent again over another connection or session.
        """
        if self.outcome_unknown or not isinstance(self, MxGatewaySessionError | MxGatewayTransportError):
            return False
        if isinstance(self, MxGatewaySessionError):
            return self.grpc_code in (None, "NOT_FOUND", "FAILED_PRECONDITION") and self.protocol_status in (
                None,
                ProtocolStatusCode.SESSION_NOT_FOUND,
                ProtocolStatusCode.SESSION_NOT_READY,
            )
        return self.grpc_code == "UNAVAILABLE"

    def __reduce__(self) -> tuple[Any, ...]:
        # Without calling the class: some need more arguments than the message.
        return _restored, (type(self), self.args, dict(self.__dict__))


def _restored(kind: type[MxGatewayError], arguments: tuple[Any, ...], fields: dict[str, Any]) -> MxGatewayError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    error.__dict__.update(fields)
    return error


class MxGatewayWaitError(MxGatewayError, TimeoutError):
    """The awaited condition was not met in time."""

    def __init__(self, message: str, *, seen: tuple[Any, ...] = (), course: Any = None, **known: Any) -> None:
        super().__init__(message, **known)
        self.seen = seen
        """The last values (LiveValue) seen during the wait, oldest first."""
        self.course = course
        """The course of the wait (WaitCourse); None if nothing was seen."""


class MxGatewayWarning(UserWarning):
    """Base class of the warnings."""


class MxGatewayProtocolWarning(MxGatewayWarning):
    """The gateway speaks another protocol version than this library."""


class MxGatewayKeyWarning(MxGatewayWarning):
    """Something outside this library shows the API key, such as gRPC's own tracing."""


class MxGatewayArgumentError(MxGatewayError, ValueError):
    """Invalid argument or option. Nothing was sent."""


class MxGatewayMissingExtraError(MxGatewayArgumentError):
    """What was asked for needs an extra of this distribution that is not installed; the message names it."""


class MxGatewayWriteBlockedError(MxGatewayError):
    """The client's own write guard refused a call that changes the plant. Nothing was sent."""

    def __init__(self, message: str, *, pending: Any = None, **known: Any) -> None:
        super().__init__(message, **known)
        self.pending = pending
        """The refused call (PendingWrite)."""


class MxGatewayTransportError(MxGatewayError):
    """No connection, a broken connection, or something on it that is not the gateway's protocol."""

    is_lasting = False
    """True if another attempt would fail in the same way: the gateway answers, but not as the expected one."""


class MxGatewayCertificateChangedError(MxGatewayTransportError):
    """The gateway shows another certificate than the remembered one. Nothing was sent to it."""

    is_lasting = True

    def __init__(self, message: str, *, trusted: str, presented: str, first_seen: str, **known: Any) -> None:
        super().__init__(message, **known)
        self.trusted = trusted
        """SHA-256 fingerprint of the remembered certificate."""
        self.presented = presented
        """SHA-256 fingerprint of the certificate shown now."""
        self.first_seen = first_seen
        """When the remembered certificate was trusted (ISO 8601)."""


class MxGatewayAuthenticationError(MxGatewayError):
    """No key, a key that cannot be sent, or a key that the gateway does not accept."""


class MxGatewayAuthorizationError(MxGatewayError):
    """The key is valid but lacks the scope for this call."""


class MxGatewaySessionError(MxGatewayError):
    """The session is unknown, expired, not ready, overflowed, or its event stream is taken."""


class MxGatewayWorkerError(MxGatewayError):
    """The session's worker is down, or did not answer in time."""


class MxGatewayCommandError(MxGatewayError):
    """The gateway refused the command."""


class MxGatewayContractError(MxGatewayCommandError):
    """The gateway's answer does not fit the contract that is spoken here: it may number its messages differently."""


class MxGatewayGalaxyChangedError(MxGatewayCommandError):
    """The galaxy was deployed while a list was read: the pages read so far belong to the old galaxy."""


class MxAccessError(MxGatewayCommandError):
    """MXAccess refused the command: see :attr:`hresult` and :attr:`statuses`."""


GRPC_ERRORS: dict[str, type[MxGatewayError]] = {
    "CANCELLED": MxGatewayTransportError,
    "UNKNOWN": MxGatewayTransportError,
    "INVALID_ARGUMENT": MxGatewayCommandError,
    "DEADLINE_EXCEEDED": MxGatewayWorkerError,
    "NOT_FOUND": MxGatewaySessionError,
    "ALREADY_EXISTS": MxGatewaySessionError,
    "PERMISSION_DENIED": MxGatewayAuthorizationError,
    "RESOURCE_EXHAUSTED": MxGatewaySessionError,
    "FAILED_PRECONDITION": MxGatewaySessionError,
    "ABORTED": MxGatewayCommandError,
    "OUT_OF_RANGE": MxGatewayCommandError,
    "UNIMPLEMENTED": MxGatewayCommandError,
    "INTERNAL": MxGatewayTransportError,
    "UNAVAILABLE": MxGatewayTransportError,
    "DATA_LOSS": MxGatewayTransportError,
    "UNAUTHENTICATED": MxGatewayAuthenticationError,
}
"""Error class by the name of the gRPC status."""

PROTOCOL_ERRORS: dict[ProtocolStatusCode, type[MxGatewayError]] = {
    ProtocolStatusCode.UNSPECIFIED: MxGatewayCommandError,
    ProtocolStatusCode.INVALID_REQUEST: MxGatewayCommandError,
    ProtocolStatusCode.SESSION_NOT_FOUND: MxGatewaySessionError,
    ProtocolStatusCode.SESSION_NOT_READY: MxGatewaySessionError,
    ProtocolStatusCode.WORKER_UNAVAILABLE: MxGatewayWorkerError,
    ProtocolStatusCode.TIMEOUT: MxGatewayWorkerError,
    ProtocolStatusCode.CANCELED: MxGatewayTransportError,
    ProtocolStatusCode.PROTOCOL_VIOLATION: MxGatewayWorkerError,
    ProtocolStatusCode.MXACCESS_FAILURE: MxAccessError,
}
"""Error class by protocol status. One problem is one class, also as a gRPC status."""

_SESSION_ONLY = frozenset({"NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"})


def error_of_grpc(code: str, details: str, *, of_session: bool) -> type[MxGatewayError]:
    """Return the error class for a gRPC status; `of_session`: whether the call belongs to a session."""
    if code == "RESOURCE_EXHAUSTED" and "message larger than max" in details:
        return MxGatewayTransportError
    if code in _SESSION_ONLY and not of_session:
        return MxGatewayCommandError
    if code == "DEADLINE_EXCEEDED" and not of_session:
        return MxGatewayTransportError  # No worker is involved.
    # Outside a reply, the gateway reports WORKER_UNAVAILABLE like this; a lost connection never mentions a worker.
    if code == "UNAVAILABLE" and "worker" in details.lower():
        return MxGatewayWorkerError
    return GRPC_ERRORS.get(code, MxGatewayTransportError)


def may_have_run(code: str, details: str) -> bool:
    """Whether a command that ended in this gRPC status may have been carried out."""
    # gRPC reports these only if it had no connection for the call, or refused to send it because of its size.
    if code == "UNAVAILABLE" and "failed to connect to all addresses" in details:
        return False
    if code == "RESOURCE_EXHAUSTED" and "CLIENT: Sent message larger than max" in details:
        return False
    return code in _GRPC_MAYBE_RAN


def may_have_run_despite(status: ProtocolStatusCode | int) -> bool:
    """Whether a command answered with this protocol status may have been carried out."""
    return not isinstance(status, ProtocolStatusCode) or status in _PROTOCOL_MAYBE_RAN
