"""The records of a suite, one for each attempt at each file, and the report that is made of them."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.process import report_files
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.scripts.run_options import Part
from zb_mom_ww_mxgateway_shell.scripts.suite_result import FileResult

_SUFFIX = ".jsonl"


class SuiteRecords:
    """Names the files of the records, in a folder that has the folders of the files, and makes what keeps each."""

    def __init__(self, folder: str | None, wanted: RecordOptions, seed: int | None, parts: Iterable[Part]) -> None:
        """Without a `folder` the records are kept for the report alone, and where the output form shows them."""
        self._wanted = wanted
        self._seed = seed
        self._is_kept = folder is not None
        self._places: dict[str, Path] = {}
        self._passing: TemporaryDirectory[str] | None = None
        """The folder for the records where only a report is wanted."""
        if folder is None and wanted.report is not None:
            self._passing = TemporaryDirectory(prefix="mxgw-test-")
            folder = self._passing.name
        for part in parts if folder is not None else ():
            self._places[part.name] = _free(Path(folder or "") / _below(part.name), self._places.values())

    def prepare(self, attempts: int, files: Sequence[str]) -> None:
        """Replace what an earlier suite left, which must not pass for what this one leaves; raise ShellError.

        `files` are those to run.
        """
        self._wanted.facts()
        # With a folder the records are what the facts are about.
        replace(self._wanted, about=() if self._is_kept else self._wanted.about).check(files)
        if self._wanted.report is not None and not report_files.is_special(Path(self._wanted.report)):
            from zb_mom_ww_mxgateway_shell.evidence.report import write_report  # Lazy: most suites have no report.

            write_report([], Path(self._wanted.report))
        for place in self._places.values():
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                for number in range(1, attempts + 1):
                    with suppress(FileNotFoundError):
                        _numbered(place, number).unlink()
            except OSError as error:
                raise ShellError(f"cannot write {place}: {error.strerror or error}") from error

    def keeping_of(self, part: Part, attempt: int) -> RecordKeeping:
        """Return what keeps the record of an attempt, from 1."""
        place = self._places.get(part.name)
        options = RecordOptions()
        if place is not None:
            options = replace(self._wanted, record=str(_numbered(place, attempt)), report=None)
        keeping = RecordKeeping(options, may_show=True)
        keeping.files, keeping.seed = [source.form() for source in part.block.sources], self._seed
        return keeping

    def name_in(self, log: RunLog, part: Part, attempt: int) -> None:
        """Name the record of an attempt in its log, if it is kept."""
        if self._is_kept:
            log.properties["record"] = str(_numbered(self._places[part.name], attempt))

    def report(self, results: Sequence[FileResult], alert: Callable[[str], object]) -> bool:
        """Write the report of the last attempts, if one is wanted; return whether it, and they, could be written."""
        try:
            if self._wanted.report is not None:
                from zb_mom_ww_mxgateway_shell.evidence.report import write_reports  # Lazy: see above.

                ran = [(self._places[each.part.name], len(each.attempts)) for each in results if each.attempts]
                write_reports([_numbered(*each) for each in ran], Path(self._wanted.report))
        except Exception as error:  # It changes nothing about what was done.
            alert(f"no report: {message_of(error)}")
            return False
        finally:
            if self._passing is not None:
                self._passing.cleanup()
        return True


def _below(name: str) -> PurePath:
    """Return the path of a record for a file, below any folder."""
    path = PurePath(name)
    kept = [each for each in path.parts if each not in (path.anchor, "..", ".")]
    return PurePath(*kept).with_suffix(_SUFFIX)


def _free(path: Path, taken: Iterable[Path]) -> Path:
    taken, made, number = set(taken), path, 1
    while made in taken:
        number += 1
        made = path.with_stem(f"{path.stem}-{number}")
    return made


def _numbered(path: Path, attempt: int) -> Path:
    return path if attempt == 1 else path.with_stem(f"{path.stem}.{attempt}")
