"""Actions of the journal: what several lines say of one write, in one row."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.safety.journal_chain import JournalError, JournalLine, parse_line
from zb_mom_ww_mxgateway.safety.journal_files import files_in
from zb_mom_ww_mxgateway.safety.journal_values import to_form

_NO_ANSWER = "the journal has no line about its end: it may have been carried out"
_NO_COMPLETION = "no completion that is surely its own was seen in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalAction:
    """One write to one tag or one acknowledgement, or one other event of the journal."""

    number: int
    """Of its first line."""
    at: str
    """Time of its first line, ISO 8601 in UTC."""
    kind: str
    """``action``, or the kind of a line that is about no action: ``opened``, ``armed`` …"""
    user: str
    host: str
    pid: int
    connection: str = ""
    endpoint: str = ""
    call: str = ""
    """The RPC or command kind."""
    command: str = ""
    """The line that made it."""
    tag: str = ""
    """For an acknowledgement the reference of the alarm."""
    old: Any = None
    quality: int | None = None
    """Of the old value."""
    new: Any = None
    reason: str = ""
    rules: tuple[str, ...] = ()
    """What the limits said."""
    guards: tuple[str, ...] = ()
    """What the guards said, with their values."""
    answer: str = ""
    """What a person answered."""
    result: str = ""
    """``refused_here``, ``refused_there``, ``not_sent``, ``accepted``, ``completed``, ``verified``, ``not_verified`` or
    ``unknown``."""
    why: str = ""
    """Why it has this result."""
    seconds: float | None = None
    """From sending it to its result."""
    action: str = ""
    """Correlation id."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else its first line says: profile, key id, galaxy, certificate …"""

    def form(self) -> dict[str, Any]:
        """Return it for JSON, with values as the journal spells them."""
        return {each.name: to_form(getattr(self, each.name)) for each in fields(self)}


COLUMNS: tuple[str, ...] = tuple(each.name for each in fields(JournalAction))
"""Columns of a table of actions, always all of them and in this order."""


def lines_back(folder: Path) -> Iterator[list[JournalLine]]:
    """Yield the lines of each file of a journal, the newest file first; raise JournalError if one cannot be read.

    What is no line is left out: verifying the journal names it.
    """
    try:
        for path in reversed(list(files_in(folder).values())):
            lines: list[JournalLine] = []
            for text in path.read_bytes().splitlines():
                with suppress(ValueError):
                    lines.append(parse_line(text))
            yield lines
    except OSError as error:
        raise JournalError(f"the journal in {folder} cannot be read: {error.strerror or error}") from error


def forms_of_frame(folder: Path, frame: str) -> list[dict[str, Any]]:
    """Return the JSON of the lines that one process wrote to a journal, in their order; raise JournalError.

    It looks back as far as a file that has none of them.
    """
    files: list[list[dict[str, Any]]] = []
    mark = frame.encode("ascii")
    try:
        for path in reversed(list(files_in(folder).values())):
            lines = [text for text in path.read_bytes().splitlines() if mark in text]
            found: list[dict[str, Any]] = []
            for text in lines:
                with suppress(ValueError):
                    if parse_line(text).frame == frame:
                        found.append(json.loads(text))
            if not found and files:
                break
            files.append(found)
    except OSError as error:
        raise JournalError(f"the journal in {folder} cannot be read: {error.strerror or error}") from error
    return [form for found in reversed(files) for form in found]


def actions(lines: Iterable[JournalLine]) -> list[JournalAction]:
    """Return a row for each action of these lines, and one for each line that is about none, in their order."""
    rows: list[tuple[JournalLine, _Later]] = []
    later: dict[str, _Later] = {}
    for line in lines:
        name = line.fields.get("action")
        key = f"{line.frame}:{name}" if isinstance(name, str) and name else ""
        if line.kind in ("intent", "refused") and key not in later:
            rows.append((line, later.setdefault(key, _Later(line)) if key else _Later(line)))
        elif line.kind in ("refused", "answer", "outcome") and key in later:
            later[key].take(line)
        else:
            rows.append((line, _Later(line)))
    return [row for line, about in rows for row in _rows(line, about)]


