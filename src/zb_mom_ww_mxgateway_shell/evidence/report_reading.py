"""Makes the report of a run from the entries of its record, in one pass."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from zb_mom_ww_mxgateway.safety.journal_actions import JournalAction, actions
from zb_mom_ww_mxgateway.safety.journal_chain import JournalLine, parse_line
from zb_mom_ww_mxgateway_shell.evidence import record_format
from zb_mom_ww_mxgateway_shell.evidence.record_format import is_statement
from zb_mom_ww_mxgateway_shell.evidence.report_findings import finding_of
from zb_mom_ww_mxgateway_shell.evidence.report_model import Evidence, Remark, RunReport, StepReport
from zb_mom_ww_mxgateway_shell.evidence.report_text import list_of, mapping_of, text_of

DEVIATION = "deviation"
"""The kind of an observation that somebody has to decide about."""
LEADING = "before the first step"
"""The title of what ran before the first step."""
_FINALLY = "finally"
"""The title of the part that always runs at the end of its file."""


def run_report(
    source: str, entries: Iterable[Mapping[str, Any]], problems: Sequence[str], sha256: str, seals: Sequence[str] = ()
) -> RunReport:
    """Return the report of a record: of its entries, in order, what is wrong with it, and its digest."""
    reading = _Reading(RunReport(source, tuple(problems), sha256, tuple(seals)))
    for entry in entries:
        reading.take(entry)
    return reading.ended()


class _Reading:
    """One pass over the entries of a record."""

    def __init__(self, report: RunReport) -> None:
        self._report = report
        self._steps: dict[str, StepReport] = {}
        """The newest step of each id, and of each title."""
        self._step: StepReport | None = None
        self._key: tuple[str, str] | None = None
        self._findings: dict[tuple[str, str, str], Evidence] = {}
        self._last: Evidence | None = None
        self._journal: list[JournalLine] = []
        self._wrong_lines = 0
        self._by_kind: dict[str, Callable[[Mapping[str, Any]], None]] = {
            record_format.RUN_BEGIN: self._begin,
            record_format.RUN_GATEWAY: report.gateways.append,
            record_format.RUN_FILE: report.files.append,
            record_format.FIRST_CONTACT: report.first_contacts.append,
            record_format.SAMPLES: self._samples,
            record_format.ALARM: self._alarm,
            record_format.ALARMS_LOST: self._alarms_lost,
            record_format.ALARMS_BACK: self._alarms_lost,
            record_format.NEWS: self._news,
            record_format.JOURNAL: self._journal_line,
            record_format.RUN_END: self._end,
        }

    def take(self, entry: Mapping[str, Any]) -> None:
        if is_statement(entry):
            self._statement(entry)
        elif (by_kind := self._by_kind.get(text_of(entry.get("command")))) is not None:
            by_kind(entry)

    def ended(self) -> RunReport:
        report = self._report
        report.actions = tuple(each for each in actions(self._journal) if each.kind == "action")
        if self._wrong_lines:
            wrong = f"{self._wrong_lines} of its lines of the journal are not as the journal writes them"
            report.problems = (*report.problems, wrong)
        for each in list_of(report.end.get("not_run")):
            said = mapping_of(each)
            title, why = text_of(said.get("title") or each), text_of(said.get("why"))
            required = tuple(map(text_of, list_of(said.get("requirements"))))
            step = StepReport(text_of(said.get("id")) or title, title, required, not_run_because=why or "not reached")
            behind = sum(each.title == _FINALLY and not each.is_step for each in report.steps[-1:])
            report.steps.insert(len(report.steps) - behind, step)
        self._note_left_changed()
        return report

    def _begin(self, entry: Mapping[str, Any]) -> None:
        self._report.begin = entry
        self._report.files += map(mapping_of, list_of(entry.get("files")))
        if mapping_of(entry.get("gateway")):
            self._report.gateways.append(entry)

    def _end(self, entry: Mapping[str, Any]) -> None:
        self._report.end = entry

    def _statement(self, entry: Mapping[str, Any]) -> None:
        step = self._step_of(entry)
        result = mapping_of(entry.get("result"))
        finding = finding_of(entry)
        if _begins_step(result):
            return
        if entry.get("ok") is True and result.get("user_id") is not None:
            name = text_of(result.get("user")) or f"the user with the GUID {text_of(result.get('guid'))}"
            self._report.logins.append((name, finding.ended_at or finding.at))
        step.findings.append(finding)
        self._last = finding
        self._findings[_reference(entry)] = finding
        self._words(step, finding, result)

    def _step_of(self, entry: Mapping[str, Any]) -> StepReport:
        """Return the step of a statement: the present one, or a new one if it has another id."""
        result = mapping_of(entry.get("result"))
        title = text_of(entry.get("step"))
        key = text_of(entry.get("id")) or title, title
        begins = entry.get("ok") is True and _begins_step(result)
        if self._step is None or key != self._key or (begins and self._step.findings):
            required = list_of(entry.get("requirements")) or list_of(result.get("requirements"))
            is_step = begins or bool(required)
            self._key = key
            return self._new_step(key[0], title or LEADING, tuple(map(text_of, required)), is_step=is_step)
        return self._step

    def _new_step(self, id_: str, title: str, requirements: tuple[str, ...], *, is_step: bool) -> StepReport:
        step = self._step = StepReport(id_, title, requirements, is_step)
        self._steps |= {id_: step, title: step}
        self._report.steps.append(step)
        return step

    def _words(self, step: StepReport, finding: Evidence, result: Mapping[str, Any]) -> None:
        """Keep the words of a person: they make a step one with an observation."""
        if kind := text_of(result.get("observation")):
            remark = Remark(step.title, finding.place, finding.at, text_of(result.get("text")))
            (self._report.deviations if kind == DEVIATION else self._report.comments).append(remark)
            step.observations.append(f"{kind}: {remark.text}")

    def _samples(self, entry: Mapping[str, Any]) -> None:
        finding = self._findings.get(_reference(mapping_of(entry.get("statement"))), self._last)
        if finding is None:
            return
        finding.series.append(entry)
        if self._step is None:
            return
        tag, points = text_of(entry.get("tag")), [mapping_of(each) for each in list_of(entry.get("points"))]
        doubtful = sum(
            bool(each.get("stale")) or text_of(each.get("quality")) not in ("good", "192") for each in points
        )
        gaps = len(list_of(entry.get("gaps")))
        if doubtful or gaps:
            what = [f"{doubtful} of {len(points)} values bad, uncertain or stale"] if doubtful else []
            what += [f"gaps: {gaps}"] if gaps else []
            self._step.observations.append(f"{tag} while it was followed: {', '.join(what)}")

    def _alarm(self, entry: Mapping[str, Any]) -> None:
        step = self._of(entry) or self._new_step("", LEADING, (), is_step=False)
        step.alarms.append(entry)
        kind, reference = text_of(entry.get("kind")), text_of(entry.get("reference"))
        step.observations.append(f"alarm {kind}: {reference}")

    def _alarms_lost(self, entry: Mapping[str, Any]) -> None:
        self._report.alarms_lost.append(entry)
        self._observe(entry, f"alarms may be missing: {text_of(entry.get('command')).replace('-', ' ')}")

    def _news(self, entry: Mapping[str, Any]) -> None:
        self._report.news.append(entry)
        self._observe(entry, f"connection: {text_of(entry.get('text')) or text_of(entry.get('kind'))}")

    def _observe(self, entry: Mapping[str, Any], text: str) -> None:
        if (step := self._of(entry)) is not None:
            step.observations.append(text)

    def _of(self, entry: Mapping[str, Any]) -> StepReport | None:
        """Return the step that an entry names, else the present one."""
        by_title = self._steps.get(text_of(entry.get("step")), self._step)
        return self._steps.get(text_of(entry.get("id")), by_title)

    def _journal_line(self, entry: Mapping[str, Any]) -> None:
        try:
            self._journal.append(parse_line(spelled(mapping_of(entry.get("line")))))
        except ValueError:
            self._wrong_lines += 1

    def _note_left_changed(self) -> None:
        """Say in the step that wrote a tag last that it was not put back."""
        writers: dict[str, StepReport] = {}
        for each in self._report.steps:
            for finding in each.findings:
                writers |= dict.fromkeys(finding.written, each)
        for left in list_of(self._report.end.get("left_changed")):
            tag = text_of(mapping_of(left).get("tag")) or text_of(left).partition(" ")[0]
            if tag in writers:
                writers[tag].observations.append(f"{tag} was changed and not put back")


def spelled(form: Mapping[str, Any]) -> bytes:
    """Return a line of the journal as the journal spells it, so that its hash can be compared."""
    return json.dumps(form, sort_keys=True, separators=(",", ":")).encode("ascii")


def _begins_step(result: Mapping[str, Any]) -> bool:
    """Whether a statement with this result begins a step."""
    return "title" in result and set(result) <= {"title", "id", "requirements"}


def _reference(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return text_of(entry.get("file")), text_of(entry.get("line")), text_of(entry.get("number"))


def action_user(action: JournalAction) -> str:
    """Return who made a write: the signed-in users of the plant, and the user of the system."""
    users = mapping_of(action.facts.get("users"))
    plant = ", ".join(map(text_of, users.values()))
    own = f"{action.user}@{action.host}"
    return f"{plant} ({own})" if plant else own
