"""A run as a JUnit report: a case for each step, as build servers show them."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway_cli.output import ExitCode
from zb_mom_ww_mxgateway_shell.journal import Journal, Step
from zb_mom_ww_mxgateway_shell.problems import ShellError

# What XML 1.0 has no way to say.
_UNSAYABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(journal: Journal) -> str:
    """The report as XML."""
    steps = [step for step in journal.steps if step.title or step.failure]
    if not any(step.title for step in journal.steps) and not journal.not_run:
        steps = journal.steps
    suite = ElementTree.Element("testsuite", {"name": _clean(journal.name)})
    failures = errors = 0
    for step in steps:
        case = _case(suite, journal, step.title or _leading(journal), step.seconds)
        failure = step.failure
        if failure is not None:
            is_failure = failure.exit_code is ExitCode.NOT_MET
            failures, errors = failures + is_failure, errors + (not is_failure)
            kind = "failure" if is_failure else "error"
            told = _told_as(case, kind, failure.lines[0] if failure.lines else "")
            told.set("type", failure.error or failure.exit_code.name)
            told.text = _clean("\n".join(line for entry in step.entries if not entry.ok for line in entry.lines))
        ElementTree.SubElement(case, "system-out").text = _clean(_told(step))
    if journal.broken_off and not failures + errors:
        errors += 1
        _told_as(_case(suite, journal, "the whole run", 0.0), "error", journal.broken_off)
    for title in journal.not_run:
        ElementTree.SubElement(_case(suite, journal, title, 0.0), "skipped")
    return _document(suite, journal, failures=failures, errors=errors, skipped=len(journal.not_run))


def unfinished(name: str, lines: Sequence[str]) -> str:
    """The report of a run that has not come to its end, and why, as far as that is known."""
    journal = Journal(name)
    suite = ElementTree.Element("testsuite", {"name": _clean(name)})
    told = _told_as(_case(suite, journal, "the whole run", 0.0), "error", lines[0])
    told.text = _clean("\n".join(lines))
    return _document(suite, journal, failures=0, errors=1, skipped=0)


def _document(suite: ElementTree.Element, journal: Journal, **counts: int) -> str:
    for name, count in {"tests": len(suite), **counts}.items():
        suite.set(name, str(count))
    suite.set("time", f"{journal.seconds:.3f}")
    suite.set("timestamp", journal.started.strftime("%Y-%m-%dT%H:%M:%SZ"))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def write(path: Path, text: str) -> None:
    """Writes a report whole, in place of one that is there; raises ShellError."""
    is_replaced = not is_special(path)
    target = path.resolve()
    written = target.with_name(f"{target.name}.new") if is_replaced else path
    try:
        written.write_text(text, encoding="utf-8", newline="\n")
        if is_replaced:
            written.replace(target)
    except OSError as error:
        if is_replaced:
            with suppress(OSError):
                written.unlink()
        raise ShellError(f"cannot write {path}: {error.strerror}") from error


def is_special(path: Path) -> bool:
    """Whether it is something that cannot be replaced: a pipe, a terminal."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _leading(journal: Journal) -> str:
    return "before the first step" if len(journal.steps) > 1 or journal.not_run else Path(journal.name).stem


def _case(suite: ElementTree.Element, journal: Journal, title: str, seconds: float) -> ElementTree.Element:
    named = {"name": _clean(title), "classname": _clean(Path(journal.name).stem), "time": f"{seconds:.3f}"}
    return ElementTree.SubElement(suite, "testcase", named)


def _told_as(case: ElementTree.Element, kind: str, message: str) -> ElementTree.Element:
    return ElementTree.SubElement(case, kind, {"message": _clean(message)})


def _told(step: Step) -> str:
    told: list[str] = []
    for entry in step.entries:
        where = f"{entry.statement.source}:{entry.statement.line}" if entry.statement.source else ""
        told.append(f"{where}  {entry.statement.text.strip()}   ({entry.seconds:.3f} s)")
        told += [f"    {line}" for line in entry.lines]
    return "\n".join(told)


def _clean(text: str) -> str:
    return _UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", redact(text))
