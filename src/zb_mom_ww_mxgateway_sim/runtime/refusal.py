"""Why a call ends with a gRPC status other than OK. ``code`` is the status's name."""


class Refused(Exception):
    """The call ends with this gRPC status and text."""

    code = "UNKNOWN"

    # The protocol status that says the same in a reply, where the reply has one.
    protocol_status: str | None = None
    # Whether a reply is how it is said, even of a gateway that prefers gRPC statuses.
    in_reply = False

    def __init__(self, text: str, code: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        if code is not None:
            self.code = code


class InvalidRequest(Refused):
    """The request contradicts itself or the contract."""

    code = "INVALID_ARGUMENT"
    protocol_status = "INVALID_REQUEST"


class NotAuthenticated(Refused):
    """No key, or not a good one: one answer for all."""

    code = "UNAUTHENTICATED"


class NotAllowed(Refused):
    """The key lacks a scope, or the tag is outside of its sub-trees."""

    code = "PERMISSION_DENIED"


class NoSuchSession(Refused):
    """There is no such session, or not any more."""

    code = "NOT_FOUND"
    protocol_status = "SESSION_NOT_FOUND"


class NoSuchObject(Refused):
    """The galaxy has no such object to start from."""

    code = "NOT_FOUND"


class NotReady(Refused):
    """The session exists but takes no commands."""

    code = "FAILED_PRECONDITION"
    protocol_status = "SESSION_NOT_READY"


class NotYetReady(NotReady):
    """The session's worker is starting."""

    in_reply = True


class WorkerGone(Refused):
    """The session has no worker any more."""

    code = "UNAVAILABLE"
    protocol_status = "WORKER_UNAVAILABLE"
    in_reply = True


class AlarmsDisabled(Refused):
    """The gateway's configuration does not enable alarms."""

    code = "FAILED_PRECONDITION"


class CannotAcknowledge(Refused):
    """Alarms come from subtags, and none is known that acknowledges this one."""

    code = "FAILED_PRECONDITION"


class BadAlarmReference(InvalidRequest):
    """Neither a reference nor a GUID."""

    in_reply = True


class AlreadyAttached(Refused):
    """The session has its one event subscriber."""

    code = "ALREADY_EXISTS"


class Exhausted(Refused):
    """Too many sessions, or too many pending commands of one."""

    code = "RESOURCE_EXHAUSTED"


class TooLarge(Refused):
    """The answer would be larger than a message may be."""

    code = "RESOURCE_EXHAUSTED"


class TookTooLong(Refused):
    """The command runs on, but nobody waits for it any more."""

    code = "DEADLINE_EXCEEDED"
    protocol_status = "TIMEOUT"


class ConnectionLost(Refused):
    """The call broke; whether it had an effect, the caller cannot know."""

    code = "UNAVAILABLE"


class Ended(Exception):
    """An event stream is over: regularly when ``code`` is None, else with that gRPC status."""

    def __init__(self, code: str | None, text: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
