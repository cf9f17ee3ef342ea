"""The refusal that a write is to meet: by MXAccess, or by what the gateway lets the key do."""

import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError
from zb_mom_ww_mxgateway.status import MxStatus, StatusCategory, hresult_text, name_of
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.write_report import WriteReport, WrittenRows, refused
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Suggestion
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteResult

_MXACCESS, _GATEWAY = "MXAccess", "the gateway"
_NOT_ALLOWED = "PERMISSION_DENIED"
_NAMES = (
    *(each.name for each in StatusCategory if each >= StatusCategory.COMMUNICATION_ERROR),
    _NOT_ALLOWED,
)
_HRESULT = re.compile(r"0X[0-9A-F]{8}")
_DETAIL = re.compile(r"[0-9]{1,9}")


class RefusalStatus(ArgumentType):
    """The status with which a write is to be refused; the option may stand without one."""

    name = "status"
    is_optional = True

    def parse(self, word: Token, context: Scope) -> str:
        text = word.text.upper().replace("-", "_")
        if text in _NAMES or _DETAIL.fullmatch(text):
            return text
        if _HRESULT.fullmatch(text):
            return f"0x{text[2:]}"
        raise word.mistake(
            f"a status is expected behind --refused: one of {', '.join(_NAMES)}, the number of a detail such as 33, or "
            "an hresult such as 0x80070005"
        )

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in _NAMES if each.startswith(prefix.upper())]


RefusalOption = Annotated[str | bool, RefusalStatus()]
"""False where no refusal is expected; True where any will do."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that the plant refused."""

    by: str
    """``MXAccess`` or ``the gateway``."""
    reason: str
    names: tuple[str, ...]
    """Its status, as the option names one: the category, the detail, the hresult or the gateway's code."""

    def is_as(self, expected: str | bool) -> bool:
        """Return whether it is the expected one."""
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


async def outcome_or_refusal(sending: "Awaitable[WriteResult]") -> "WriteResult":
    """Return the outcome of a write; a refusal of the call by the gateway is one, too."""
    try:
        return await sending
    except MxGatewayAuthorizationError as error:
        return refused(error)


def judged(report: WriteReport, expected: str | bool, place: tuple[int, int]) -> Result:
    """Return the result of a write that was to be refused.

    Raises NotMet if it was written, or refused with another status. An unknown outcome is none of this.
    """
    if report.verdict is WriteVerdict.UNKNOWN:
        return report.text_result()
    refusal = refusal_of(report.result)
    if refusal is None or not refusal.is_as(expected):
        fields = {"actual": _actual(refusal), "expected": _wanted(expected), "write": report.record()}
        raise NotMet(_unmet(report, refusal, expected), place, fields)
    summary = f"{report.change}   as expected {refusal.text}"
    return TextResult(
        f"{report.item.tag}   {summary}",
        report.record() | {"expected": _wanted(expected), "refused_by": refusal.by},
        "refused",
        brief=summary,
    )


def judged_rows(reports: Sequence[WriteReport], expected: str | bool, place: tuple[int, int]) -> WrittenRows:
    """Return the table of writes that were all to be refused; raise NotMet as :func:`judged` does."""
    table = WrittenRows.of(reports)
    if any(each.verdict is WriteVerdict.UNKNOWN for each in reports):
        return table
    unmet = []
    for each in reports:
        refusal = refusal_of(each.result)
        if refusal is None or not refusal.is_as(expected):
            unmet.append(_unmet(each, refusal, expected))
    if unmet:
        fields: dict[str, Any] = {"expected": _wanted(expected), "writes": table.form()}
        raise NotMet(unmet[0], place, fields, unmet[1:])
    return replace(table, code=ExitCode.DONE, error=None, undone=())


def _unmet(report: WriteReport, refusal: Refusal | None, expected: str | bool) -> str:
    detail = "detail " if isinstance(expected, str) and expected.isdigit() else ""
    wanted = f"with {detail}{expected}" if isinstance(expected, str) else "by the plant"
    head = f"expected the write of {report.item.tag} to be refused {wanted}, and it was"
    if refusal is not None:
        return f"{head} {refusal.text}"
    return f"{head} WRITTEN: {report.change}, {report.outcome}; the tag counts as changed"


def _wanted(expected: str | bool) -> str:
    return f"refused: {expected}" if isinstance(expected, str) else "refused"


def _actual(refusal: Refusal | None) -> str:
    return "written" if refusal is None else refusal.text
