"""What a record of a run shows, for a person who signs it: steps with their evidence, requirements, writes, alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.journal_actions import JournalAction


class ReportVerdict(Enum):
    """Outcome of a statement, a step, a requirement or a run; the value is the word for it."""

    PASSED = "passed"
    OBSERVED = "passed with observation"
    DONE = "done"
    """Carried out; it compares nothing."""
    SKIPPED = "not run"
    FAILED = "failed"
    ERROR = "error"
    INVALID = "not valid"
    """The record is incomplete or was altered."""

    @property
    def is_pass(self) -> bool:
        return self in (ReportVerdict.PASSED, ReportVerdict.OBSERVED)

    @property
    def is_bad(self) -> bool:
        return self in (ReportVerdict.FAILED, ReportVerdict.ERROR, ReportVerdict.INVALID)


@dataclass(slots=True)
class Evidence:
    """What one statement expected, what was there, and the verdict."""

    place: str
    statement: str
    at: Any
    """When it began, as the record has it."""
    verdict: ReportVerdict
    expected: str = ""
    actual: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    """Quality and age, one for each line of `actual`."""
    sources: tuple[Any, ...] = ()
    """Times of the source, one for each line of `actual`."""
    received: tuple[Any, ...] = ()
    """Times of their arrival here, one for each line of `actual`."""
    ended_at: Any = None
    """When it ended."""
    is_check: bool = False
    """Whether it compares something: whether it is evidence."""
    problem: str = ""
    """Why it failed."""
    remarks: tuple[str, ...] = ()
    """What happened by itself meanwhile."""
    written: tuple[str, ...] = ()
    """Tags that it wrote."""
    series: list[Mapping[str, Any]] = field(default_factory=list)
    """Samples of its waits, as the record has them."""


@dataclass(slots=True)
class StepReport:
    """One step of a run, or the part before the first one, or the one after ``finally``."""

    id: str
    title: str
    requirements: tuple[str, ...] = ()
    is_step: bool = True
    findings: list[Evidence] = field(default_factory=list)
    alarms: list[Mapping[str, Any]] = field(default_factory=list)
    observations: list[str] = field(default_factory=list)
    not_run_because: str | None = None

    @property
    def verdict(self) -> ReportVerdict:
        """The gravest outcome of its statements; without one that compares something it has passed nothing."""
        if self.not_run_because is not None:
            return ReportVerdict.SKIPPED
        found = {each.verdict for each in self.findings}
        for bad in (ReportVerdict.ERROR, ReportVerdict.FAILED):
            if bad in found:
                return bad
        if self.observations:
            return ReportVerdict.OBSERVED
        return ReportVerdict.PASSED if self.checks else ReportVerdict.DONE

    @property
    def is_open(self) -> bool:
        """Whether somebody has to decide about it."""
        return self.verdict.is_bad or self.verdict is ReportVerdict.SKIPPED

    @property
    def checks(self) -> int:
        """Statements that compare something."""
        return sum(each.is_check for each in self.findings)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement, the steps that show it, and whether they do."""

    name: str
    steps: tuple[StepReport, ...]

    @property
    def verdict(self) -> ReportVerdict:
        """Passed if all its steps passed and one of them compares something."""
        verdicts = [step.verdict for step in self.steps]
        for bad in (ReportVerdict.ERROR, ReportVerdict.FAILED, ReportVerdict.SKIPPED):
            if bad in verdicts:
                return bad
        if not any(step.checks for step in self.steps):
            return ReportVerdict.DONE
        return ReportVerdict.OBSERVED if ReportVerdict.OBSERVED in verdicts else ReportVerdict.PASSED

    @property
    def is_shown(self) -> bool:
        """Whether at least one of its steps passed with a comparison in it."""
        return any(step.verdict.is_pass and step.checks for step in self.steps)


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment, a deviation, or other words of a person, and the step in which they were said."""

    step: str
    place: str
    at: Any
    text: str


@dataclass(slots=True)
class RunReport:
    """All that one record shows."""

    source: str
    """Name of the file of the record."""
    problems: tuple[str, ...]
    """Why the record is not whole; empty if it is."""
    sha256: str
    """Digest of the file of the record."""
    seals: tuple[str, ...] = ()
    """Seals beside the record, in words."""
    begin: Mapping[str, Any] = field(default_factory=dict)
    gateways: list[Mapping[str, Any]] = field(default_factory=list)
    files: list[Mapping[str, Any]] = field(default_factory=list)
    """Every file that was read, with its digest; once more where a line read it with another content."""
    logins: list[tuple[str, Any]] = field(default_factory=list)
    """Who logged in to the plant, and when; the journal says who was logged in at each write."""
    first_contacts: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[StepReport] = field(default_factory=list)
    actions: "Sequence[JournalAction]" = ()
    """What the journal says of writes and acknowledgements."""
    alarms_lost: list[Mapping[str, Any]] = field(default_factory=list)
    """Stretches in which alarms may be missing."""
    news: list[Mapping[str, Any]] = field(default_factory=list)
    comments: list[Remark] = field(default_factory=list)
    deviations: list[Remark] = field(default_factory=list)
    end: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> Mapping[str, Any]:
        about = self.begin.get("about")
        return about if isinstance(about, Mapping) else {}

    @property
    def is_program(self) -> bool:
        """Whether a Python file ran: it alone knows its steps, and decides about its exit code."""
        arguments = self.begin.get("arguments")
        return isinstance(arguments, list) and any(str(each).partition("=")[0] == "--python" for each in arguments)

    @property
    def requirements(self) -> list[Requirement]:
        """Every requirement that a step names, by name."""
        of: dict[str, list[StepReport]] = {}
        for step in self.steps:
            for name in dict.fromkeys(step.requirements):
                of.setdefault(name, []).append(step)
        return [Requirement(name, tuple(of[name])) for name in sorted(of, key=_in_order)]

    @property
    def verdict(self) -> ReportVerdict:
        """Passed only if the record is whole, the run ended with 0, every step ran, and something was compared."""
        verdicts = {step.verdict for step in self.steps}
        if self.problems:
            return ReportVerdict.INVALID
        if ReportVerdict.FAILED in verdicts and ReportVerdict.ERROR not in verdicts:
            return ReportVerdict.FAILED
        if ReportVerdict.ERROR in verdicts or self.end.get("exit_code") != 0:
            return ReportVerdict.ERROR
        if ReportVerdict.SKIPPED in verdicts:
            return ReportVerdict.SKIPPED
        if not any(step.checks for step in self.steps):
            return ReportVerdict.DONE
        is_plain = verdicts <= {ReportVerdict.PASSED, ReportVerdict.DONE} and not (
            self.end.get("left_changed") or self.news or self.alarms_lost
        )
        return ReportVerdict.PASSED if is_plain else ReportVerdict.OBSERVED

    def count(self, verdict: ReportVerdict) -> int:
        """Return how many steps have this verdict."""
        return sum(step.is_step and step.verdict is verdict for step in self.steps)


def _in_order(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts URS-9 before URS-12."""
    import re

    return [(0, int(each[:18]), "") if each.isdecimal() else (1, 0, each) for each in re.findall(r"\d+|\D+", name)]