class _Later:
    """What the lines behind the first one say of an action."""

    def __init__(self, first: JournalLine) -> None:
        self._refused: Mapping[str, Any] = {}
        self._answer: Mapping[str, Any] = {}
        self._outcomes: Any = ()
        self._verified: Any = ()
        self.take(first)

    def take(self, line: JournalLine) -> None:
        match line.kind:
            case "refused":
                self._refused = {"why": "", **line.fields}
            case "answer":
                self._answer = line.fields
            case "outcome":
                self._outcomes = line.fields.get("entries", self._outcomes)
                self._verified = line.fields.get("verified", self._verified)

    def result(self, index: int) -> dict[str, Any]:
        """Return result, reason and duration of an entry."""
        if self._refused:
            return {"result": "refused_here", "why": _text(self._refused.get("why"))}
        outcome, verified = _at(self._outcomes, index), _at(self._verified, index)
        if not (self._answer or outcome):
            return {"result": "unknown", "why": _NO_ANSWER}
        found, why = self._answered(index), _text(self._answer.get("why"))
        seconds = self._answer.get("seconds")
        if ended := _text(outcome.get("outcome")):
            found, why = ended, "" if ended == "completed" else _text(outcome.get("why"))
            if ended == "accepted":
                found, why = "unknown", _NO_COMPLETION
            times = [outcome.get(name) for name in ("completed_after", "accepted_after")]
            seconds = next((each for each in times if each is not None), seconds)
        if found == "completed" and isinstance(is_as_written := verified.get("as_written"), bool):
            found = "verified" if is_as_written else "not_verified"
            why = "" if is_as_written else _text(verified.get("problem")) or f"it was {verified.get('value')!r} then"
        return {
            "result": _RESULTS.get(found, found),
            "why": why,
            "seconds": seconds if isinstance(seconds, int | float) else None,
        }

    def _answered(self, index: int) -> str:
        refused = self._answer.get("refused")
        outcome = _text(self._answer.get("outcome"))
        if outcome == "refused" and isinstance(refused, list) and index < len(refused) and not refused[index]:
            return "accepted"
        return outcome


_RESULTS = {"refused": "refused_there", "not sent": "not_sent"}
_OF_ACTION = {"action", "answer", "call", "command", "connection", "endpoint", "entries", "reason", "why"}
_OF_ENTRY = {"alarm", "new", "old", "quality", "rules", "tag"}


def _rows(line: JournalLine, about: _Later) -> Iterator[JournalAction]:
    said = line.fields
    common: dict[str, Any] = {
        "number": line.number,
        "at": line.at,
        "user": _text(line.who.get("user")),
        "host": _text(line.who.get("host")),
        "pid": line.pid,
        **{name: _text(said.get(name)) for name in ("connection", "endpoint", "call", "command", "reason", "action")},
    }
    more = {name: value for name, value in line.who.items() if name not in ("user", "host")}
    more |= {name: value for name, value in said.items() if name not in _OF_ACTION}
    if line.kind not in ("intent", "refused"):
        other = {name: said[name] for name in ("answer", "entries", "why") if name in said}
        yield JournalAction(**common, kind=line.kind, facts=more | other)
        return
    entries = _mappings(said.get("entries")) or [{}]
    for index, entry in enumerate(entries):
        rules = _mappings(entry.get("rules"))
        quality = entry.get("quality")
        yield JournalAction(
            **common,
            kind="action",
            tag=_text(entry.get("tag")) or _text(entry.get("alarm")),
            old=entry.get("old"),
            quality=quality if isinstance(quality, int) else None,
            new=entry.get("new"),
            rules=tuple(_rule_text(each) for each in rules if each.get("rule") != "guard"),
            guards=tuple(_text(each.get("text")) for each in rules if each.get("rule") == "guard"),
            answer=_text(said.get("answer")),
            **about.result(index),
            facts=more | {name: value for name, value in entry.items() if name not in _OF_ENTRY},
        )


def _rule_text(rule: Mapping[str, Any]) -> str:
    return f"{_text(rule.get('rule'))}: {_text(rule.get('text'))}"


def _at(found: Any, index: int) -> Mapping[str, Any]:
    """Return what is said of an entry; empty if nothing is."""
    entry = found[index] if isinstance(found, list) and index < len(found) else None
    return entry if isinstance(entry, Mapping) else {}


def _mappings(found: Any) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)
