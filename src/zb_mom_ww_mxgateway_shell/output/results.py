"""What commands give back. They never print: a front end shows the lines, or the JSON form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe, value_form
from zb_mom_ww_mxgateway_console.text.terminal_text import padded, width

INDENT = "      "
"""Before a line that belongs to the statement above it."""


class Result(Protocol):
    """Anything a command may return."""

    @property
    def exit_code(self) -> ExitCode: ...

    @property
    def value(self) -> Any:
        """What ``_`` is afterwards."""

    def lines(self) -> list[str]:
        """For a person; safe for a terminal."""

    def form(self) -> Any:
        """For JSON."""


@runtime_checkable
class Feed(Protocol):
    """What goes on until its end or Ctrl-C, and is shown as it comes."""

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Shows lines, safe for a terminal, until the end; cancelling ends it."""

    def result(self) -> Result:
        """What has been seen so far: asked for after a cancelled follow, too."""


@runtime_checkable
class Picture(Feed, Protocol):
    """A feed that a terminal shows as one picture, redrawn in place."""

    def picture(self, columns: int, rows: int) -> Sequence[Sequence[tuple[str, str]]]:
        """Lines that fit, as pieces of text each with its mood: ``good``, ``bad``, ``stale`` … or empty."""


@runtime_checkable
class Pending(Feed, Protocol):
    """A feed that comes to its end by itself, in a time that is known: it is waited for."""

    def progress(self) -> str:
        """How it stands, and the time left: one line, safe for a terminal."""


@dataclass(frozen=True, slots=True)
class TextResult:
    """A result in a few words, with its fields for JSON."""

    text: str
    fields: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    exit_code: ExitCode = ExitCode.DONE
    error: BaseException | None = None
    """What the result tells of, where it is a failure."""
    brief: str = ""
    """What is said beside the statement in a file; the text where that is empty."""

    def lines(self) -> list[str]:
        return [safe(line) for line in self.text.split("\n")] if self.text else []

    def form(self) -> Any:
        return value_form(self.fields)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. Cells are text for a person; `records` are the same rows for JSON."""

    headings: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    records: Sequence[dict[str, Any]]
    value: Any = None
    empty: str = "nothing"
    """Said when there are no rows."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.DONE

    def lines(self) -> list[str]:
        return table_lines(self.headings, self.rows) if self.rows else [self.empty]

    def form(self) -> Any:
        return value_form(list(self.records))


def problems_of(result: Result) -> list[str]:
    """Return the lines that say what was not done, if the result has such lines; else all its lines."""
    problems: Callable[[], list[str]] | None = getattr(result, "problems", None)
    return result.lines() if problems is None else problems()


def table_lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows under headings in columns as wide as their widest cell, without borders."""
    cells = [list(headings), *([safe(cell) for cell in row] for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(headings))]
    return ["  " + "  ".join(map(padded, row, widths)).rstrip() for row in cells]
