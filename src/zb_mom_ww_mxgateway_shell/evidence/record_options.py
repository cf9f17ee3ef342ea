"""What the user wants of the record of a run."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from zb_mom_ww_mxgateway_shell.errors import ShellError

REPORT_SUFFIXES = (".html", ".htm", ".md", ".markdown")
_ABOUT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class RecordOptions(NamedTuple):
    """Where a record and a report of it go, and what they are about."""

    record: str | None = None
    """The file for the lines; None for no file."""
    report: str | None = None
    """The file for the report, HTML or Markdown by its name; None for no report."""
    about: tuple[str, ...] = ()
    """``NAME=TEXT``, such as ``site=Basel``."""

    @property
    def is_wanted(self) -> bool:
        """Whether anything of it was asked for."""
        return self != RecordOptions()

    @property
    def targets(self) -> Iterator[tuple[str, str]]:
        """Yield the files that it writes, each with its option."""
        yield from ((each, name) for each, name in ((self.record, "--record"), (self.report, "--report")) if each)

    def joined(self, other: "RecordOptions") -> "RecordOptions":
        """Return both together; where only one file can be, the other's."""
        return RecordOptions(other.record or self.record, other.report or self.report, (*self.about, *other.about))

    def facts(self) -> dict[str, str]:
        """Return the names and texts of ``--about``; raise ShellError for one that is none."""
        facts: dict[str, str] = {}
        for text in self.about:
            name, sign, said = text.partition("=")
            if not sign or not _ABOUT.fullmatch(name):
                raise ShellError(f"--about {text}: NAME=TEXT expected, such as --about site=Basel")
            if name in facts:
                raise ShellError(f"--about {name} is given twice")
            facts[name] = said.strip()
        return facts

    def check(self, files: Iterable[str], junit: str | None = None) -> None:
        """Raise ShellError if it cannot be done as asked for; `files` are those to run."""
        self.facts()
        if self.about and not any(self.targets):
            raise ShellError("--about is for a record: add --record FILE or --report FILE")
        if self.report is not None and Path(self.report).suffix.lower() not in REPORT_SUFFIXES:
            raise ShellError(f"--report {self.report}: a file that ends in {' or '.join(REPORT_SUFFIXES)} expected")
        to_run = {Path(each).resolve() for each in files}
        taken = {Path(junit).resolve(): "--report-junit"} if junit is not None else {}
        for target, option in self.targets:
            path = Path(target).resolve()
            if path in to_run:
                raise ShellError(f"{target} is the file to run: {option} would replace it")
            if path in taken and not (path.exists() and not path.is_file()):
                raise ShellError(f"{option} and {taken[path]} name the same file, {target}")
            taken[path] = option
