"""The refusal that a write is to meet: by MXAccess, or by what the gateway lets the key do."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_console.render.refusals import (
    STATUS_NAMES,
    Refusal,
    expected_text,
    refusal_of,
    refusal_status,
)
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.write_report import WriteReport, WrittenRows, refused
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Suggestion
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteResult


class RefusalStatus(ArgumentType):
    """The status with which a write is to be refused; the option may stand without one."""

    name = "status"
    is_optional = True

    def parse(self, word: Token, context: Scope) -> str:
        try:
            return refusal_status(word.text)
        except ValueError as error:
            raise word.mistake(str(error)) from None

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in STATUS_NAMES if each.startswith(prefix.upper())]


RefusalOption = Annotated[str | bool, RefusalStatus()]
"""False where no refusal is expected; True where any will do."""


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
    refusal = refusal_of(report.result, report.security)
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
        refusal = refusal_of(each.result, each.security)
        if refusal is None or not refusal.is_as(expected):
            unmet.append(_unmet(each, refusal, expected))
    if unmet:
        fields: dict[str, Any] = {"expected": _wanted(expected), "writes": table.form()}
        raise NotMet(unmet[0], place, fields, unmet[1:])
    return replace(table, code=ExitCode.DONE, error=None, undone=())


def _unmet(report: WriteReport, refusal: Refusal | None, expected: str | bool) -> str:
    head = f"expected the write of {report.item.tag} {expected_text(expected)}, and it was"
    if refusal is not None:
        return f"{head} {refusal.text}"
    return f"{head} WRITTEN: {report.change}, {report.outcome}; the tag counts as changed"


def _wanted(expected: str | bool) -> str:
    return f"refused: {expected}" if isinstance(expected, str) else "refused"


def _actual(refusal: Refusal | None) -> str:
    return "written" if refusal is None else refusal.text
