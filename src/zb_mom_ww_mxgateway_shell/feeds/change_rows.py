"""Changes of a session as rows: for a person, and for JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from zb_mom_ww_mxgateway.safety.changes import Standing
from zb_mom_ww_mxgateway.safety.revert_files import RevertRecord
from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertStage
from zb_mom_ww_mxgateway.times import date_and_time, time_of_day, time_text
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import value_form, value_text
from zb_mom_ww_mxgateway_shell.output.revert_text import countdown_text
from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow

Row: TypeAlias = tuple[list[str], dict[str, Any]]
"""Cells for a person, and the record for JSON."""

CHANGE_COLUMNS = (
    *("at", "before", "certain", "left_behind", "may_still_happen_seconds", "now", "number", "ours", "quality_word"),
    *("revert", "reverts_at", "standing", "tag", "who"),
)
"""The keys of a record of a change."""
HEADINGS = ("", "tag", "was", "ours", "now", "who", "when", "")


def change_row(row: ChangeNow, revert: Revert | None) -> Row:
    """Return the row of a change; `revert` is the one of its tag, if there is one."""
    change = row.change
    before = change.before
    cells = [
        str(change.number),
        change.name,
        f"{row.was_text}{'' if before is None or before.is_good else ' (not good)'}",
        row.ours_text,
        row.now_text,
        change.last.who,
        time_of_day(change.last.at),
        "; ".join(filter(None, [_state(row), _revert_state(revert) if revert else ""])),
    ]
    record = {
        "at": time_text(change.last.at),
        "before": None if before is None else value_form(before.value),
        "certain": change.is_certain,
        "left_behind": False,
        "may_still_happen_seconds": round(change.may_still_happen_for, 3),
        "now": None if row.present is None else value_form(row.present.value),
        "number": change.number,
        "ours": [value_form(each) for each in change.ours],
        "quality_word": None if row.present is None else row.present.quality_word,
        "standing": row.standing.value,
        "tag": change.tag,
        "who": change.last.who,
        **_revert_fields(revert),
    }
    return cells, record


def _state(row: ChangeNow) -> str:
    change = row.change
    words = {
        Standing.ANOTHER: "somebody else changed it since",
        Standing.UNSURE: "unknown whether it is still ours",
        Standing.BEFORE: "as before, and ours may still come",
        Standing.OURS: "",
    }[row.standing]
    unsure = "" if change.is_certain else "may have been changed"
    return ", ".join(filter(None, [unsure, words]))


def revert_row(revert: Revert) -> Row:
    """Return the row of a timed write that has no change: it may not have been sent yet."""
    was, ours = value_text(revert.original), " or ".join(value_text(each) for each in revert.ours)
    cells = ["", revert.tag, was, ours, "", revert.who, time_of_day(revert.written_at), _revert_state(revert)]
    bare = _bare_record(revert.tag, revert.original, revert.ours, revert.who, revert.written_at)
    return cells, bare | _revert_fields(revert)


def _revert_state(revert: Revert) -> str:
    if revert.stage in (RevertStage.QUESTION, RevertStage.FAILED):
        return f"not put back: {revert.why}"
    return f"reverts in {countdown_text(revert)}"


def _revert_fields(revert: Revert | None) -> dict[str, Any]:
    return {
        "revert": None if revert is None else str(revert.stage),
        "reverts_at": None if revert is None else time_text(revert.planned),
    }


def left_behind_row(record: RevertRecord) -> Row:
    """Return the row of a timed write that an earlier session left behind."""
    ours = " or ".join(map(value_text, record.ours))
    was = value_text(record.original)
    when = time_of_day(record.written_at)
    state = f"left behind: it was to be put back at {date_and_time(record.due_at)}"
    fields = {"left_behind": True, "revert": str(record.stage), "reverts_at": time_text(record.due_at)}
    bare = _bare_record(record.tag, record.original, record.ours, record.who, record.written_at)
    return ["", record.tag, was, ours, "", record.who, when, state], bare | fields


def _bare_record(tag: str, original: Typed, ours: Sequence[object], who: str, at: datetime) -> dict[str, Any]:
    return {
        "at": time_text(at),
        "before": value_form(original),
        "certain": False,
        "left_behind": False,
        "may_still_happen_seconds": 0.0,
        "now": None,
        "number": None,
        "ours": [value_form(each) for each in ours],
        "quality_word": None,
        "standing": Standing.UNSURE.value,
        "tag": tag,
        "who": who,
    }
