"""Meaning of MXAccess's numbers, in plain words."""

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, MxGatewayError, MxGatewaySessionError, MxGatewayWorkerError
from zb_mom_ww_mxgateway.models.security_classes import SECURED_WRITE, SECURITY_NAMES, VERIFIED_WRITE, VIEW_ONLY
from zb_mom_ww_mxgateway.status import ProtocolStatusCode
from zb_mom_ww_mxgateway.transport.tls import TRUST_ADVICE

_SECURITY = {
    0: "anybody may write it",
    1: "it may be written",
    SECURED_WRITE: "it takes a secured write only: a user must sign for it",
    VERIFIED_WRITE: "it takes a verified write only: two users must sign for it",
    4: "users with the permission to tune may write it",
    5: "users with the permission to configure may write it, some objects only while off scan",
    VIEW_ONLY: "it is read-only: MXAccess refuses every write",
}
_BY_ITS_OBJECT = "only its object sets it"
_BY_USERS = "users may write it, objects and scripts may not"
_BY_OBJECTS = "objects and scripts may write it, users may not"
_BY_ALL = "users, objects and scripts may write it"
_ATTRIBUTE_CATEGORIES = {
    0: ("PackageOnly", "it exists in the IDE, not at run time"),
    1: ("PackageOnly_Lockable", "it exists in the IDE, not at run time"),
    2: ("Calculated", _BY_ITS_OBJECT),
    3: ("CalculatedRetentive", f"{_BY_ITS_OBJECT}; it survives a restart"),
    4: ("Writeable_U", _BY_USERS),
    5: ("Writeable_S", _BY_OBJECTS),
    6: ("Writeable_US", _BY_ALL),
    7: ("Writeable_UC", _BY_USERS),
    8: ("Writeable_USC", _BY_ALL),
    9: ("Writeable_UC_Lockable", _BY_USERS),
    10: ("Writeable_USC_Lockable", _BY_ALL),
    11: ("Writeable_C_Lockable", "it is set in the IDE; nothing can write it at run time"),
}


def security_name(classification: int) -> str:
    """Return the galaxy's name of a security classification; its number if unknown."""
    return SECURITY_NAMES[classification] if classification in _SECURITY else str(classification)


def security_meaning(classification: int) -> str:
    """Return what a security classification requires of a writer; empty if unknown."""
    return _SECURITY.get(classification, "")


def category_text(category: int) -> str:
    """Return the name of an attribute's category and who may write it; its number if unknown."""
    if category not in _ATTRIBUTE_CATEGORIES:
        return str(category)
    name, meaning = _ATTRIBUTE_CATEGORIES[category]
    return f"{name} ({category}): {meaning}"


def distrust_meaning(error: BaseException | None) -> str:
    """Return what to type where another certificate keeps a connection from coming back, in parentheses after a space.

    It is empty for any other error, and for one that says it itself.
    """
    if not isinstance(error, MxGatewayError) or error.advice != TRUST_ADVICE or error.advice in str(error):
        return ""
    return (
        f" (if it was given a new one, compare the fingerprint with its log, then trust {error.endpoint} here, or "
        f"mxgw-shell trust {error.endpoint} in another terminal: then this connection comes back by itself)"
    )


def loss_meaning(error: BaseException | None) -> str:
    """Return why a session may have been lost, in parentheses after a space; empty where the error says it all."""
    if not isinstance(error, MxGatewayError):
        return ""
    codes = {error.grpc_code, error.protocol_status}
    if isinstance(error, MxGatewaySessionError) and codes & {"NOT_FOUND", ProtocolStatusCode.SESSION_NOT_FOUND}:
        return (
            " (the gateway does not know it any more: the gateway restarted, the session's lease ended, or an "
            "administrator closed it in the gateway's dashboard)"
        )
    ended = {"FAILED_PRECONDITION", ProtocolStatusCode.SESSION_NOT_READY}
    if isinstance(error, MxGatewayWorkerError):
        ended = {"UNAVAILABLE", ProtocolStatusCode.WORKER_UNAVAILABLE}
    if isinstance(error, MxGatewaySessionError | MxGatewayWorkerError) and codes & ended:
        return (
            f" (its worker ended: it failed, a command hung for more than {COMMAND_SECONDS:g} s, or an administrator "
            "killed it in the gateway's dashboard)"
        )
    return distrust_meaning(error)
