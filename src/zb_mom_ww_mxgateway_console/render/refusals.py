"""Refusals of writes by the plant: by MXAccess, or by what the gateway lets a key do; and the one that is expected."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError
from zb_mom_ww_mxgateway.status import MxStatus, StatusCategory, hresult_text, name_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteResult

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


@dataclass(frozen=True, slots=True)
class Refusal:
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


def refusal_of(result: "WriteResult") -> Refusal | None:
    """Return by whom a write was refused, and with which status; None where it was not."""
    if result.outcome.value != "refused":
        return None
    error = result.error
    if isinstance(error, MxGatewayAuthorizationError):
        return Refusal(_GATEWAY, str(error), (_NOT_ALLOWED,))
    names = [name for status in result.statuses if status.failed for name in _names(status)]
    reason = "; ".join(map(str, result.statuses)) or str(error or "no reason given")
    hresult = error.hresult if error is not None else None
    if hresult:
        names.append(hresult_text(hresult))
        reason = f"{hresult_text(hresult)}; {reason}" if result.statuses else reason
    return Refusal(_MXACCESS if names else _GATEWAY, reason, tuple(names))


def _names(status: MxStatus) -> tuple[str, ...]:
    return name_of(status.category), str(status.detail)


def expected_text(expected: str | bool) -> str:
    """Return what is expected of a write, for a sentence."""
    if not isinstance(expected, str):
        return "to be refused by the plant"
    return f"to be refused with {'detail ' if expected.isdigit() else ''}{expected}"
