"""The journal for people and programs: its actions as a table or a file, and what verifying it found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.safety.journal_actions import COLUMNS, JournalAction
from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway.times import shown_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, json_line, value_form
from zb_mom_ww_mxgateway_console.text.terminal_text import shortened
from zb_mom_ww_mxgateway_shell.output.decimals import TagDecimals
from zb_mom_ww_mxgateway_shell.output.results import Table, TextResult

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.journal_verification import JournalVerdict

_HEADINGS = ("when", "who", "tag", "old", "new", "result", "took", "reason")
_LONGEST_CELL = 60


def actions_table(actions: Sequence[JournalAction]) -> Table:
    """Return actions as a table, oldest first, with all their columns for JSON and CSV."""
    decimals = TagDecimals()
    for each in actions:
        decimals.note(each.tag, each.old, each.new)
    return Table(
        _HEADINGS,
        [[shortened(cell, _LONGEST_CELL) for cell in _cells(each, decimals)] for each in actions],
        [_record(each) for each in actions],
        empty="the journal has none of these",
        columns=COLUMNS,
        newest_last=True,
    )


def exported(actions: Sequence[JournalAction], form: str) -> str:
    """Return the content of a file of actions: ``csv``, or one ``json`` list, with values as the journal has them."""
    if form == "json":
        return "[" + ",".join(f"\n{json_line(each.form())}" for each in actions) + "\n]\n"
    from zb_mom_ww_mxgateway_console.render.csv_records import csv_record  # Lazy: most runs never need it.

    records = [COLUMNS, *(list(value_form(_record(each)).values()) for each in actions)]
    return "".join(f"{csv_record(each)}\n" for each in records)


def _record(action: JournalAction) -> dict[str, Any]:
    return {name: getattr(action, name) for name in COLUMNS}


def _cells(action: JournalAction, decimals: TagDecimals) -> list[str]:
    when = shown_text(action.at)
    who = f"{action.user}@{action.host}"
    if action.kind != "action":
        facts = ", ".join(f"{name} {_fact(value)}" for name, value in sorted(action.facts.items()) if value)
        return [when, who, "", "", "", action.kind, "", action.reason or facts]
    quality = "" if action.quality is None else f" {quality_word(action.quality)}"
    result = action.result.replace("_", " ") + (f": {action.why}" if action.why else "")
    took = "" if action.seconds is None else f"{action.seconds:.3f} s"
    is_write = action.new is not None or action.quality is not None
    old, new = (decimals.text(action.tag, each) for each in (action.old, action.new))
    old, new = (f"{old}{quality}", new) if is_write else ("", "")
    return [when, who, action.tag or action.call, old, new, result, took, action.reason]


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def verdict_result(verdict: "JournalVerdict", folder: str) -> TextResult:
    """Return what verifying the journal in a folder found."""
    wrong, head = verdict.wrong, verdict.complete_up_to
    lines = []
    if wrong is not None:
        lines += [f"WRONG: {wrong}", f"right up to the head {verdict.end}"]
    elif not verdict.end.count:
        lines.append(f"the journal in {folder} has no line yet")
    elif head is None:
        lines += [
            f"unaltered: {counted(verdict.end.count, 'line')}, head {verdict.end}",
            "unknown whether newer lines are gone: no head is kept apart from it; --head COUNT:HASH takes one that was "
            "printed",
        ]
    else:
        newer = verdict.end.count - head.count
        lines += [
            f"unaltered: {counted(verdict.end.count, 'line')}, head {verdict.end}",
            f"complete up to head {head}" + (f"; {counted(newer, 'line')} behind it" if newer else ""),
        ]
    if verdict.torn is not None:
        lines.append(f"note: {verdict.torn}")
    lines += [f"note: {note}" for note in verdict.notes]
    for seal in verdict.seals:
        checked = "checked" if seal.is_checked else "not checked: --public-key FILE names its key"
        lines.append(f"seal: {seal.place} covers the lines up to {seal.head.count}, key {seal.key}, {checked}")
    fields = {
        "complete_up_to": head and str(head),
        "end": str(verdict.end),
        "folder": folder,
        "notes": list(verdict.notes),
        "seals": [
            {"checked": each.is_checked, "head": str(each.head), "key": each.key, "place": each.place}
            for each in verdict.seals
        ],
        "torn": verdict.torn and _place(verdict.torn),
        "verdict": "wrong" if wrong else "complete" if head else "unaltered",
        "wrong": wrong and _place(wrong),
    }
    return TextResult("\n".join(lines), fields, exit_code=ExitCode.NOT_MET if wrong else ExitCode.DONE)


def _place(place: Any) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "what": place.what}
