"""Meaning of MXAccess's numbers, in plain words."""

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, MxGatewayError, MxGatewaySessionError, MxGatewayWorkerError
from zb_mom_ww_mxgateway.models.galaxy import SECURED_WRITE, SECURITY_NAMES, VERIFIED_WRITE, VIEW_ONLY
from zb_mom_ww_mxgateway.status import (
    MxStatus,
    ProtocolStatusCode,
    StatusCategory,
    StatusSource,
    hresult_text,
    quality_word,
)

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
_CATEGORIES = {
    StatusCategory.PENDING: "the answer is pending",
    StatusCategory.WARNING: "done, with a warning",
    StatusCategory.COMMUNICATION_ERROR: "a part on the way to the object does not answer: its engine, its platform "
    "or the device behind it",
    StatusCategory.CONFIGURATION_ERROR: "the address is wrong: no such object or attribute is deployed",
    StatusCategory.OPERATIONAL_ERROR: "the object received the request but cannot execute it in its present state",
    StatusCategory.SECURITY_ERROR: "the attribute's security does not allow it",
    StatusCategory.SOFTWARE_ERROR: "internal error of MXAccess or the object: their log on the plant's side says more",
    StatusCategory.OTHER_ERROR: "MXAccess reports a failure without a reason",
}
_SOURCES = {
    StatusSource.REQUESTING_LMX: "detected on the gateway's machine, before it was forwarded",
    StatusSource.RESPONDING_LMX: "detected by the engine that has the object",
    StatusSource.REQUESTING_NMX: "detected by the messaging of the gateway's machine",
    StatusSource.RESPONDING_NMX: "detected by the messaging of the object's machine",
    StatusSource.REQUESTING_AUTOMATION_OBJECT: "detected by the object that asked",
    StatusSource.RESPONDING_AUTOMATION_OBJECT: "detected by the object itself",
}
_DETAILS = {
    16: "the request timed out",
    17: "the object's platform does not answer",
    20: "the object's engine does not answer",
    21: "the reference is not valid",
    22: "there is no galaxy repository",
    28: "the index is out of range: elements count from 1",
    29: "the value is out of the attribute's range",
    30: "the value is not of the attribute's type",
    31: "the attribute cannot be read",
    32: "the attribute cannot be written",
    33: "write access was denied",
    56: "the attribute takes a secured write only",
    57: "the attribute takes a verified write only",
    1003: "an array is addressed with brackets: [] is all of it, [1] its first element",
}
# OPC quality byte, without its two limit bits.
_QUALITIES = {
    0: "bad, without a reason",
    4: "bad: the configuration is wrong",
    8: "bad: not connected to its source",
    12: "bad: the device failed",
    16: "bad: the sensor failed",
    20: "bad: the source is lost; this is its last value",
    24: "bad: no communication with the source, and no last value",
    28: "bad: out of service",
    32: "bad: waiting for the first value",
    64: "uncertain, without a reason",
    68: "uncertain: its writer stopped updating it",
    80: "uncertain: the sensor is not accurate",
    84: "uncertain: beyond the limits of its engineering units",
    88: "uncertain: fewer good sources than it needs",
    192: "good",
    216: "good, but overridden locally: a person forced it",
}
_HRESULTS = {
    0x80004001: "E_NOTIMPL: not implemented",
    0x80004002: "E_NOINTERFACE: an interface is missing",
    0x80004003: "E_POINTER: an invalid pointer",
    0x80004004: "E_ABORT: it was aborted",
    0x80004005: "E_FAIL: it failed without a reason",
    0x80004021: "a secured write without a user who signs for it, or without a value",
    0x8000FFFF: "E_UNEXPECTED: it failed unexpectedly",
    0x80010105: "RPC_E_SERVERFAULT: internal error of the server",
    0x80010108: "RPC_E_DISCONNECTED: the MXAccess object is gone from its clients",
    0x80020009: "DISP_E_EXCEPTION: an internal exception",
    0x80040154: "REGDB_E_CLASSNOTREG: MXAccess is not registered on the gateway's machine",
    0x80070005: "E_ACCESSDENIED: access denied",
    0x80070006: "E_HANDLE: no such handle",
    0x8007000E: "E_OUTOFMEMORY: out of memory",
    0x80070057: "E_INVALIDARG: a value does not fall within the expected range; also an item that has had no value yet",
    0x800706BA: "the MXAccess server is not available",
    0x800706BE: "the MXAccess server disconnected",
}


def status_meaning(status: MxStatus) -> str:
    """Return the meaning of an MXSTATUS_PROXY: its known detail or its category, and who detected it."""
    what = _DETAILS.get(status.detail) if status.failed else None
    what = what or (_CATEGORIES.get(status.category) if isinstance(status.category, StatusCategory) else None)
    if what is None:
        return "a status unknown to this shell" if status.failed else "nothing is wrong"
    where = _SOURCES.get(status.detected_by) if isinstance(status.detected_by, StatusSource) else None
    return f"{what} ({where})" if where else what


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


def quality_meaning(quality: int) -> str:
    """Return the meaning of an OPC quality byte."""
    plain = quality & 0xFC
    return _QUALITIES.get(plain, f"{quality_word(plain)}, for an unlisted reason ({quality})")


def hresult_meaning(hresult: int) -> str:
    """Return the usual spelling of a signed hresult, and its meaning if known."""
    known = _HRESULTS.get(hresult & 0xFFFFFFFF)
    return f"{hresult_text(hresult)}{f' {known}' if known else ''}"


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
    return ""
