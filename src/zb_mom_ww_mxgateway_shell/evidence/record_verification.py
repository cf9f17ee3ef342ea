"""Whether a record is as the run wrote it: its digest, its contents, the journal of writes, and its seals.

Each check says what it proves and what it does not. A check does not hold if what it needs is missing.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.journal_actions import actions, lines_back
from zb_mom_ww_mxgateway.safety.journal_chain import Head, JournalLine, parse_line
from zb_mom_ww_mxgateway.safety.journal_files import JournalPlaces, journal_places
from zb_mom_ww_mxgateway.safety.journal_verification import verify
from zb_mom_ww_mxgateway.safety.seal_keys import SealKey
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_format import JOURNAL, RUN_GATEWAY, Record, read_record
from zb_mom_ww_mxgateway_shell.evidence.record_seal import seals_of
from zb_mom_ww_mxgateway_shell.evidence.report_reading import run_report, spelled
from zb_mom_ww_mxgateway_shell.evidence.report_text import list_of, mapping_of, text_of


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """One check of a record."""

    name: str
    holds: bool | None
    """None where there is nothing to compare."""
    found: tuple[str, ...]
    """What was compared, and what was found."""
    proves: str
    """What it proves, and what it does not."""

    def form(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"check": self.name, "found": list(self.found), "holds": self.holds, "proves": self.proves}


_DIGEST = (
    "no byte was changed or lost by accident since the run ended. Not: that nobody changed it and made another digest"
)
_CONTENTS = "its last line, which the digest does not cover, agrees with the lines before it"
_JOURNAL = (
    "the record and the journal say the same of every write. Not: that nobody replaced both; heads on paper, or on "
    "another machine, show that"
)
_SEAL = "who has the key had exactly this file. Not: that the file tells the truth, and not the time on another clock"


def verified(path: Path, folder: Path | None = None, key: SealKey | None = None) -> list[RecordCheck]:
    """Return all checks of a record: with the journal in `folder`, else that of this user, and the seals by `key`.

    Raise ShellError if the record cannot be read, and JournalError if the journal cannot.
    """
    record = read_record(path)
    return [
        _digest(record),
        _contents(record),
        _journal(record, _places(folder)),
        _seals(path, record.file_sha256, key),
    ]


def _digest(record: Record) -> RecordCheck:
    found = tuple(record.problems) or (f"{counted(len(record.entries), 'line')}, SHA-256 {record.sha256}",)
    return RecordCheck("digest", not record.problems, found, _DIGEST)


def _contents(record: Record) -> RecordCheck:
    """Compare what ``run-end`` says with the statements: no digest covers it."""
    report = run_report("", record.entries, [], "")
    wrong = list(report.problems)
    failed = sum(step.verdict.is_bad for step in report.steps)
    code = record.end.get("exit_code")
    if failed and code == 0 and not report.is_program:
        wrong.append(f"the exit code is 0, and {counted(failed, 'step')} failed")
    said = mapping_of(record.end.get("steps"))
    passed = sum(step.is_step and not step.is_open for step in report.steps)
    counts = {"passed": passed, "failed": sum(step.is_step and step.verdict.is_bad for step in report.steps)}
    wrong += [
        f"it says that {text_of(said.get(name))} steps {name}, and {count} did"
        for name, count in counts.items()
        if said and text_of(said.get(name)) != str(count)
    ]
    tags = {each.tag for each in report.actions}
    for step in report.steps:
        for finding in step.findings:
            wrong += [
                f"{finding.place} wrote {tag}, of which the record has no line of the journal"
                for tag in finding.written
                if tag not in tags
            ]
    found = tuple(wrong) or (f"exit code {text_of(code)}, {counted(passed, 'step')} passed",)
    return RecordCheck("contents", not wrong, found, _CONTENTS)


def _places(folder: Path | None) -> list[JournalPlaces | Path]:
    """Return the journals that a record may be about."""
    if folder is not None:
        return [folder]
    try:
        return [journal_places(), journal_places(demo=True)]
    except MxGatewayArgumentError:
        return []


def _journal(record: Record, places: Sequence[JournalPlaces | Path]) -> RecordCheck:
    """Compare the lines of the journal in a record, and the heads after the run, with the journals themselves."""
    own, wrong = _own_lines(record)
    heads, unread = _heads(record.end.get("journal"))
    before, _ = _heads(record.begin.get("journal_before"))
    wrong += unread
    if problem := text_of(record.end.get("journal_problem")):
        wrong.append(f"the run could not read its journal: {problem}")
    found: list[str] = []
    missing, unmatched = dict(own), list(heads)
    sessions = _sessions(record)
    for place in places if own or heads or sessions else ():
        folder = place if isinstance(place, Path) else place.folder
        lines = {line.number: line for line in _lines_of(folder)}
        present = [line for line in own.values() if _is_in(line.head, lines)]
        here = [head for head in heads if _is_in(head, lines)]
        # Without a line that names the frame of the run, as where it was killed, its session does.
        frames = {line.frame for line in present} or {
            line.frame for line in lines.values() if line.fields.get("session") in sessions
        }
        if not (frames or here):
            continue
        unmatched = [head for head in unmatched if head not in here]
        missing = {name: line for name, line in missing.items() if line not in present}
        wrong += _wrong_in(folder, None if isinstance(place, Path) else place.head_folder, here)
        after = max((head.count for head in before if _is_in(head, lines)), default=0)
        of_run = [each for each in lines.values() if each.frame in frames and each.number > after]
        wrong += _left_out(of_run, present, here, folder)
        found.append(f"{folder}: {counted(len(present), 'line')} of this run, as they are in the record")
        found += [f"{folder}: has the head {head}" for head in here]
    where = ", ".join(str(each if isinstance(each, Path) else each.folder) for each in places) or "no folder"
    if missing:
        numbers = ", ".join(str(line.number) for line in list(missing.values())[:5])
        wrong.append(f"{counted(len(missing), 'line')} of the record are not in the journal ({where}): {numbers}")
    wrong += [f"the head {head} is not in the journal ({where})" for head in unmatched]
    if not (own or heads or wrong):
        return RecordCheck("journal", None, ("the run wrote nothing: there is nothing to compare",), _JOURNAL)
    return RecordCheck("journal", not wrong, (*wrong, *found), _JOURNAL)


def _own_lines(record: Record) -> tuple[dict[tuple[int, str], JournalLine], list[str]]:
    """Return the lines of the journal in a record, and what is wrong with others."""
    lines: dict[tuple[int, str], JournalLine] = {}
    wrong: list[str] = []
    for entry in record.of(JOURNAL):
        form = mapping_of(entry.get("line"))
        try:
            line = parse_line(spelled(form))
        except ValueError as error:
            wrong.append(f"line {text_of(form.get('number')) or '?'} of the journal in the record: {error}")
        else:
            lines[line.number, line.hash] = line
    return lines, wrong


def _heads(texts: object) -> tuple[list[Head], list[str]]:
    heads: list[Head] = []
    wrong: list[str] = []
    for each in list_of(texts):
        try:
            heads.append(Head.parse(text_of(each)))
        except MxGatewayArgumentError as error:
            wrong.append(str(error))
    return heads, wrong


def _sessions(record: Record) -> set[str]:
    """Return the ids of the sessions of a run."""
    connected = [record.begin, *record.of(RUN_GATEWAY)]
    ids = (text_of(mapping_of(each.get("gateway")).get("session_id")) for each in connected)
    return set(filter(None, ids))


def _lines_of(folder: Path) -> Iterator[JournalLine]:
    for lines in lines_back(folder):
        yield from lines


def _is_in(head: Head, lines: Mapping[int, JournalLine]) -> bool:
    line = lines.get(head.count)
    return line is not None and line.hash == head.hash


def _wrong_in(folder: Path, head_folder: Path | None, heads: Sequence[Head]) -> Iterator[str]:
    """Yield what is wrong with a journal as a whole."""
    for head in heads or (None,):
        if (wrong := verify(folder, head_folder, head).wrong) is not None:
            yield f"the journal itself is wrong: {wrong}"
            return


def _left_out(
    lines: Iterable[JournalLine], present: Sequence[JournalLine], heads: Sequence[Head], folder: Path
) -> Iterator[str]:
    """Yield the actions of this run, up to the head after it, that the record does not have.

    `lines` are those of the run.
    """
    last = max((each.count for each in [*heads, *(line.head for line in present)]), default=sys.maxsize)
    numbers = {line.number for line in present}
    left = [each for each in lines if each.number <= last and each.number not in numbers]
    for action in actions(sorted(left, key=lambda line: line.number)):
        yield (
            f"{folder}: line {action.number} of this run ({action.kind} {action.tag}".rstrip()
            + ") is not in the record"
        )


def _seals(path: Path, digest: str, key: SealKey | None) -> RecordCheck:
    found: list[str] = []
    is_wrong, is_checked = False, False
    try:
        seals = seals_of(path)
    except ShellError as error:
        return RecordCheck("seal", False, (str(error),), _SEAL)
    for each in seals:
        if each.sha256 != digest:
            is_wrong = True
            found.append(f"{each}: IT SEALS OTHER BYTES than this record has")
        elif key is None or key.fingerprint != each.key:
            found.append(f"{each}: not checked: --public-key FILE names its key")
        else:
            try:
                each.check(key)
                is_checked = True
                found.append(f"{each}: checked")
            except ValueError as error:
                is_wrong = True
                found.append(f"{each}: {error}")
    if key is not None and not is_checked:
        found.append(f"no seal by the key {key.fingerprint}")
    if not found:
        return RecordCheck("seal", None, ("none: report seal makes one",), _SEAL)
    return RecordCheck("seal", not is_wrong and (key is None or is_checked), tuple(found), _SEAL)
