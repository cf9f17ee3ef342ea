"""The lines of a record: what they are called, and how a record is read and checked.

A record is the JSON lines of one run. Each line is an object with sorted keys; ``command`` says what it is. A statement
has its text as ``statement``; every other line is one of those named here. The last one holds the SHA-256 of all bytes
before it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.run_entries import NEWS as NEWS, RUN_FILE as RUN_FILE

FORMAT = 1
"""The number of this format, in the first line."""

RUN_BEGIN, RUN_GATEWAY, RUN_END = "run-begin", "run-gateway", "run-end"
FIRST_CONTACT, SAMPLES, JOURNAL = "first-contact", "samples", "journal"
ALARM, ALARMS_LOST, ALARMS_BACK = "alarm", "alarms-lost", "alarms-back"

INCOMPLETE = "no run-end: the record is incomplete, as of a run that was killed"


@dataclass(slots=True)
class Record:
    """The lines of a record, and what is wrong with it."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    """Its lines in their order, without those that are no JSON objects."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with the record itself, a line for a person each; empty for a whole record."""
    sha256: str = ""
    """The SHA-256 of all bytes before the line ``run-end``; without one, of all bytes."""
    file_sha256: str = ""
    """The SHA-256 of all bytes, which a seal is about."""

    @property
    def begin(self) -> Mapping[str, Any]:
        """The line ``run-begin``; empty without one."""
        return next(self.of(RUN_BEGIN), {})

    @property
    def end(self) -> Mapping[str, Any]:
        """The line ``run-end``; empty without one."""
        return next(self.of(RUN_END), {})

    @property
    def is_complete(self) -> bool:
        """Whether the run reached its end, and no byte has changed since."""
        return not self.problems

    @property
    def statements(self) -> Iterator[dict[str, Any]]:
        """The statements of the run, in their order."""
        return (entry for entry in self.entries if is_statement(entry))

    def of(self, command: str) -> Iterator[dict[str, Any]]:
        """Yield the lines of one kind that are no statements."""
        return (entry for entry in self.entries if entry.get("command") == command and not is_statement(entry))


def is_statement(entry: Mapping[str, Any]) -> bool:
    """Return whether a line is a statement that ran. A command of the shell may be called as another kind of line."""
    return isinstance(entry.get("statement"), str)


def read_record(path: str | Path) -> Record:
    """Return the record in a file, with all that is wrong with it; raise ShellError if the file cannot be read."""
    try:
        return parsed(read_bytes(Path(path)))
    except OSError as error:
        raise ShellError(f"cannot read {path}: {error.strerror or error}") from error


def parsed(data: bytes) -> Record:
    """Return the record of these bytes, with all that is wrong with it."""
    record, before, digest = Record(file_sha256=hashlib.sha256(data).hexdigest()), hashlib.sha256(), hashlib.sha256()
    ended_at = 0
    *lines, rest = data.split(b"\n")
    for number, line in enumerate([*lines, *([rest] if rest else [])], start=1):
        # Windows may have added a CR; no line has one of its own.
        line = line.removesuffix(b"\r")
        entry = _object(line)
        if entry is None:
            what = "is cut off" if rest and number > len(lines) else "is no JSON object"
            record.problems.append(f"line {number} {what}")
        else:
            record.entries.append(entry)
            if ended_at == 0 and entry.get("command") == RUN_END and not is_statement(entry):
                ended_at, digest = number, before.copy()
                _check_end(record, entry, digest.hexdigest())
            elif ended_at and number == ended_at + 1:
                record.problems.append(f"lines follow run-end, from line {number} on")
        before.update(line + b"\n")
    if not ended_at:
        digest = before
        record.problems.append(INCOMPLETE)
    record.sha256 = digest.hexdigest()
    _check_begin(record)
    return record


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _check_begin(record: Record) -> None:
    if not record.entries or record.entries[0].get("command") != RUN_BEGIN or is_statement(record.entries[0]):
        record.problems.insert(0, "it does not begin with run-begin: it is no record of a run")
        return
    if sum(1 for _ in record.of(RUN_BEGIN)) > 1:
        record.problems.append("there is more than one run-begin: these are several records")
    if (number := record.begin.get("format")) != FORMAT:
        record.problems.insert(0, f"its format is {json.dumps(number)}, and {FORMAT} is known here")


def _check_end(record: Record, entry: Mapping[str, Any], digest: str) -> None:
    if entry.get("sha256") != digest:
        record.problems.append("the SHA-256 in run-end is not that of the lines before it: they were changed")
    if entry.get("entries") != len(record.entries):
        record.problems.append(
            f"run-end counts {json.dumps(entry.get('entries'))} lines, and there are {len(record.entries)}"
        )
