"""A snapshot written back: the rows that differ, in the order of the file, in one call; all others are named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.safety.snapshots import ComparedRow, NotRestored, RowState, value_to_restore
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, gravest, value_form, value_text
from zb_mom_ww_mxgateway_shell.feeds.bulk_write import BulkWriting, PreparedRow, securities_of
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, values_now
from zb_mom_ww_mxgateway_shell.feeds.write_report import WRITE_COLUMNS, WrittenRows
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.state.context import Context


class LeftOutRow(NamedTuple):
    """A row of a snapshot that is not written."""

    compared: ComparedRow
    reason: NotRestored

    @property
    def exit_code(self) -> ExitCode:
        is_fine = self.compared.state is RowState.SAME or self.reason.is_expected
        return ExitCode.DONE if is_fine else ExitCode.NOT_MET

    @property
    def change(self) -> str:
        return f"{now_text(self.compared)}, was {value_text(self.compared.row.value)}"

    def record(self) -> dict[str, Any]:
        """Return its JSON form; it has no result, as nothing was sent."""
        return dict.fromkeys(WRITE_COLUMNS) | {
            "before": value_form(self.compared.now.value),
            "left_out": self.reason.why,
            "outcome": "not sent",
            "statuses": [],
            "tag": self.compared.row.tag,
            "value": value_form(self.compared.row.value),
        }


def now_text(compared: ComparedRow) -> str:
    """Return the present value of a row."""
    return value_text(compared.now.value) if compared.now.was_successful else "no value"


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What is written back, and what is not; in the order of the file."""

    rows: Sequence[PreparedRow]
    left_out: Sequence[LeftOutRow]

    @property
    def problems(self) -> list[LeftOutRow]:
        """The rows that are not written although they differ, or may."""
        return [each for each in self.left_out if each.compared.state is not RowState.SAME]

    @property
    def same(self) -> int:
        """How many tags have the value of the snapshot."""
        return len(self.left_out) - len(self.problems)

    def table(self, written: WrittenRows | None) -> WrittenRows:
        """Return the table of the rows that were written, and of those that were left out."""
        table = written or WrittenRows(
            ("tag", "change", "outcome"), [], [], "nothing", empty="nothing to restore", columns=WRITE_COLUMNS
        )
        cells = [[each.compared.row.tag, each.change, f"left out: {each.reason.why}"] for each in self.problems]
        codes = [each.exit_code for each in self.problems]
        return replace(
            table,
            rows=[*table.rows, *cells],
            records=[*table.records, *(each.record() for each in self.left_out)],
            code=gravest(table.code, *codes),
            undone=(*table.undone, *("   ".join(row) for row, code in zip(cells, codes, strict=True) if code)),
        )


async def restore_plan(context: Context, compared: Sequence[ComparedRow], word: Token, server: int) -> RestorePlan:
    """Return what to write back; nothing is written yet. The tags that differ are added and advised."""
    left_out: dict[int, LeftOutRow] = {}
    differing = [index for index, each in enumerate(compared) if each.state is RowState.DIFFERS]
    for index, each in enumerate(compared):
        if each.state is not RowState.DIFFERS:
            left_out[index] = LeftOutRow(each, NotRestored(each.why or "as in the snapshot"))
    tags = [compared[index].row.tag for index in differing]
    targets = [Target(tag, context.find_item(tag, server), word) for tag in tags]
    items = await ensure(context, targets, server) if targets else []
    values, securities = await values_now(context, items), await securities_of(context, items)
    rows = []
    for index, item, value, security in zip(differing, items, values, securities, strict=True):
        typed = value_to_restore(compared[index], security, value)
        if isinstance(typed, NotRestored) or value is None:
            left_out[index] = LeftOutRow(compared[index], typed if isinstance(typed, NotRestored) else NotRestored(""))
        else:
            rows.append(PreparedRow(item, value, typed, None, security))
    return RestorePlan(rows, [left_out[index] for index in sorted(left_out)])


@dataclass(slots=True)
class Restoration:
    """A plan that is carried out when it is followed."""

    plan: RestorePlan
    writing: BulkWriting

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Write the rows, once, and wait for the outcome of each."""
        return self.plan.table(await self.writing.written())

    def result(self) -> Result:
        """Return the result of a wait that was interrupted: what is known of each row."""
        return self.plan.table(self.writing.interrupted())

    def progress(self) -> str:
        return self.writing.progress()

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        return self.writing.picture(columns, rows)
