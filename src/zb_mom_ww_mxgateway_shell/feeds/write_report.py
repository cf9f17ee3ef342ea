"""Writes with their outcomes: for a person, for JSON, as an error and as an exit code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxAccessError, MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway.times import exact_time, time_of_day, time_text
from zb_mom_ww_mxgateway_console.render.forms import (
    ExitCode,
    error_form,
    gravest,
    status_form,
    value_form,
)
from zb_mom_ww_mxgateway_console.render.refusals import refusal_meaning, refusal_reason
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict, verdict_of
from zb_mom_ww_mxgateway_shell.feeds.write_check import read_back_record, read_back_text
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.doubt_text import MAY_STILL_HAPPEN
from zb_mom_ww_mxgateway_shell.output.results import Table, TextResult
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, WriteResult
    from zb_mom_ww_mxgateway.safety.verification import ReadBack


def interrupted_after(item: Item, result: "WriteResult", timeout: float, unseen: str = "") -> Interrupted:
    """Return the interruption of what followed a write, which has its outcome; `unseen` says what was not looked at."""
    kind = Interrupted if result.outcome.value in ("completed", "refused") else InterruptedInDoubt
    return kind(f"interrupted; {item.tag}   {outcome_text(result, timeout)}{unseen}")


def before_text(before: "LiveValue", decimals: int = 0) -> str:
    """Return the value before a write, with the decimals of its tag."""
    return f"{decimal_text(before.value, decimals)}{' (stale)' if before.stale_since else ''}"


def given_text(at: datetime | None, signers: str) -> str:
    """Return what is written with a value, behind it: its source time, and who signs."""
    return "".join(f", {part}" for part in (f"at {exact_time(at)}" if at else "", signers) if part)


def outcome_text(result: "WriteResult", timeout: float, security: int | None = None) -> str:
    """Return an outcome in words; `timeout` is how many seconds were given to it, `security` the classification of the
    tag, where it is known."""
    accepted = f"accepted {milliseconds(result.accepted_after)} ms" if result.accepted_after is not None else ""
    match result.outcome.value:
        case "completed":
            return f"{accepted}, completed {milliseconds(result.completed_after)} ms"
        case "refused":
            return "; ".join(filter(None, refusal_parts(result, security)))
        case "accepted" if result.ambiguous:
            return (
                f"{accepted}; effect unknown: an earlier write to this item is unresolved, so no completion can be "
                "matched to this one"
            )
        case "accepted" if result.error is not None:
            return f"{accepted}; the wait for its completion was interrupted: effect unknown"
        case "accepted":
            return f"{accepted}, not completed within {timeout:g} s: effect unknown"
    lost = str(result.error or "the event stream was interrupted").removeprefix("outcome unknown: ")
    late = "" if accepted else f", and {MAY_STILL_HAPPEN}"
    return f"{accepted}{', then ' if accepted else ''}outcome UNKNOWN: {lost}. It was not sent again{late}"


def refusal_parts(result: "WriteResult", security: int | None) -> tuple[str, str]:
    """Return what a refusal means, and what is known of it besides: the statuses, and when it had been accepted."""
    meaning, reason = refusal_meaning(result, security), refusal_reason(result)
    accepted = f"accepted {milliseconds(result.accepted_after)} ms" if result.accepted_after is not None else ""
    return f"REFUSED: {meaning or reason}", "; ".join(filter(None, (meaning and reason, accepted)))


def reverts_at(context: Context, item: Item) -> datetime | None:
    """Return when a timed write puts the value of this item back; None where none does."""
    current = context.current
    pending = current.changes.pending if current is not None else []
    return next((each.planned for each in pending if item_key(each.tag) == item_key(item.tag)), None)


def refused(error: MxGatewayError) -> "WriteResult":
    """Return the outcome of a write that was refused with this error."""
    from zb_mom_ww_mxgateway import WriteOutcome, WriteResult

    return WriteResult(WriteOutcome.REFUSED, statuses=error.statuses, error=error)


@dataclass(frozen=True, slots=True)
class WriteReport:
    """One write that was sent, with its outcome: as words, a record, an error and an exit code."""

    item: Item
    before: "LiveValue"
    written: str
    """What was written, in words."""
    form: Any
    """The JSON form of what was written."""
    result: "WriteResult"
    timeout: float
    """Seconds that were given to the outcome."""
    endpoint: str
    at: datetime | None = None
    """Source time that was written with the value."""
    signers: str = ""
    seen: "ReadBack | None" = None
    """The value of the tag after the write; None where nobody looked."""
    reverts_at: datetime | None = None
    """When the value before is put back; None for never."""
    security: int | None = None
    """Security classification of the tag; None where it is not known."""
    decimals: int = 0
    """Decimals of the tag."""

    @property
    def verdict(self) -> WriteVerdict:
        return verdict_of(self.result, self.seen.is_as_written if self.seen else None)

    @property
    def change(self) -> str:
        """The value before and what was written. Nothing points at a value that was not taken."""
        before = before_text(self.before, self.decimals)
        if self.result.outcome.value == "refused":
            return f"{self.written}{given_text(self.at, self.signers)} not taken, was {before}"
        return f"{before} → {self.written}{given_text(self.at, self.signers)}"

    @property
    def outcome(self) -> str:
        """The outcome in words, with the value that was seen since."""
        return "; ".join([outcome_text(self.result, self.timeout, self.security), *self._since])

    @property
    def _since(self) -> list[str]:
        """What was seen since, and what is still to come."""
        parts = []
        if self.seen is not None:
            parts.append(read_back_text(self.seen, is_completed=self.result.outcome.value == "completed"))
        if self.reverts_at is not None:
            parts.append(f"put back at {time_of_day(self.reverts_at)} unless kept")
        return parts

    @property
    def problem(self) -> MxGatewayError | None:
        """The write's error as ``last-error`` shows it; None for a completed write."""
        result = self.result
        if result.outcome.value == "completed":
            return None
        if result.error is not None and not result.statuses and result.outcome.value != "accepted":
            return result.error
        refused = result.outcome.value == "refused"
        kind = MxAccessError if refused else MxGatewayError
        return kind(
            f"write of {self.item.tag}: {outcome_text(result, self.timeout, self.security)}",
            call="write",
            statuses=result.statuses,
            hresult=result.error.hresult if result.error else None,
            reply=result.error.reply if result.error else None,
            correlation_id=result.correlation_id or None,
            endpoint=self.endpoint,
            outcome_unknown=not refused,
        )

    def record(self) -> dict[str, Any]:
        """Return its JSON form."""
        result = self.result
        is_refused = result.outcome.value == "refused"
        return {
            "accepted_ms": milliseconds(result.accepted_after),
            "before": value_form(self.before.value),
            "completed_ms": milliseconds(result.completed_after),
            "error": error_form(result.error) if result.error else None,
            "item_handle": self.item.item_handle,
            "outcome": result.outcome.value,
            "refused_because": (refusal_meaning(result, self.security) or None) if is_refused else None,
            "result": self.verdict.word,
            "reverts_at": self.reverts_at and time_text(self.reverts_at),
            "server_handle": self.item.server_handle,
            "signed_by": self.signers or None,
            "source_time": self.at and time_text(self.at),
            "statuses": [status_form(status) for status in result.statuses],
            "tag": self.item.tag,
            "value": self.form,
            "verified": self.seen and read_back_record(self.seen),
        }

    def text_result(self) -> TextResult:
        """Return it as the result of a command."""
        shown = [self.change, self.outcome]
        if self.result.outcome.value == "refused":
            # What it means first: the rest is for who wants to know more.
            meaning, more = refusal_parts(self.result, self.security)
            shown = [meaning, self.change, "; ".join(filter(None, [more, *self._since]))]
        summary = "   ".join(filter(None, shown))
        check = f"\n   check:  read {self.item.tag} --fresh" if self.result.outcome.value == "unknown" else ""
        return TextResult(
            f"{self.item.tag}   {summary}{check}",
            self.record(),
            self.result.outcome.value,
            self.verdict.exit_code,
            self.problem,
            brief=summary,
        )


