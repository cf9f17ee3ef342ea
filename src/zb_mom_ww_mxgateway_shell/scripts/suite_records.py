"""The records of a suite, one for each attempt at each file, and the report that is made of them."""

from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import ExitStack
from itertools import chain
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Self

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.process import report_files
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.scripts.run_options import Part
from zb_mom_ww_mxgateway_shell.scripts.suite_result import FileResult
from zb_mom_ww_mxgateway_shell.state.files_read import Source

_SUFFIX = ".jsonl"


class SuiteRecords:
    """Names the files of the records, in a folder that has the folders of the files, and makes what keeps each."""

    def __init__(
        self, folder: str | None, wanted: RecordOptions, seed: int | None, parts: Iterable[Part], attempts: int
    ) -> None:
        """Without a `folder` the records are kept for the report alone, and where the output form shows them."""
        self._folder = None if folder is None else Path(folder)
        self._wanted = wanted
        self._seed = seed
        self._places: dict[str, Sequence[PurePath]] = {}
        """The records of the attempts at each file, below the folder."""
        self._passing = ExitStack()
        for part in parts:
            taken = {place for places in self._places.values() for place in places}
            self._places[part.name] = _free(_below(part.name), taken, attempts)
        self._is_kept = folder is not None
        self.others: Sequence[Source] = ()
        """Files that were read for all of them."""

    def __enter__(self) -> Self:
        """Make a folder that passes, where only a report is wanted."""
        if self._folder is None and self._wanted.report is not None:
            self._folder = Path(self._passing.enter_context(TemporaryDirectory(prefix="mxgw-test-")))
            self._make_folders()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._passing.close()

    def _make_folders(self) -> None:
        for name in self._places:
            if path := self._path_of(name, 1):
                path.parent.mkdir(parents=True, exist_ok=True)

    def _path_of(self, name: str, attempt: int) -> Path | None:
        """Return the file for the record of an attempt, from 1; None where none is kept."""
        if self._folder is None:
            return None
        return self._folder / self._places[name][attempt - 1]

    def prepare(self, files: Sequence[str]) -> None:
        """Replace what an earlier suite left, which must not pass for what this one leaves; raise ShellError.

        `files` are those to run.
        """
        self._wanted.facts()
        # With a folder the records are what the facts are about.
        self._wanted._replace(about=() if self._is_kept else self._wanted.about).check(files)
        if self._wanted.report is not None and not report_files.is_special(Path(self._wanted.report)):
            from zb_mom_ww_mxgateway_shell.evidence.report import write_report  # Lazy: most suites have no report.

            write_report([], Path(self._wanted.report))
        try:
            self._make_folders()
            for place in chain.from_iterable(self._places.values()):
                if self._folder is not None:
                    (self._folder / place).unlink(missing_ok=True)
        except OSError as error:
            raise ShellError(f"cannot write into {self._folder}: {error.strerror or error}") from error

    def keeping_of(self, part: Part, attempt: int) -> RecordKeeping:
        """Return what keeps the record of an attempt, from 1."""
        path = self._path_of(part.name, attempt)
        options = RecordOptions() if path is None else self._wanted._replace(record=str(path), report=None)
        keeping = RecordKeeping(options, may_show=True)
        keeping.files, keeping.seed = [*part.block.sources, *self.others], self._seed
        return keeping

    def name_in(self, log: RunLog, part: Part, attempt: int) -> None:
        """Name the record of an attempt in its log, if it is kept."""
        if self._is_kept:
            log.properties["record"] = str(self._path_of(part.name, attempt))

    def report(self, results: Sequence[FileResult], alert: Callable[[str], object]) -> bool:
        """Write the report of the last attempts, if one is wanted; return whether it, and they, could be written."""
        try:
            if self._wanted.report is not None:
                from zb_mom_ww_mxgateway_shell.evidence.report import write_reports  # Lazy: see above.

                paths = (self._path_of(each.part.name, len(each.attempts)) for each in results if each.attempts)
                write_reports([path for path in paths if path is not None], Path(self._wanted.report))
        except Exception as error:  # It changes nothing about what was done.
            alert(f"no report: {message_of(error)}")
            return False
        return True


def _below(name: str) -> PurePath:
    """Return the path of a record for a file, below any folder."""
    path = PurePath(name)
    kept = [each for each in path.parts if each not in (path.anchor, "..", ".")]
    return PurePath(*kept).with_suffix(_SUFFIX)


def _free(path: PurePath, taken: Set[PurePath], attempts: int) -> Sequence[PurePath]:
    """Return a path for each attempt; none of them is taken, as one is if another file has the name ``a.2.mxs``."""
    first, number = path, 1
    while True:
        made = [first, *(first.with_stem(f"{first.stem}.{attempt}") for attempt in range(2, attempts + 1))]
        if taken.isdisjoint(made):
            return made
        number += 1
        first = path.with_stem(f"{path.stem}-{number}")
