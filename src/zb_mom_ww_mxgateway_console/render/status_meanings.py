"""Meaning of the statuses and hresults of MXAccess, in plain words."""

from zb_mom_ww_mxgateway.status import MxStatus, StatusCategory, StatusSource, hresult_text, quality_word

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


def status_meaning(status: MxStatus, *, where: bool = True) -> str:
    """Return the meaning of an MXSTATUS_PROXY: its known detail or its category, and who detected it unless `where` is
    false."""
    what = _DETAILS.get(status.detail) if status.failed else None
    what = what or (_CATEGORIES.get(status.category) if isinstance(status.category, StatusCategory) else None)
    if what is None:
        return "a status unknown to this shell" if status.failed else "nothing is wrong"
    source = _SOURCES.get(status.detected_by) if where and isinstance(status.detected_by, StatusSource) else None
    return f"{what} ({source})" if source else what


def hresult_meaning(hresult: int) -> str:
    """Return the usual spelling of a signed hresult, and its meaning if known."""
    known = _HRESULTS.get(hresult & 0xFFFFFFFF)
    return f"{hresult_text(hresult)}{f' {known}' if known else ''}"


def quality_meaning(quality: int) -> str:
    """Return the meaning of an OPC quality byte."""
    plain = quality & 0xFC
    return _QUALITIES.get(plain, f"{quality_word(plain)}, for an unlisted reason ({quality})")


def quality_reason(quality: int) -> str:
    """Return why a value of this OPC quality byte is not good; empty where the byte does not tell."""
    return quality_meaning(quality).partition(": ")[2]
