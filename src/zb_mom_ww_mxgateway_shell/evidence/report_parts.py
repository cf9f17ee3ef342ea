"""The report of one run as a document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict
from zb_mom_ww_mxgateway_shell.evidence.report_document import (
    Caution,
    FactsBlock,
    FigureBlock,
    Paragraph,
    PartHeading,
    ReportBlock,
    ReportDocument,
    ReportPart,
    TableBlock,
    TableCell,
    TableLine,
)
from zb_mom_ww_mxgateway_shell.evidence.report_front import (
    prerequisites,
    scope,
    signatures,
    strip_of,
    title_block,
    title_of,
    verdict_text,
    warnings,
)
from zb_mom_ww_mxgateway_shell.evidence.report_model import Evidence, Remark, ReportVerdict, RunReport, StepReport
from zb_mom_ww_mxgateway_shell.evidence.report_reading import action_user
from zb_mom_ww_mxgateway_shell.evidence.report_text import ReportClock, list_of, mapping_of, shown_value, text_of
from zb_mom_ww_mxgateway_shell.evidence.trend_svg import trend_of
from zb_mom_ww_mxgateway_shell.output.decimals import TagDecimals

_STEP_HEADINGS = ("Line", "Statement", "Expected", "Actual", "Quality and age", "Source and receipt time", "Verdict")
_STEP_WIDTHS = (10, 21, 16, 18, 10, 13, 12)


def run_document(report: RunReport) -> ReportDocument:
    """Return what a report says of one run, in order."""
    clock = ReportClock(report.begin.get("zone"), report.begin.get("at"))
    return ReportDocument(
        title=title_of(report),
        strip=strip_of(report),
        verdict=report.verdict,
        verdict_text=verdict_text(report),
        head=(*warnings(report), title_block(report, clock)),
        parts=(
            ReportPart("Scope", scope(report)),
            ReportPart("Environment and prerequisites", prerequisites(report, clock)),
            ReportPart("Summary of the steps", [_summary(report)]),
            ReportPart("Requirements", [*_requirements(report)]),
            ReportPart("Steps", [*_steps(report, clock)], begins_page=True),
            ReportPart("Alarms by step", [_alarms(report, clock), *_alarms_lost(report, clock)]),
            ReportPart("Writes", [*_writes(report, clock)]),
            ReportPart("Left changed", [_left_changed(report)]),
            ReportPart("Connection: gaps, stale stretches, rebuilds", [_news(report, clock)]),
            ReportPart("Deviations", [_remarks(report.deviations, clock, "No deviation was recorded.")]),
            ReportPart("Comments", [_remarks(report.comments, clock, "No comment was recorded.")]),
            ReportPart("What was not run", [_not_run(report)]),
            ReportPart("Open points", [_open_points(report)]),
            ReportPart("The record and the journal", [*_proof(report)]),
            ReportPart("Signatures", signatures(report.about), begins_page=True),
        ),
    )


def _summary(report: RunReport) -> ReportBlock:
    rows = [
        TableLine(
            (
                str(number),
                step.title,
                ", ".join(step.requirements),
                _checks(step),
                tuple(dict.fromkeys(step.observations[:10])) or "",
                step.verdict,
            ),
            stands_out=step.verdict.is_bad,
        )
        for number, step in enumerate(report.steps, start=1)
    ]
    headings = ("No.", "Step", "Requirements", "Checks", "Observations", "Verdict")
    return TableBlock(headings, (6, 30, 14, 10, 26, 14), rows, "The record has no statement.")


def _checks(step: StepReport) -> str:
    if step.verdict is ReportVerdict.SKIPPED:
        return ""
    met = sum(each.is_check and each.verdict.is_pass for each in step.findings)
    return f"{met} of {step.checks} met" if step.checks else "none"


def _requirements(report: RunReport) -> Iterator[ReportBlock]:
    rows = []
    for each in report.requirements:
        remark = ""
        if not each.is_shown:
            remark = "NOT SHOWN: no step with a check passed"
        elif each.verdict is ReportVerdict.SKIPPED:
            remark = "only in part: a step was not run"
        steps = tuple(f"{step.title}: {step.verdict.value}" for step in each.steps)
        rows.append(TableLine((each.name, steps, remark, each.verdict), stands_out=not each.is_shown))
    yield TableBlock(
        ("Requirement", "Steps", "Remark", "Verdict"),
        (16, 46, 22, 16),
        rows,
        "No step in the record names a requirement.",
    )


def _steps(report: RunReport, clock: ReportClock) -> Iterator[ReportBlock]:
    number = 0
    for place, step in enumerate(report.steps, start=1):
        details = [step.id] if step.id != step.title else []
        details += [f"requirements {', '.join(step.requirements)}"] if step.requirements else []
        yield PartHeading(f"{place}. {step.title}", step.verdict, " · ".join(details))
        if step.not_run_because is not None:
            yield Paragraph(f"Not run: {step.not_run_because}")
            continue
        if step.observations:
            yield Caution("Observed in this step", tuple(dict.fromkeys(step.observations)))
        rows = [_finding(each, clock) for each in step.findings]
        yield TableBlock(_STEP_HEADINGS, _STEP_WIDTHS, rows, "Nothing ran in this step.")
        for finding in step.findings:
            for series in finding.series:
                number += 1
                yield FigureBlock(finding.place, trend_of(series, clock, number))


def _finding(finding: Evidence, clock: ReportClock) -> TableLine:
    below = [f"Why: {finding.problem}"] if finding.problem else []
    below += [f"Meanwhile: {each}" for each in finding.remarks]
    pairs = zip(finding.sources, finding.received, strict=True)
    named = [
        (name, at) for source, received in pairs for name, at in (("source", source), ("received", received)) if at
    ]
    if not any(finding.received) and finding.ended_at:
        named.append(("ended", finding.ended_at))
    times = [f"{name} {clock.short(at)}" for name, at in named]
    cells: Sequence[TableCell] = (
        finding.place,
        finding.statement,
        finding.expected,
        finding.actual,
        tuple(each for each in finding.quality if each),
        tuple(times),
        finding.verdict,
    )
    return TableLine(cells, tuple(below), stands_out=finding.verdict.is_bad)


def _alarms(report: RunReport, clock: ReportClock) -> ReportBlock:
    rows = [
        TableLine(
            (
                step.title,
                clock.short(each.get("at")),
                text_of(each.get("kind")),
                text_of(each.get("reference")),
                text_of(each.get("severity")),
                "" if each.get("value") is None else shown_value(each["value"]),
                tuple(_alarm_facts(each, clock)),
            )
        )
        for step in report.steps
        for each in step.alarms
    ]
    headings = ("Step", "When", "What", "Alarm", "Severity", "Value", "Description")
    return TableBlock(headings, (17, 13, 11, 23, 8, 8, 20), rows, "The record has no alarm.")


def _alarm_facts(alarm: Mapping[str, Any], clock: ReportClock) -> Iterator[str]:
    """Yield what is known of a transition: description, who made it and said what, and times of the plant."""
    if description := text_of(alarm.get("description")):
        yield description
    if alarm.get("user"):
        yield f"by {text_of(alarm['user'])}"
    if alarm.get("comment"):
        yield f"comment: {text_of(alarm['comment'])}"
    for name, words in (("transition_at", "by the plant's clock"), ("original_at", "raised")):
        if alarm.get(name):
            yield f"{words} {clock.short(alarm[name])}"


def _alarms_lost(report: RunReport, clock: ReportClock) -> Iterator[ReportBlock]:
    if report.alarms_lost:
        lines = (f"{clock.short(each.get('at'))}: {_rest(each, clock)}" for each in report.alarms_lost)
        yield Caution("Alarms may be missing", tuple(lines))


def _rest(entry: Mapping[str, Any], clock: ReportClock) -> str:
    """Return what an entry says besides its time, in words."""
    known = {"at", "id", "step", "text"}
    words = [text_of(entry.get("text"))] if entry.get("text") else []
    words += [
        f"{name.replace('_', ' ')} {clock.short(each) if name in ('from', 'to') else text_of(each)}"
        for name, each in entry.items()
        if name not in known and each not in (None, "", []) and not (name == "command" and words)
    ]
    return ", ".join(words)


def _writes(report: RunReport, clock: ReportClock) -> Iterator[ReportBlock]:
    rows, decimals = [], TagDecimals()
    for each in report.actions:
        decimals.note(each.tag, each.old, each.new)
    for each in report.actions:
        quality = "" if each.quality is None else f" ({quality_word(each.quality)})"
        is_write = each.new is not None or each.quality is not None
        old, new = (decimals.text(each.tag, value) for value in (each.old, each.new))
        old = f"{old}{quality}"
        # Nothing points at a value that was not taken.
        is_refused = each.result in (WriteVerdict.REFUSED_HERE.word, WriteVerdict.REFUSED_THERE.word)
        change = ((f"{new} not taken", f"was {old}") if is_refused else (old, f"→ {new}")) if is_write else ()
        why = [f"reason: {each.reason}"] if each.reason else ["no reason given"]
        why += [f"command: {each.command}"] if each.command else []
        why += [f"answered: {each.answer}"] if each.answer else []
        why += [*each.rules, *each.guards]
        result = (each.result.replace("_", " "), each.why)
        cells: Sequence[TableCell] = (
            clock.short(each.at),
            action_user(each),
            each.tag or each.call,
            change,
            tuple(filter(None, result)),
            tuple(why),
        )
        rows.append(TableLine(cells, stands_out=each.result in ("unknown", "not_verified")))
    headings = ("When", "Who", "Tag", "Old → new", "Result", "Why")
    if not report.end or report.end.get("journal_problem"):
        empty = "Unknown: the record has no lines of the journal. What was written, the journal itself says."
    else:
        empty = "The journal has no write of this run."
    yield Paragraph("From the lines of the journal of writes in the record: what was sent to the plant, or refused.")
    yield TableBlock(headings, (13, 13, 22, 14, 14, 24), rows, empty)


def _left_changed(report: RunReport) -> ReportBlock:
    rows = []
    for each in list_of(report.end.get("left_changed")):
        said = dict(mapping_of(each))
        tag, rest = text_of(each).partition(" ")[::2]
        if said:
            tag = text_of(said.pop("tag", None))
            rest = text_of(said.get("text")).removeprefix(f"{tag} ") or text_of(said)
        rows.append(TableLine((tag, rest)))
    if report.end.get("left_changed") is None:
        empty = "Unknown: the run did not come to look."
    else:
        empty = "Nothing: what the run changed was put back, or it changed nothing."
    return TableBlock(("Tag", "What it was, and is"), (40, 60), rows, empty)


def _news(report: RunReport, clock: ReportClock) -> ReportBlock:
    rows = [
        TableLine(
            (
                clock.short(each.get("at")),
                text_of(each.get("kind")),
                _rest({**each, "kind": None, "command": None}, clock),
            )
        )
        for each in report.news
    ]
    return TableBlock(
        ("When", "What", "Details"), (16, 20, 64), rows, "The record has no gap, stale stretch or rebuild."
    )


def _remarks(remarks: Sequence[Remark], clock: ReportClock, empty: str) -> ReportBlock:
    rows = [TableLine((clock.short(each.at), each.step, each.place, each.text)) for each in remarks]
    return TableBlock(("When", "Step", "Line", "Text"), (12, 22, 18, 48), rows, empty)


def _not_run(report: RunReport) -> ReportBlock:
    skipped = [step for step in report.steps if step.not_run_because is not None]
    rows = [TableLine((step.title, ", ".join(step.requirements), step.not_run_because or "")) for step in skipped]
    if not report.end:
        empty = "Unknown: the record has no end."
    elif report.end.get("not_run") is None:
        empty = "Unknown: the run did not come to its first step."
    elif report.is_program:
        empty = "Unknown: a Python file names its steps as it comes to them."
    else:
        empty = "Every step ran."
    return TableBlock(("Step", "Requirements", "Why"), (40, 20, 40), rows, empty)


def _open_points(report: RunReport) -> ReportBlock:
    """Return what a reader has to decide about."""
    points: list[tuple[str, str]] = []
    points += [("record", each) for each in report.problems]
    points += [("step", f"{step.title}: {step.verdict.value}") for step in report.steps if step.is_open]
    points += [("requirement", f"{each.name}: not shown") for each in report.requirements if not each.is_shown]
    points += [("deviation", f"{each.step}: {each.text}") for each in report.deviations]
    points += [
        ("left changed", text_of(mapping_of(each).get("tag")) or text_of(each))
        for each in list_of(report.end.get("left_changed"))
    ]
    points += [("write", f"{each.tag}: unknown outcome") for each in report.actions if each.result == "unknown"]
    rows = [TableLine((what, text, "")) for what, text in points]
    return TableBlock(("What", "Open point", "Decision"), (14, 56, 30), rows, "None that the record shows.")


def _proof(report: RunReport) -> Iterator[ReportBlock]:
    heads = tuple(map(text_of, list_of(report.end.get("journal"))))
    pairs: list[tuple[str, TableCell]] = [
        ("Record", report.source),
        ("SHA-256 of the record", report.sha256),
        ("Digest in its last line", text_of(report.end.get("sha256")) or "none: the record has no end"),
        ("Entries", text_of(report.end.get("entries")) or "unknown"),
        ("Heads of the journal", heads or "none"),
        ("Seals", report.seals or "none"),
    ]
    yield FactsBlock(pairs)
    what = "matches" if not report.problems else "DOES NOT MATCH, or the record has no end"
    yield Paragraph(
        f"When this page was made, the digest in the record {what}. It shows a change of the record by accident; who "
        "may write the file can make another digest. The heads of the journal, printed here, show a later change of "
        "the journal. A seal shows who had this record. mxgw-shell report verify compares all of them again."
    )
    yield Paragraph(
        f"This page shows {counted(sum(len(step.findings) for step in report.steps), 'statement')} of the record."
    )
