"""Findings of a diagnosis, step by step, and its conclusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, one_line
from zb_mom_ww_mxgateway_shell.output.results import Sheet

_COLUMNS = ("meaning", "milliseconds", "step", "text", "verdict")


class Verdict(Enum):
    """Result of one step."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong, but it is worth knowing."""
    UNKNOWN = "?"
    """The step could not be checked."""
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding of one step."""

    step: str
    verdict: Verdict
    text: str
    meaning: str = ""
    """What is wrong, in plain words; empty if nothing is."""
    tries: tuple[str, ...] = ()
    """Lines to type next."""
    exit_code: ExitCode = ExitCode.DONE
    """Exit code of a run that this finding fails."""
    milliseconds: float | None = None

    def line(self) -> str:
        """Return the finding as a line for people, safe for a terminal."""
        took = f"   ({self.milliseconds:.0f} ms)" if self.milliseconds is not None else ""
        return f"{self.step:<12} {self.verdict.value:<4}  {one_line(self.text)}{took}"

    def form(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        return {
            "meaning": self.meaning or None,
            "milliseconds": self.milliseconds and round(self.milliseconds, 3),
            "step": self.step,
            "text": self.text,
            "verdict": self.verdict.name.lower(),
        }


class Findings(list[Finding]):
    """The findings so far, step by step."""

    def add(self, step: str, verdict: Verdict, text: str, meaning: str = "", *tries: str) -> None:
        """Add the finding of a step; `tries` are lines to type next."""
        self.append(Finding(step, verdict, text, meaning, tries))


def ok(step: str, text: str) -> Finding:
    """Return the finding of a step without a problem."""
    return Finding(step, Verdict.OK, text)


def note(step: str, text: str, meaning: str = "") -> Finding:
    """Return the finding of a step that is worth knowing."""
    return Finding(step, Verdict.NOTE, text, meaning)


def bad(step: str, text: str, meaning: str, code: ExitCode) -> Finding:
    """Return the finding of a failed step, with its exit code."""
    return Finding(step, Verdict.BAD, text, f"{step} failed: {meaning}", exit_code=code)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings of one subject, and the conclusion."""

    subject: str
    findings: tuple[Finding, ...]
    deciding: Finding
    """The finding behind the conclusion."""
    shown: bool = False
    """True when the findings were shown as they came."""
    exit_code: ExitCode = ExitCode.DONE

    @property
    def healthy(self) -> bool:
        """True when nothing is wrong."""
        return not any(finding.verdict is Verdict.BAD for finding in self.findings)

    @property
    def value(self) -> Any:
        """True when nothing is wrong."""
        return self.healthy

    def problems(self) -> list[str]:
        """Return nothing: its lines are the requested result, whatever they report."""
        return []

    def lines(self) -> list[str]:
        lines = [] if self.shown else [finding.line() for finding in self.findings]
        if self.deciding.meaning:
            lines.append(f"{'meaning':<12} {one_line(self.deciding.meaning)}")
        if self.deciding.tries:
            lines.append(f"{'try':<12} {'     or     '.join(map(one_line, self.deciding.tries))}")
        return lines

    def sheet(self) -> Sheet:
        return Sheet(_COLUMNS, [finding.form() for finding in self.findings])

    def form(self) -> Any:
        return {
            "findings": [finding.form() for finding in self.findings],
            "healthy": self.healthy,
            "meaning": self.deciding.meaning or None,
            "subject": self.subject,
            "try": list(self.deciding.tries),
        }


def worst(findings: Sequence[Finding], first: Sequence[str] = ()) -> Finding:
    """Return the finding behind the conclusion.

    It is the first bad one, with those of the steps `first` before the others; else the first with a meaning; else
    the last.
    """

    def of(verdict: Verdict) -> list[Finding]:
        found = [finding for finding in findings if finding.verdict is verdict]
        return sorted(found, key=lambda finding: first.index(finding.step) if finding.step in first else len(first))

    notable = [finding for finding in of(Verdict.NOTE) + of(Verdict.UNKNOWN) + of(Verdict.OK) if finding.meaning]
    return next(iter([*of(Verdict.BAD), *notable]), findings[-1])
