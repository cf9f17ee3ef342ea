"""Refusals of writes by the plant: by MXAccess, or by what the gateway lets a key do; and the one that is expected."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError
from zb_mom_ww_mxgateway.models.security_classes import SECURED_WRITE, SECURITY_NAMES, VERIFIED_WRITE, VIEW_ONLY
from zb_mom_ww_mxgateway.status import MxStatus, StatusCategory, first_failed, hresult_text, name_of
from zb_mom_ww_mxgateway_console.render.status_meanings import hresult_meaning, status_meaning

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteResult

_DECIDES = (VIEW_ONLY, SECURED_WRITE, VERIFIED_WRITE)
"""Security classifications that explain a refusal whoever writes."""
_DENIED = (32, 33, 56, 57)
"""Details of statuses that deny a write."""
_MXACCESS, _GATEWAY = "MXAccess", "the gateway"
_NOT_ALLOWED = "PERMISSION_DENIED"
STATUS_NAMES = (
    *(each.name for each in StatusCategory if each >= StatusCategory.COMMUNICATION_ERROR),
    _NOT_ALLOWED,
)
"""The words by which a refusal can be named, beside the number of a detail and an hresult."""
_HRESULT = re.compile(r"0X[0-9A-F]{8}")
_DETAIL = re.compile(r"[0-9]{1,9}")


def refusal_status(text: str) -> str:
    """Return the status of a refusal that a text names; raise ValueError if it names none."""
    name = text.upper().replace("-", "_")
    if name in STATUS_NAMES or _DETAIL.fullmatch(name):
        return name
    if _HRESULT.fullmatch(name):
        return f"0x{name[2:]}"
    raise ValueError(
        f"a status is expected behind --refused: one of {', '.join(STATUS_NAMES)}, the number of a detail such as 33, "
        "or an hresult such as 0x80070005"
    )


def refusal_meaning(result: "WriteResult", security: int | None = None) -> str:
    """Return what a refusal means, in a few words; empty where nothing tells.

    `security` is the security classification of the tag, where it is known.
    """
    error = result.error
    if isinstance(error, MxGatewayAuthorizationError):
        return "the API key does not allow it"
    return denial_meaning(result.statuses, error.hresult if error is not None else None, security)


def denial_meaning(statuses: Sequence[MxStatus], hresult: int | None, security: int | None = None) -> str:
    """Return what a refusal with these statuses, or this hresult, means; empty where nothing tells."""
    status = first_failed(statuses)
    if status is not None:
        named = f" ({SECURITY_NAMES[security]})" if security in _DECIDES else ""
        is_denied = status.category is StatusCategory.SECURITY_ERROR or status.detail in _DENIED
        if security == VIEW_ONLY and is_denied:
            return f"read-only{named}"
        return f"{status_meaning(status, where=False)}{named if is_denied else ''}"
    return hresult_meaning(hresult) if hresult else ""


class Refusal(NamedTuple):
    """A write that the plant refused."""

    by: str
    """``MXAccess`` or ``the gateway``."""
    reason: str
    names: tuple[str, ...]
    """Its status, as :func:`refusal_status` names one: the category, the detail, the hresult or the gateway's code."""

    def is_as(self, expected: str | bool) -> bool:
        """Return whether it is the expected one; True expects any."""
        return expected is True or expected in self.names

    @property
    def text(self) -> str:
        return f"refused by {self.by}: {self.reason}"


def refusal_reason(result: "WriteResult") -> str:
    """Return the statuses with which a write was refused, or its error."""
    return "; ".join(map(str, result.statuses)) or str(result.error or "no reason given")


def refusal_of(result: "WriteResult", security: int | None = None) -> Refusal | None:
    """Return by whom a write was refused, and with which status; None where it was not.

    `security` is the security classification of the tag, where it is known.
    """
    if result.outcome.value != "refused":
        return None
    error = result.error
    if isinstance(error, MxGatewayAuthorizationError):
        return Refusal(_GATEWAY, str(error), (_NOT_ALLOWED,))
    names = [name for status in result.statuses if status.failed for name in _names(status)]
    reason = refusal_reason(result)
    hresult = error.hresult if error is not None else None
    if hresult:
        names.append(hresult_text(hresult))
        reason = f"{hresult_text(hresult)}; {reason}" if result.statuses else reason
    if meaning := refusal_meaning(result, security):
        reason = f"{meaning}; {reason}"
    return Refusal(_MXACCESS if names else _GATEWAY, reason, tuple(names))


def _names(status: MxStatus) -> tuple[str, ...]:
    return name_of(status.category), str(status.detail)


def expected_text(expected: str | bool) -> str:
    """Return what is expected of a write, for a sentence."""
    if not isinstance(expected, str):
        return "to be refused by the plant"
    return f"to be refused with {'detail ' if expected.isdigit() else ''}{expected}"
