"""Several runs on one page, and what has changed since the run of the same test before."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.evidence.report_document import (
    Caution,
    FactsBlock,
    Paragraph,
    PartHeading,
    ReportBlock,
    ReportDocument,
    ReportPart,
    TableBlock,
    TableLine,
)
from zb_mom_ww_mxgateway_shell.evidence.report_front import (
    files_of,
    gateway_line,
    run_of,
    same_people,
    signatures,
    title_of,
    verdict_text,
)
from zb_mom_ww_mxgateway_shell.evidence.report_model import ReportVerdict, RunReport, StepReport
from zb_mom_ww_mxgateway_shell.evidence.report_reading import DEVIATION
from zb_mom_ww_mxgateway_shell.evidence.report_text import ReportClock, list_of, mapping_of, text_of

_GRAVEST_FIRST = (
    ReportVerdict.INVALID,
    ReportVerdict.ERROR,
    ReportVerdict.FAILED,
    ReportVerdict.SKIPPED,
    ReportVerdict.DONE,
    ReportVerdict.OBSERVED,
    ReportVerdict.PASSED,
)


def summary_document(reports: Sequence[RunReport]) -> ReportDocument:
    """Return the summary of several runs, in the order in which they began."""
    ordered = sorted(reports, key=lambda each: text_of(each.begin.get("at")))
    tests = _tests(ordered)
    latest = [runs[-1] for runs in tests]
    names = _TestNames(latest)
    verdict = min((each.verdict for each in latest), key=_GRAVEST_FIRST.index, default=ReportVerdict.SKIPPED)
    counts = [f"{number} {each.value}" for each in reversed(_GRAVEST_FIRST) if (number := _count(latest, each))]
    clock = ReportClock(ordered[0].begin.get("zone") if ordered else None)
    began = clock.full(ordered[0].begin.get("at")) if ordered else ""
    ended = clock.full(ordered[-1].begin.get("at")) if ordered else ""
    about = _common(ordered)
    many = f"{counted(len(reports), 'run')} of {counted(len(tests), 'test')}"
    title = text_of(about.get("title"))
    return ReportDocument(
        title=f"{title}: summary of {many}" if title else f"Summary of {many}",
        strip=f"runs that began from {began} to {ended}",
        verdict=verdict,
        verdict_text=f"{verdict.value.upper()}: of the newest run of each test, {', '.join(counts)}",
        head=(*_warnings(ordered, about), *_facts_in_common(about)),
        parts=(
            ReportPart("Runs", [_runs(ordered, names, clock)]),
            ReportPart("What changed since the run before", [*_changes(tests, names, clock)]),
            ReportPart("Requirements, by the newest run of each test", [_requirements(latest, names)]),
            ReportPart("Steps that did not pass, in the newest run of each test", [_steps(latest, names)]),
            ReportPart("Deviations and comments, in the newest run of each test", [_remarks(latest, names)]),
            ReportPart("Left changed, by the newest run of each test", [_left_changed(latest, names)]),
            ReportPart("Signatures", signatures(about), begins_page=True),
        ),
    )


class _TestNames:
    """Names of tests: their titles, with their files where one title has several."""

    def __init__(self, latest: Sequence[RunReport]) -> None:
        titles = [title_of(each) for each in latest]
        self._repeated = {title for title, number in Counter(titles).items() if number > 1}

    def of(self, report: RunReport) -> str:
        title = title_of(report)
        return f"{title} ({files_of(report)})" if title in self._repeated else title


def _common(reports: Sequence[RunReport]) -> dict[str, Any]:
    """Return what all runs say about themselves alike."""
    first = reports[0].about if reports else {}
    return {name: each for name, each in first.items() if all(other.about.get(name) == each for other in reports)}


def _facts_in_common(about: Mapping[str, Any]) -> Iterator[ReportBlock]:
    if facts := [(name.replace("_", " ").capitalize(), text_of(each)) for name, each in about.items()]:
        yield FactsBlock(facts)


def _tests(reports: Sequence[RunReport]) -> list[list[RunReport]]:
    """Return the runs of each test: those with the same number and the same files, in their order."""
    of: dict[tuple[str, ...], list[RunReport]] = {}
    for each in reports:
        number, files = text_of(each.about.get("number")), files_of(each)
        of.setdefault((number, files or each.source), []).append(each)
    return list(of.values())


def _count(reports: Sequence[RunReport], verdict: ReportVerdict) -> int:
    return sum(each.verdict is verdict for each in reports)


def _warnings(reports: Sequence[RunReport], about: Mapping[str, Any]) -> Iterator[ReportBlock]:
    if broken := [f"{each.source}: {'; '.join(each.problems)}" for each in reports if each.problems]:
        yield Caution("Records that are incomplete or not as they were written", tuple(broken), is_large=True)
    if doubled := same_people(about):
        yield Caution("Tester, author and witness should be different people", tuple(doubled))


def _runs(reports: Sequence[RunReport], names: _TestNames, clock: ReportClock) -> ReportBlock:
    rows = []
    for each in reports:
        gateways = tuple(gateway_line(entry) for entry in each.gateways)
        cells = (
            clock.full(each.begin.get("at")),
            names.of(each),
            gateways,
            verdict_text(each).partition(": ")[2],
            counted(len(list_of(each.end.get("left_changed"))), "tag"),
            each.verdict,
        )
        below = (f"{each.source}, run {run_of(each)}, SHA-256 {each.sha256}",)
        rows.append(TableLine(cells, below, stands_out=each.verdict.is_bad))
    headings = ("Began", "Test", "Gateway", "Steps", "Left changed", "Verdict")
    return TableBlock(headings, (15, 23, 19, 18, 11, 14), rows, "No run.")


def _changes(tests: Sequence[Sequence[RunReport]], names: _TestNames, clock: ReportClock) -> Iterator[ReportBlock]:
    for runs in tests:
        for before, now in pairwise(runs):
            since = f"run {run_of(now)} since run {run_of(before)} of {clock.full(before.begin.get('at'))}"
            yield PartHeading(names.of(now), now.verdict, since)
            rows = [TableLine(cells, stands_out=cells[0] == "newly failing") for cells in changes(before, now)]
            yield TableBlock(("What", "Which", "Before → now"), (18, 40, 42), rows, "Nothing that the records show.")
    if alone := [names.of(runs[0]) for runs in tests if len(runs) == 1]:
        yield Paragraph(f"There is no earlier run here of: {', '.join(alone)}")


def changes(before: RunReport, now: RunReport) -> Iterator[tuple[str, str, str]]:
    """Yield what differs between two runs of one test: what, which, and before → now."""
    old, new = _by_name(before.steps), _by_name(now.steps)
    for name, step in new.items():
        earlier = old.get(name)
        if earlier is None:
            yield "new step", name, step.verdict.value
        elif earlier.verdict is not step.verdict:
            failing = earlier.verdict.is_pass and step.is_open
            passing = step.verdict.is_pass and earlier.is_open
            what = "newly failing" if failing else "newly passing" if passing else "other verdict"
            yield what, name, f"{earlier.verdict.value} → {step.verdict.value}"
    yield from (("step gone", name, old[name].verdict.value) for name in old if name not in new)
    facts, known = _facts(before), _facts(now)
    for name in dict.fromkeys((*facts, *known)):
        if facts.get(name, "") != known.get(name, ""):
            yield "changed", name, f"{facts.get(name) or 'none'} → {known.get(name) or 'none'}"


def _by_name(steps: Sequence[StepReport]) -> dict[str, StepReport]:
    """Return steps by their titles, repeated ones numbered: lines move, and so do ids."""
    named: dict[str, StepReport] = {}
    counts: Counter[str] = Counter()
    for step in steps:
        name = step.title
        while name in named:
            counts[step.title] += 1
            name = f"{step.title} ({counts[step.title] + 1})"
        named[name] = step
    return named


def _facts(report: RunReport) -> Mapping[str, str]:
    """Return what the result of a run depends on."""
    begin = report.begin
    tool, contract, limits = (mapping_of(begin.get(name)) for name in ("tool", "contract", "limits"))
    facts: dict[str, Any] = {
        "version of the program": tool.get("version"),
        "contract": contract.get("sha256"),
        "limits": limits.get("sha256"),
    }
    for each in report.files:
        facts[f"file {text_of(each.get('name'))}"] = each.get("sha256")
    for entry in report.gateways:
        gateway, galaxy = mapping_of(entry.get("gateway")), mapping_of(entry.get("galaxy"))
        name = text_of(gateway.get("name")) or text_of(gateway.get("endpoint"))
        facts[f"deployment of {name}"] = galaxy.get("deployed_at")
        facts[f"certificate of {name}"] = gateway.get("certificate")
        facts[f"address of {name}"] = gateway.get("endpoint")
    facts |= {f"name {name}": each for name, each in mapping_of(begin.get("names")).items()}
    return {name: text_of(each) for name, each in facts.items()}


def _requirements(reports: Sequence[RunReport], names: _TestNames) -> ReportBlock:
    of: dict[str, list[tuple[str, ReportVerdict, bool]]] = {}
    for report in reports:
        for each in report.requirements:
            is_shown = each.is_shown and not report.problems
            of.setdefault(each.name, []).append((names.of(report), each.verdict, is_shown))
    rows = []
    for name in of:
        is_shown = any(shown for _, _, shown in of[name])
        tests = tuple(f"{title}: {verdict.value}" for title, verdict, _ in of[name])
        remark = "" if is_shown else "NOT SHOWN: no step with a check passed"
        worst = min((verdict for _, verdict, _ in of[name]), key=_order)
        rows.append(TableLine((name, tests, remark, worst), stands_out=not is_shown))
    return TableBlock(
        ("Requirement", "Tests", "Remark", "Verdict"),
        (16, 46, 22, 16),
        rows,
        "No step in the record names a requirement.",
    )


def _order(verdict: ReportVerdict) -> int:
    # A test that compares nothing about a requirement takes nothing from one that does.
    return len(_GRAVEST_FIRST) if verdict is ReportVerdict.DONE else _GRAVEST_FIRST.index(verdict)


def _steps(reports: Sequence[RunReport], names: _TestNames) -> ReportBlock:
    rows = []
    for report in reports:
        for step in report.steps:
            if step.is_open:
                failed = (each.problem for each in step.findings if each.verdict.is_bad)
                why = step.not_run_because or next(failed, "")
                rows.append(
                    TableLine((names.of(report), step.title, why, step.verdict), stands_out=step.verdict.is_bad)
                )
    return TableBlock(("Test", "Step", "Why", "Verdict"), (24, 26, 36, 14), rows, "None that the records show.")


def _remarks(reports: Sequence[RunReport], names: _TestNames) -> ReportBlock:
    rows = [
        TableLine((names.of(report), each.step, kind, each.text), stands_out=kind == DEVIATION)
        for report in reports
        for kind, remarks in ((DEVIATION, report.deviations), ("", report.comments))
        for each in remarks
    ]
    return TableBlock(("Test", "Step", "Kind", "Text"), (22, 22, 12, 44), rows, "None was recorded.")


def _left_changed(reports: Sequence[RunReport], names: _TestNames) -> ReportBlock:
    rows = [
        TableLine((names.of(report), text_of(mapping_of(each).get("text")) or text_of(each)), stands_out=True)
        for report in reports
        for each in list_of(report.end.get("left_changed"))
    ]
    return TableBlock(("Test", "What it was, and is"), (30, 70), rows, "Nothing.")
