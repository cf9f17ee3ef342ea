"""Why a call ends with a gRPC status other than OK. ``code`` is the status's name."""


class CallRefused(Exception):
    """The call ends with this gRPC status and text."""

    code: str = "UNKNOWN"

    # The protocol status that says the same in a reply; empty where a reply has none.
    protocol_status: str = ""
    # True where the gateway answers with a reply, even if it prefers gRPC statuses.
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
    """No key, or not a good one: one answer for all."""

    code = "UNAUTHENTICATED"


class NotAllowed(CallRefused):
    """The key lacks a scope, or the tag is outside of its sub-trees."""

    code = "PERMISSION_DENIED"


class SessionNotFound(CallRefused):
    """There is no such session, or not any more."""

    code = "NOT_FOUND"
    protocol_status = "SESSION_NOT_FOUND"


class ObjectNotFound(CallRefused):
    """The galaxy has no such object to start from."""

    code = "NOT_FOUND"


class SessionNotReady(CallRefused):
    """The session exists but takes no commands."""

    code = "FAILED_PRECONDITION"
    protocol_status = "SESSION_NOT_READY"


class SessionStarting(SessionNotReady):
    """The session's worker is starting."""

    in_reply = True


class WorkerEnded(CallRefused):
    """The session has no worker any more."""

    code = "UNAVAILABLE"
    protocol_status = "WORKER_UNAVAILABLE"
    in_reply = True


class AlarmsDisabled(CallRefused):
    """The gateway's configuration does not enable alarms."""

    code = "FAILED_PRECONDITION"


class CannotAcknowledge(CallRefused):
    """Alarms come from subtags, and none is known that acknowledges this one."""

    code = "FAILED_PRECONDITION"


class BadAlarmReference(InvalidRequest):
    """Neither a reference nor a GUID."""

    in_reply = True


class AlreadyAttached(CallRefused):
    """The session has its one event subscriber."""

    code = "ALREADY_EXISTS"


class Exhausted(CallRefused):
    """Too many sessions, or too many pending commands of one."""

    code = "RESOURCE_EXHAUSTED"


class TooLarge(CallRefused):
    """The answer would be larger than a message may be."""

    code = "RESOURCE_EXHAUSTED"


class CommandTimedOut(CallRefused):
    """The command runs on, but nobody waits for it any more."""

    code = "DEADLINE_EXCEEDED"
    protocol_status = "TIMEOUT"


class ConnectionLost(CallRefused):
    """The call broke; whether it had an effect, the caller cannot know."""

    code = "UNAVAILABLE"


class StreamEnded(Exception):
    """An event stream is over: regularly when ``code`` is None, else with that gRPC status."""

    def __init__(self, code: str | None, text: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
