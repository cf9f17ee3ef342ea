"""What a diagnosis found, step by step, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, one_line


class Verdict(Enum):
    """What may be said of one step."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong, but it is worth knowing."""
    UNKNOWN = "?"
    """It could not be found out."""
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step."""

    step: str
    verdict: Verdict
    text: str
    meaning: str = ""
    """In plain words what is wrong, where something is."""
    tries: tuple[str, ...] = ()
    """Lines to type next."""
    exit_code: ExitCode = ExitCode.DONE
    """That it leads to, where it fails a run."""
    milliseconds: float | None = None

    def line(self) -> str:
        """For a person, safe for a terminal."""
        took = f"   ({self.milliseconds:.0f} ms)" if self.milliseconds is not None else ""
        return f"{self.step:<12} {self.verdict.value:<4}  {one_line(self.text)}{took}"

    def form(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "meaning": self.meaning or None,
            "milliseconds": self.milliseconds and round(self.milliseconds, 3),
            "step": self.step,
            "text": self.text,
            "verdict": self.verdict.name.lower(),
        }


def ok(step: str, text: str) -> Finding:
    """Of a step that is as it should be."""
    return Finding(step, Verdict.OK, text)


def note(step: str, text: str, meaning: str = "") -> Finding:
    """Of a step that is worth knowing of."""
    return Finding(step, Verdict.NOTE, text, meaning)


def bad(step: str, text: str, meaning: str, code: ExitCode) -> Finding:
    """Of a step that failed, and the exit code that leads to."""
    return Finding(step, Verdict.BAD, text, f"{step} failed: {meaning}", exit_code=code)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings of one subject, and what they come to."""

    subject: str
    findings: tuple[Finding, ...]
    deciding: Finding
    """The one that the conclusion is of."""
    said: bool = False
    """True when the findings have been shown as they came."""
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
        """Nothing besides: its lines are what was asked for, whatever they say."""
        return []

    def lines(self) -> list[str]:
        shown = [] if self.said else [finding.line() for finding in self.findings]
        if self.deciding.meaning:
            shown.append(f"{'meaning':<12} {one_line(self.deciding.meaning)}")
        if self.deciding.tries:
            shown.append(f"{'try':<12} {'     or     '.join(map(one_line, self.deciding.tries))}")
        return shown

    def form(self) -> Any:
        return {
            "findings": [finding.form() for finding in self.findings],
            "healthy": self.healthy,
            "meaning": self.deciding.meaning or None,
            "subject": self.subject,
            "try": list(self.deciding.tries),
        }


def to_seconds(moment: datetime) -> str:
    """A moment for a person, to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def worst(findings: Sequence[Finding], first: Sequence[str] = ()) -> Finding:
    """The finding that decides: the first that is bad, those of the steps `first` before the others; else the first
    that has something to say; else the last."""

    def of(verdict: Verdict) -> list[Finding]:
        found = [finding for finding in findings if finding.verdict is verdict]
        return sorted(found, key=lambda finding: first.index(finding.step) if finding.step in first else len(first))

    said = [finding for finding in of(Verdict.NOTE) + of(Verdict.UNKNOWN) + of(Verdict.OK) if finding.meaning]
    return next(iter([*of(Verdict.BAD), *said]), findings[-1])
