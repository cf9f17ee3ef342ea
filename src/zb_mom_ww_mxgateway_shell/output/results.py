"""Results of commands. Commands never print: a front end shows the lines, or the JSON form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe, value_form
from zb_mom_ww_mxgateway_console.text.terminal_text import TableRow, padded, width
from zb_mom_ww_mxgateway_shell.output.alignment import aligned

INDENT = "      "
"""Indent of a line that belongs to the statement above it."""
_VALUES = frozenset(("value", "then", "now", "was", "ours", "old", "new"))
"""Headings of columns with values of tags."""


class Result(Protocol):
    """Anything a command may return."""

    @property
    def exit_code(self) -> ExitCode: ...

    @property
    def value(self) -> Any:
        """The value of ``_`` afterwards."""

    def lines(self) -> list[str]:
        """Return the lines for a person, safe for a terminal."""

    def form(self) -> Any:
        """Return the JSON form."""


class Samples(Protocol):
    """The samples of one tag that a wait or a check saw, for the record of a run."""

    def form(self) -> dict[str, Any]:
        """Return them for JSON."""


@runtime_checkable
class Feed(Protocol):
    """A result that goes on until its end or Ctrl-C, and is shown as it comes."""

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Show lines, safe for a terminal, until the end; cancelling ends it."""

    def result(self) -> Result:
        """Return what was seen so far, also after a cancelled :meth:`follow`."""


@runtime_checkable
class Listing(Feed, Protocol):
    """A feed that lists what there is, and ends by itself."""

    is_listing: ClassVar[bool]
    """True; a feed of another kind does not have it."""


@runtime_checkable
class Picture(Feed, Protocol):
    """A feed that a terminal shows as one picture, redrawn in place."""

    def picture(self, columns: int, rows: int) -> Sequence[Sequence[tuple[str, str]]]:
        """Return lines that fit, as pieces of text each with its mood: ``good``, ``bad``, ``stale`` … or empty."""


class Chart(Protocol):
    """A picture that stays above the prompt."""

    def chart(self, columns: int, rows: int) -> Sequence[Sequence[tuple[str, str]]]:
        """Return lines that fit, as those of a :class:`Picture`."""

    def is_about(self, connection: object) -> bool:
        """Return whether it shows something of that connection."""


@runtime_checkable
class Movable(Picture, Protocol):
    """A picture that keys move and zoom."""

    def turn(self, key: str) -> None:
        """Obey a key: ``left``, ``right``, ``up``, ``down``, ``pageup``, ``pagedown``, ``home``, ``end`` or ``tab``."""


@runtime_checkable
class Pending(Feed, Protocol):
    """A feed that ends by itself within a known time, such as a wait."""

    def progress(self) -> str:
        """Return its state and the time left in one line, safe for a terminal."""


@runtime_checkable
class Stepwise(Feed, Protocol):
    """A feed of steps, each of which ends by itself."""

    def step(self) -> str:
        """Return what it waits for, in a few words."""


class Sheet(NamedTuple):
    """The rows of a result for CSV. Its columns are those of the command, whichever rows there are, and if there are
    none."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    remarks: Sequence[str] = ()
    """What no row says, for standard error: what is left out, or may be old."""


def sheet_of(result: Result) -> Sheet:
    """Return the rows of a result: those that it declares by its ``sheet``, else its fields as one row."""
    declared: Callable[[], Sheet | None] | None = getattr(result, "sheet", None)
    sheet = None if declared is None else declared()
    if sheet is not None:
        return sheet
    form = result.form()
    fields = form if isinstance(form, dict) else {} if form is None else {"value": form}
    return Sheet(tuple(fields), [fields] if fields else [])


def returned_by(result: Result) -> Any:
    """Return what Python code gets of a result: values with their quality where it has such, else its value."""
    return getattr(result, "returned", result.value)


@dataclass(frozen=True, slots=True)
class TextResult:
    """A result in a few words, with its fields for JSON."""

    text: str
    fields: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    exit_code: ExitCode = ExitCode.DONE
    error: BaseException | None = None
    """The error that the result reports, if it is a failure."""
    brief: str = ""
    """Shown next to the statement in a file; empty for the text itself."""
    samples: Sequence[Samples] = ()
    """The samples of each tag that it is about, where it saw any."""
    rows: Sheet | None = None
    """What it lists; None for a result that is one row of its fields."""

    def sheet(self) -> Sheet | None:
        return self.rows

    def lines(self) -> list[str]:
        return [safe(line) for line in self.text.split("\n")] if self.text else []

    def form(self) -> Any:
        return value_form(self.fields)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. Cells are text for a person; `records` are the same rows for JSON, each with all
    `columns`.
    """

    headings: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    records: Sequence[dict[str, Any]]
    value: Any = None
    empty: str = "nothing"
    """Shown if there are no rows."""
    notes: Sequence[str] = ()
    """Lines under the table."""
    columns: Sequence[str] = field(kw_only=True)
    """The keys of each record."""
    newest_last: bool = field(default=False, kw_only=True)
    """Whether the rows are in the order of time: of a long table the end is shown first."""

    def sheet(self) -> Sheet:
        return Sheet(self.columns, self.records)

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.DONE

    def lines(self) -> list[str]:
        table = table_lines(self.headings, self.rows) if self.rows else [self.empty]
        return [*table, *(f"  {note}" for note in self.notes)]

    def form(self) -> Any:
        return value_form(list(self.records))


def problems_of(result: Result) -> list[str]:
    """Return the lines that say what was not done, if the result has such lines; else all its lines."""
    problems: Callable[[], list[str]] | None = getattr(result, "problems", None)
    return result.lines() if problems is None else problems()


def table_lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows under headings, in columns as wide as their widest cell, without borders.

    Numbers in columns with values of tags are aligned at the decimal point.
    """
    columns = [[safe(row[column]) for row in rows] for column in range(len(headings))]
    shown = [aligned(cells) if name in _VALUES else cells for name, cells in zip(headings, columns, strict=True)]
    cells = [list(headings), *(list(row) for row in zip(*shown, strict=True))]
    widths = [max(width(row[column]) for row in cells) for column in range(len(headings))]
    return [TableRow.of(list(map(padded, row, widths))) for row in cells]
