"""JUnit report of a run: a case for each step, as build servers show them."""

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

# Characters that XML 1.0 cannot contain.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(logs: Sequence[RunLog]) -> str:
    """Return the report as XML: a suite for each file."""
    names: set[tuple[str, str]] = set()
    return _document([_suite(log, names) for log in logs])


def unfinished(name: str, lines: Sequence[str]) -> str:
    """Return the report of a run that did not reach its end; `lines` say why, as far as that is known."""
    suite = _Suite(RunLog(name), set())
    suite.case("the whole run", 0.0).add_problem("error", lines[0]).text = _clean("\n".join(lines))
    return _document([suite.ended()])


def _suite(log: RunLog, names: set[tuple[str, str]]) -> ElementTree.Element:
    suite = _Suite(log, names)
    for step in log.steps:
        # Lines before the first step are a case if there are any.
        if step.part == "leading" and not step.entries and (log.has_steps or log.broken_off):
            continue
        case = suite.case(_leading(log) if step.part == "leading" else step.title, step.seconds)
        failure = step.failure
        if failure is not None:
            # A failure means the plant was not as expected; an error means that is unknown.
            kind = "failure" if failure.exit_code is ExitCode.NOT_MET else "error"
            problem = case.add_problem(kind, failure.lines[0] if failure.lines else "")
            problem.set("type", failure.error or failure.exit_code.name)
            problem.text = _clean("\n".join(line for entry in step.entries if not entry.ok for line in entry.lines))
        case.child("system-out").text = _clean(_transcript(step))
    if log.broken_off and not suite.failed:
        suite.case("the whole run", 0.0).add_problem("error", log.broken_off)
    for title in log.not_run:
        suite.case(title, 0.0).child("skipped")
    suite.add_properties("journal.head", log.journal)
    return suite.ended()


class _Suite:
    """A suite under construction; the names of its cases are unique."""

    def __init__(self, log: RunLog, names: set[tuple[str, str]]) -> None:
        """`names` are those of the whole report: files with the same name in two folders have the same class."""
        self._log = log
        self._element = ElementTree.Element("testsuite", {"name": _clean(log.name)})
        self._names = names

    def case(self, title: str, seconds: float) -> "_Case":
        """Add a case. Without a title, or with one that exists already, it gets a unique name."""
        plain, of = _clean(title).strip() or "(untitled)", _clean(Path(self._log.name).stem)
        name, number = plain, 1
        while (of, name) in self._names:
            number += 1
            name = f"{plain} ({number})"
        self._names.add((of, name))
        named = {"name": name, "classname": of, "time": f"{seconds:.3f}"}
        return _Case(ElementTree.SubElement(self._element, "testcase", named))

    def add_properties(self, name: str, values: Sequence[str]) -> None:
        """Add a property for each value, before the cases, as the format demands."""
        if not values:
            return
        properties = ElementTree.Element("properties")
        for value in values:
            ElementTree.SubElement(properties, "property", {"name": name, "value": value})
        self._element.insert(0, properties)

    def _count(self, kind: str) -> int:
        return len(self._element.findall(f"testcase/{kind}"))

    @property
    def failed(self) -> bool:
        return bool(self._count("failure") + self._count("error"))

    def ended(self) -> ElementTree.Element:
        """Return the suite with its counts."""
        for name, count in (
            ("tests", len(self._element.findall("testcase"))),
            ("failures", self._count("failure")),
            ("errors", self._count("error")),
            ("skipped", self._count("skipped")),
        ):
            self._element.set(name, str(count))
        self._element.set("time", f"{self._log.seconds:.3f}")
        self._element.set("timestamp", self._log.started.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self._element


class _Case:
    """One case of a suite."""

    def __init__(self, element: ElementTree.Element) -> None:
        self._element = element

    def child(self, kind: str) -> ElementTree.Element:
        return ElementTree.SubElement(self._element, kind)

    def add_problem(self, kind: str, message: str) -> ElementTree.Element:
        """Add a ``failure`` or an ``error``."""
        return ElementTree.SubElement(self._element, kind, {"message": _clean(message)})


def _document(made: Sequence[ElementTree.Element]) -> str:
    suites = ElementTree.Element("testsuites")
    suites.extend(made)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def write(path: Path, text: str) -> None:
    """Write a report, replacing a former one as a whole; raise ShellError if that fails."""
    try:
        if is_special(path):
            _give(path, text.encode())
        else:
            replace(path, text.encode())
    except OSError as error:
        raise ShellError(f"cannot write {path}: {error.strerror or error}") from error


_PATIENCE_SECONDS = 10.0


def _give(path: Path, data: bytes) -> None:
    """Write to a pipe or a device; raise OSError, also if there is no reader."""
    failed: list[OSError] = []

    def work() -> None:
        try:
            with path.open("wb") as file:
                file.write(data)
        except OSError as error:
            failed.append(error)

    # A thread that can be abandoned: there may never be a reader.
    writing = threading.Thread(target=work, name="report", daemon=True)
    writing.start()
    writing.join(_PATIENCE_SECONDS)
    if writing.is_alive():
        raise OSError(errno.EAGAIN, "no reader")
    if failed:
        raise failed[0]


def is_special(path: Path) -> bool:
    """Return whether it cannot be replaced, such as a pipe or a terminal."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _leading(log: RunLog) -> str:
    return "before the first step" if log.has_steps else Path(log.name).stem


def _transcript(step: Step) -> str:
    lines: list[str] = []
    for entry in step.entries:
        where = f"{entry.statement.source}:{entry.statement.line}" if entry.statement.source else ""
        lines.append(f"{where}  {entry.statement.text.strip()}   ({entry.seconds:.3f} s)")
        lines += [f"    {line}" for line in entry.lines]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", redact(text))
