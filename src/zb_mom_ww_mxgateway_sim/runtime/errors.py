"""Errors of the simulator.

SimulatorError and its subclasses are for the program that starts a gateway; each is one readable line. CallRefused and
its subclasses end a call of a client, and StreamEnded ends an event stream; ``code`` is the name of the gRPC status.
"""


class SimulatorError(Exception):
    """The simulator cannot do what was asked of it."""


class CertificateError(SimulatorError):
    """The certificate cannot be stored."""


class FaultError(SimulatorError):
    """The fault is malformed, or impossible with this gateway."""


class ListenError(SimulatorError):
    """The gateway cannot listen at its address."""


class PlantError(SimulatorError):
    """The plant file, or a function of a plant, is wrong."""


class ReplayError(SimulatorError):
    """The file is no recording, or cannot be played."""


class TagError(SimulatorError):
    """The tag is malformed, its name is taken, or there is none."""


class LineError(Exception):
    """A mistake in a line, at a column from 1. The reader of the file adds the line's number."""

    def __init__(self, column: int, text: str) -> None:
        super().__init__(text)
        self.column = column
        self.text = text


class CallRefused(Exception):
    """The call ends with this gRPC status and text."""

    code: str = "UNKNOWN"

    # The protocol status with the same meaning; empty where replies have none.
    protocol_status: str = ""
    # Whether the gateway always answers with that protocol status, and never with the gRPC status.
    in_reply: bool = False

    def __init__(self, text: str, code: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        if code is not None:
            self.code = code


class InvalidRequest(CallRefused):
    """The request contradicts itself or the contract."""

    code = "INVALID_ARGUMENT"
    protocol_status = "INVALID_REQUEST"


class NotAuthenticated(CallRefused):
    """The key is missing or not accepted. All reasons get the same answer."""

    code = "UNAUTHENTICATED"


class NotAllowed(CallRefused):
    """The key lacks a scope, or the tag is outside its sub-trees."""

    code = "PERMISSION_DENIED"


class SessionNotFound(CallRefused):
    """No open session has this id."""

    code = "NOT_FOUND"
    protocol_status = "SESSION_NOT_FOUND"


class ObjectNotFound(CallRefused):
    """The galaxy has no object that is named as root or parent."""

    code = "NOT_FOUND"


class SessionNotReady(CallRefused):
    """The session exists but takes no commands."""

    code = "FAILED_PRECONDITION"
    protocol_status = "SESSION_NOT_READY"


class SessionStarting(SessionNotReady):
    """The session's worker is starting."""

    in_reply = True


class WorkerEnded(CallRefused):
    """The session's worker has ended."""

    code = "UNAVAILABLE"
    protocol_status = "WORKER_UNAVAILABLE"
    in_reply = True


class AlarmsDisabled(CallRefused):
    """The gateway's configuration does not enable alarms."""

    code = "FAILED_PRECONDITION"


class CannotAcknowledge(CallRefused):
    """Alarms come from subtags, and no acknowledge subtag of this alarm is known."""

    code = "FAILED_PRECONDITION"


class BadAlarmReference(InvalidRequest):
    """The text is neither an alarm reference nor a GUID."""

    in_reply = True


class AlreadyAttached(CallRefused):
    """The session already has its one event subscriber."""

    code = "ALREADY_EXISTS"


class Exhausted(CallRefused):
    """Too many sessions are open, or too many commands of one are pending."""

    code = "RESOURCE_EXHAUSTED"


class TooLarge(CallRefused):
    """The reply is larger than a message may be."""

    code = "RESOURCE_EXHAUSTED"


class CommandTimedOut(CallRefused):
    """The caller's wait is over; the command still runs in the worker."""

    code = "DEADLINE_EXCEEDED"
    protocol_status = "TIMEOUT"


class ConnectionLost(CallRefused):
    """The call broke; its effect is unknown to the caller."""

    code = "UNAVAILABLE"


class StreamEnded(Exception):
    """The event stream is over: regularly if ``code`` is None, else with that gRPC status."""

    def __init__(self, code: str | None, text: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