WRITE_COLUMNS = (
    *("accepted_ms", "before", "completed_ms", "error", "item_handle", "left_out", "outcome", "refused_because"),
    *("result", "reverts_at", "server_handle", "signed_by", "source_time", "statuses", "tag", "value", "verified"),
)
"""The keys of a record of a write, in a table of several."""


@dataclass(frozen=True, slots=True)
class WrittenRows(Table):
    """A table of writes; its exit code is that of the worst."""

    code: ExitCode = ExitCode.DONE
    error: MxGatewayError | None = None
    """Error of the first write that was not completed."""
    undone: tuple[str, ...] = ()
    """The rows that were not completed, a line each."""

    @classmethod
    def of(cls, reports: Sequence[WriteReport]) -> "WrittenRows":
        """Return the table of these writes."""
        cells = [[each.item.tag, each.change, each.outcome] for each in reports]
        codes = [each.verdict.exit_code for each in reports]
        worst = reports[codes.index(gravest(*codes))]
        return cls(
            ("tag", "change", "outcome"),
            cells,
            [{"left_out": None, **each.record()} for each in reports],
            worst.result.outcome.value,
            columns=WRITE_COLUMNS,
            code=worst.verdict.exit_code,
            error=next((each.problem for each in reports if each.problem), None),
            undone=tuple("   ".join(row) for row, code in zip(cells, codes, strict=True) if code),
        )

    @property
    def exit_code(self) -> ExitCode:
        return self.code

    def problems(self) -> list[str]:
        """Return a line for each row that was not completed."""
        return list(self.undone)


def milliseconds(seconds: float | None) -> int | None:
    """Return a time in whole milliseconds, at least one."""
    return None if seconds is None else max(1, round(seconds * 1000))
