"""JUnit report of a run: a case for each step, as build servers show them."""

import re
import socket
from collections.abc import Sequence
from pathlib import PurePath
from xml.etree import ElementTree

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.scripts.run_log import NotRun, RunLog, Step

# Characters that XML 1.0 cannot contain.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(logs: Sequence[RunLog]) -> str:
    """Return the report as XML: a suite for each file."""
    names: set[tuple[str, str]] = set()
    return _document([_suite(log, names) for log in logs])


def unfinished(name: str, lines: Sequence[str]) -> str:
    """Return the report of a run that did not reach its end; `lines` say why, as far as that is known."""
    suite = _Suite(RunLog(name), set())
    suite.case(_WHOLE_RUN, 0.0).add_problem("error", "unfinished", lines[0], lines)
    return _document([suite])


def _suite(log: RunLog, names: set[tuple[str, str]]) -> "_Suite":
    suite = _Suite(log, names)
    for step in log.steps:
        if step.part == "ending":
            suite.skip(log.not_run)  # It is behind them in the file.
        # Lines before the first step are a case if there are any.
        if step.part == "leading" and not step.entries and (log.has_steps or log.broken_off):
            continue
        case = suite.case(_leading(log, step) if step.part == "leading" else step.id, step.seconds)
        failure = step.failure
        if failure is not None:
            # A failure means the plant was not as expected; an error means that is unknown.
            kind = "failure" if failure.exit_code is ExitCode.NOT_MET else "error"
            shown = [line for entry in step.entries if not entry.ok for line in entry.lines]
            message = failure.lines[0] if failure.lines else ""
            case.add_problem(kind, failure.error or failure.exit_code.name, message, shown)
        suite.transcript += [case.name, *_transcript(step)]
    if log.broken_off and not suite.failed:
        suite.case(_WHOLE_RUN, 0.0).add_problem("error", "broken-off", log.broken_off, [log.broken_off])
    if log.steps[-1].part != "ending":
        suite.skip(log.not_run)
    return suite


_WHOLE_RUN = "the whole run"


class _Suite:
    """A suite under construction; the names of its cases are unique.

    Its children have the order, and it has the attributes, that the schemas of Ant's and of Jenkins's reports demand.
    """

    def __init__(self, log: RunLog, names: set[tuple[str, str]]) -> None:
        """`names` are those of the whole report: files with the same name in two folders may have the same class."""
        self._log = log
        self._element = ElementTree.Element("testsuite", {"name": _clean(log.name) or _WHOLE_RUN})
        self._names = names
        self._package, self._class = _classname(log.name)
        self.transcript: list[str] = []
        """What ran, case by case."""

    def case(self, title: str, seconds: float) -> "_Case":
        """Add a case. Without a title, or with one that exists already, it gets a unique name."""
        plain, of = " ".join(_clean(title).split()) or "(untitled)", f"{self._package}.{self._class}".lstrip(".")
        name, number = plain, 1
        while (of, name) in self._names:
            number += 1
            name = f"{plain} ({number})"
        self._names.add((of, name))
        named = {"name": name, "classname": of, "time": f"{seconds:.3f}"}
        return _Case(ElementTree.SubElement(self._element, "testcase", named))

    def skip(self, left_out: Sequence[NotRun]) -> None:
        """Add cases that did not run."""
        for each in left_out:
            self.case(each.id, 0.0).skip(each.why)

    def _count(self, kind: str) -> int:
        return len(self._element.findall(f"testcase/{kind}"))

    @property
    def failed(self) -> bool:
        return bool(self._count("failure") + self._count("error"))

    def ended(self, number: int) -> ElementTree.Element:
        """Return the suite, the one of this number, with its counts, properties and output."""
        for name, value in {
            "package": self._package,
            "id": number,
            "hostname": _hostname(),
            "tests": len(self._element.findall("testcase")),
            "failures": self._count("failure"),
            "errors": self._count("error"),
            "skipped": self._count("skipped"),
            "time": f"{self._log.seconds:.3f}",
            "timestamp": self._log.started.strftime("%Y-%m-%dT%H:%M:%S"),  # In UTC; no zone may be written.
        }.items():
            self._element.set(name, _clean(str(value)))
        properties = ElementTree.Element("properties")
        named = [("started", date_and_time(self._log.started)), *(("journal.head", head) for head in self._log.journal)]
        for name, value in [*named, *self._log.properties.items()]:
            ElementTree.SubElement(properties, "property", {"name": name, "value": _clean(value)})
        self._element.insert(0, properties)
        ElementTree.SubElement(self._element, "system-out").text = _clean("\n".join(self.transcript))
        ElementTree.SubElement(self._element, "system-err")
        return self._element


class _Case:
    """One case of a suite. Only one problem, or the reason for skipping it, may stand in it."""

    def __init__(self, element: ElementTree.Element) -> None:
        self._element = element

    @property
    def name(self) -> str:
        return self._element.get("name", "")

    def add_problem(self, kind: str, type_: str, message: str, lines: Sequence[str]) -> None:
        """Add a ``failure`` or an ``error``; `lines` are its text, which some build servers show alone."""
        said = {"message": _clean(message), "type": type_}
        ElementTree.SubElement(self._element, kind, said).text = _clean("\n".join(lines or [message]))

    def skip(self, why: str) -> None:
        """Say that it did not run, and why: as an attribute and as text, as one build server or another reads it."""
        ElementTree.SubElement(self._element, "skipped", {"message": _clean(why)}).text = _clean(why)


def _classname(name: str) -> tuple[str, str]:
    """Return the folders of a file, with dots between them, and its name without suffix, which has no dot.

    Both are as the user gave them, below the present folder; a folder elsewhere is left out, as it may differ from one
    machine to the next.
    """
    path = PurePath(name)
    folders = [] if path.is_absolute() or ".." in path.parts else [part.replace(".", "_") for part in path.parts[:-1]]
    return ".".join(map(_clean, folders)), _clean(path.stem.replace(".", "_"))


def _hostname() -> str:
    return socket.gethostname() or "localhost"


def _document(made: Sequence[_Suite]) -> str:
    suites = ElementTree.Element("testsuites")
    suites.extend(suite.ended(number) for number, suite in enumerate(made))
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _leading(log: RunLog, step: Step) -> str:
    if not log.has_steps:
        return log.name
    place = step.entries[0].statement.place.replace("\\", "/") if step.entries else log.name
    return f"{place} before the first step".lstrip()


def _transcript(step: Step) -> list[str]:
    lines: list[str] = []
    for entry in step.entries:
        lines.append(f"  {entry.statement.place}  {entry.statement.text.strip()}   ({entry.seconds:.3f} s)")
        lines += [f"      {line}" for line in entry.lines]
    lines += [f"  alarm  {line}" for line in step.alarms]
    return lines


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", redact(text))
