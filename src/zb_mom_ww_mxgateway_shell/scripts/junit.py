"""A run as a JUnit report: a case for each step, as build servers show them."""

import errno
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process.regular_files import replace
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog, Step

# What XML 1.0 has no way to say.
_UNSAYABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(journals: Sequence[RunLog]) -> str:
    """The report as XML: a suite for each file."""
    names: set[tuple[str, str]] = set()
    return _document([_suite(journal, names) for journal in journals])


def unfinished(name: str, lines: Sequence[str]) -> str:
    """The report of a run that has not come to its end, and why, as far as that is known."""
    suite = _Suite(RunLog(name), set())
    suite.case("the whole run", 0.0).told("error", lines[0]).text = _clean("\n".join(lines))
    return _document([suite.ended()])


def _suite(journal: RunLog, names: set[tuple[str, str]]) -> ElementTree.Element:
    suite = _Suite(journal, names)
    for step in journal.steps:
        # What stands before the first step is a case of its own where there is something.
        if step.part == "leading" and not step.entries and (journal.has_steps or journal.broken_off):
            continue
        case = suite.case(_leading(journal) if step.part == "leading" else step.title, step.seconds)
        failure = step.failure
        if failure is not None:
            # The plant was not as expected, or it cannot be said whether it was.
            kind = "failure" if failure.exit_code is ExitCode.NOT_MET else "error"
            told = case.told(kind, failure.lines[0] if failure.lines else "")
            told.set("type", failure.error or failure.exit_code.name)
            told.text = _clean("\n".join(line for entry in step.entries if not entry.ok for line in entry.lines))
        case.child("system-out").text = _clean(_told(step))
    if journal.broken_off and not suite.failed:
        suite.case("the whole run", 0.0).told("error", journal.broken_off)
    for title in journal.not_run:
        suite.case(title, 0.0).child("skipped")
    return suite.ended()


class _Suite:
    """A suite that is being made: its cases have names of their own."""

    def __init__(self, journal: RunLog, names: set[tuple[str, str]]) -> None:
        """`names` are those of the whole report: files of one name in two folders have the same class."""
        self._journal = journal
        self._element = ElementTree.Element("testsuite", {"name": _clean(journal.name)})
        self._names = names

    def case(self, title: str, seconds: float) -> "_Case":
        """Another case. What has no title, or one that was given already, gets a name by which it is told apart."""
        plain, of = _clean(title).strip() or "(untitled)", _clean(Path(self._journal.name).stem)
        name, number = plain, 1
        while (of, name) in self._names:
            number += 1
            name = f"{plain} ({number})"
        self._names.add((of, name))
        named = {"name": name, "classname": of, "time": f"{seconds:.3f}"}
        return _Case(ElementTree.SubElement(self._element, "testcase", named))

    def _count(self, kind: str) -> int:
        return len(self._element.findall(f"testcase/{kind}"))

    @property
    def failed(self) -> bool:
        return bool(self._count("failure") + self._count("error"))

    def ended(self) -> ElementTree.Element:
        """The suite with its counts."""
        for name, count in (
            ("tests", len(self._element)),
            ("failures", self._count("failure")),
            ("errors", self._count("error")),
            ("skipped", self._count("skipped")),
        ):
            self._element.set(name, str(count))
        self._element.set("time", f"{self._journal.seconds:.3f}")
        self._element.set("timestamp", self._journal.started.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self._element


class _Case:
    """One case of a suite."""

    def __init__(self, element: ElementTree.Element) -> None:
        self._element = element

    def child(self, kind: str) -> ElementTree.Element:
        return ElementTree.SubElement(self._element, kind)

    def told(self, kind: str, message: str) -> ElementTree.Element:
        """That it failed, or why it cannot be told."""
        return ElementTree.SubElement(self._element, kind, {"message": _clean(message)})


def _document(made: Sequence[ElementTree.Element]) -> str:
    suites = ElementTree.Element("testsuites")
    suites.extend(made)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def write(path: Path, text: str) -> None:
    """Writes a report whole, in place of one that is there; raises ShellError."""
    try:
        if is_special(path):
            _give(path, text.encode())
        else:
            replace(path, text.encode())
    except OSError as error:
        raise ShellError(f"cannot write {path}: {error.strerror or error}") from error


_PATIENCE_SECONDS = 10.0


def _give(path: Path, data: bytes) -> None:
    """Writes to a pipe or a device. Raises OSError, also where nobody reads what is written."""
    failed: list[OSError] = []

    def work() -> None:
        try:
            with path.open("wb") as file:
                file.write(data)
        except OSError as error:
            failed.append(error)

    # A thread that can be left: nobody may ever read it.
    writing = threading.Thread(target=work, name="report", daemon=True)
    writing.start()
    writing.join(_PATIENCE_SECONDS)
    if writing.is_alive():
        raise OSError(errno.EAGAIN, "nobody reads it")
    if failed:
        raise failed[0]


def is_special(path: Path) -> bool:
    """Whether it is something that cannot be replaced: a pipe, a terminal."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _leading(journal: RunLog) -> str:
    return "before the first step" if journal.has_steps else Path(journal.name).stem


def _told(step: Step) -> str:
    told: list[str] = []
    for entry in step.entries:
        where = f"{entry.statement.source}:{entry.statement.line}" if entry.statement.source else ""
        told.append(f"{where}  {entry.statement.text.strip()}   ({entry.seconds:.3f} s)")
        told += [f"    {line}" for line in entry.lines]
    return "\n".join(told)


def _clean(text: str) -> str:
    return _UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", redact(text))
