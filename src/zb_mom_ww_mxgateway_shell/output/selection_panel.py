"""What a person is shown before a write: the selection as lines without colours, and the question about it."""

from collections.abc import Iterator, Sequence

from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, SparseArray
from zb_mom_ww_mxgateway.safety.known_range import beyond_range, range_text
from zb_mom_ww_mxgateway.safety.selection import RuleVerdict, SelectedEntry, Selection
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.values import Array
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted, one_line, safe, value_text
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text, decimals_of
from zb_mom_ww_mxgateway_shell.output.tag_texts import alarm_limits_text
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text

_LABEL = 13
"""Columns of the labels of one entry."""


def panel_lines(selection: Selection, where: str) -> list[str]:
    """Return the lines; `where` names the connection."""
    reason = f"   reason: {one_line(selection.reason)}" if selection.reason else ""
    address = "" if where == selection.endpoint else f" ({safe(selection.endpoint)})"
    head = f"{_verb(selection)} on {safe(where)}{address}{reason}"
    if len(selection.entries) == 1:
        (only,) = selection.entries
        return [head, *(f"  {_labelled(label, text)}" for label, text in _facts(only))]
    lines = [f"{head}   {len(selection.entries)} entries"]
    shared = _shared(selection.entries)
    lines += [f"  {_labelled(label, text)}" for label, text in shared]
    for number, entry in enumerate(selection.entries, start=1):
        name, *rest = _facts(entry)
        lines.append(f"{number:>4}  {name[1]}")
        lines += [f"      {_labelled(label, text)}" for label, text in rest if (label, text) not in shared]
    return lines


def _shared(entries: Sequence[SelectedEntry]) -> list[tuple[str, str]]:
    """Return what is said of acknowledgements, if it is the same of all: many more of them fit on a screen."""
    said = {tuple(_said(each.entry)) if each.entry.alarm else () for each in entries}
    return list(said.pop()) if len(said) == 1 else []


def _said(given: PendingEntry) -> Iterator[tuple[str, str]]:
    yield "comment", one_line(given.comment) or "none"
    yield "operator", one_line(given.operator) or "none"


def _labelled(label: str, text: str) -> str:
    return f"{label:<{_LABEL - 1}} {text}"


def question_text(selection: Selection, where: str) -> str:
    """Return the question, with what answers it.

    That about several entries names the connection, `where`, as the lines above may fill the screen.
    """
    entries = selection.entries
    if len(entries) != 1:
        kind = "acknowledgements" if entries and entries[0].entry.alarm else "writes"
        what = f"these {len(entries)} {kind} on {safe(where)}" if entries else f"this {selection.call}"
    elif entries[0].entry.alarm:
        what = f"acknowledgement of {safe(entries[0].name)}"
    else:
        what = f"{_new(entries[0])} to {safe(entries[0].name)}"
    match selection.asks_for:
        case "yes":
            return f"send {what}? [y/N]"
        case "count":
            return f"send {what}? Type how many they are:"
        case "value":
            return f"send {what}? Type the value again:"
    again = "the reference" if entries and entries[0].entry.alarm else "the tag" if entries else "the name of the call"
    return f"send {what}? Type {again} again:"


def hint_text(selection: Selection) -> str:
    """Return what is shown below the question."""
    left = max(0.0, selection.until - clock.monotonic())
    return f"void in {left:.0f} s, or when something shown changes; Ctrl-C sends nothing"


def _verb(selection: Selection) -> str:
    return safe(selection.call.replace("_", " "))


def _facts(entry: SelectedEntry) -> Iterator[tuple[str, str]]:
    """Yield labels and texts of one entry, its name first."""
    facts, given = entry.facts, entry.entry
    if given.alarm:
        yield "alarm", safe(entry.name)
        yield from _said(given)
        yield from map(_verdict, entry.verdicts)
        return
    yield "tag", safe(entry.name)
    yield "description", one_line(facts.description) or "unknown"
    units = f", in {one_line(facts.units)}" if facts.units else ""
    yield "type", f"{safe(facts.type_name) or 'unknown'}{units}   security: {safe(facts.security_name) or 'unknown'}"
    decimals = max(facts.decimals, decimals_of(given.value), decimals_of(entry.old and entry.old.value))
    yield "now", _old(entry, decimals)
    yield "new", f"{_new(entry, decimals)}{_difference(entry.difference)}"
    if beyond := beyond_range(given.value, facts):
        yield "RANGE", one_line(beyond)
    elif known := range_text(facts):
        yield "range", one_line(known)
    elif facts.untold:
        yield "range", one_line(f"unknown: {facts.untold}")
    if facts.alarm_limits:
        yield "alarms at", alarm_limits_text(facts)
    if lost := _lost(entry):
        yield "LOST", lost
    if given.timestamp is not None:
        yield "source time", value_text(given.timestamp)
    if given.user_id:
        verified = f", verified by user {given.verifier_user_id}" if given.verifier_user_id else ""
        yield "signed", f"by user {given.user_id}{verified}"
    yield "limits", f"{safe(entry.source)}, met as follows" if entry.source else "no rule names this tag"
    yield from map(_verdict, entry.verdicts)
    yield "last write", _last_write(entry)


def _verdict(verdict: RuleVerdict) -> tuple[str, str]:
    text = one_line(verdict.text.removeprefix(f"{verdict.rule}: "))
    return f"  {verdict.rule.replace('_', ' ')}", text if verdict.is_met else f"NOT MET: {text}"


def _old(entry: SelectedEntry, decimals: int) -> str:
    old = entry.old
    if old is None:
        return "unknown: no value has come"
    age = freshness(old)
    is_age = old.stale_since is None and not old.ahead
    return f"{_shown(old.value, decimals)}   {quality_text(old)}   {age}{' old' if is_age else ''}"


def _difference(number: float | int | None) -> str:
    if number is None:
        return ""
    return f"   difference {number:+}" if isinstance(number, int) else f"   difference {number:+.6g}"


def _new(entry: SelectedEntry, decimals: int = 0) -> str:
    value = entry.entry.value
    return safe(value.in_short()) if isinstance(value, SparseArray) else _shown(value, decimals)


def _shown(value: object, decimals: int = 0) -> str:
    """Return a value; a text in quotes, so that its blanks are seen."""
    return f'"{value_text(value)}"' if isinstance(value, str) and value else decimal_text(value, decimals)


def _lost(entry: SelectedEntry) -> str:
    """Return what is lost of an array; empty for nothing."""
    new, old = entry.entry.value, entry.old.value if entry.old else None
    lost = []
    if isinstance(new, SparseArray) and len(new.elements) < new.total_length:
        lost.append("the values of all elements that are not named: each becomes 0, false, empty or 1970")
    length = new.total_length if isinstance(new, SparseArray) else len(new) if isinstance(new, list | tuple) else None
    if length is not None and isinstance(old, Array) and (gone := len(old) - length) > 0:
        lost.append(f"the last {counted(gone, 'element')}: the array gets shorter")
    return "; ".join(lost)


def _last_write(entry: SelectedEntry) -> str:
    last = entry.last_write
    if last is None:
        return "none in this session, or put back"
    value = last.value
    shown = safe(value.in_short()) if isinstance(value, SparseArray) else _shown(value)
    who = f" by {one_line(last.who)}" if last.who else ""
    state = "" if last.state == "completed" else f" ({last.state})"
    since = {
        None: "whether somebody changed it since is unknown",
        False: "not changed since",
        True: "CHANGED SINCE by somebody else",
    }[entry.was_changed_since]
    return f"{shown}{who} in this session, {age_text(clock.monotonic() - last.sent_at)} ago{state}; {since}"
