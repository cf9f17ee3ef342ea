"""Alarms as JSON and for a person."""

from dataclasses import fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmProviderStatus,
    AlarmSnapshotComplete,
    AlarmTransition,
    AlarmTransitionKind,
    UnknownAlarmMessage,
)
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.times import exact_nanoseconds
from zb_mom_ww_mxgateway_console.render.forms import one_line, source_time_form, value_form, value_text
from zb_mom_ww_mxgateway_console.text.terminal_text import AlarmLine

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import AlarmFeedItem

_MESSAGES = {
    ActiveAlarm: "active_alarm",
    AlarmSnapshotComplete: "snapshot_complete",
    AlarmProviderStatus: "provider_status",
    AlarmTransition: "transition",
    UnknownAlarmMessage: "unknown",
}
_RAISING = (AlarmTransitionKind.RAISE, AlarmTransitionKind.RETRIGGER)
# Fields of enums; a number without a name stays a number.
_ENUMS = frozenset({"kind", "mode", "source_provider", "state"})


_COLUMNS = {
    kind: tuple(each.name.removesuffix("_ns") for each in fields(kind))
    for kind in (ActiveAlarm, AlarmTransition, AlarmProviderStatus)
}
ALARM_COLUMNS = _COLUMNS[ActiveAlarm]
"""The keys of the form of an active alarm."""
FEED_COLUMNS = tuple(dict.fromkeys(("message", "text", *(name for names in _COLUMNS.values() for name in names))))
"""The keys that the form of a message of the alarm stream may have."""


def feed_form(item: "AlarmFeedItem") -> dict[str, Any]:
    """Return the JSON form of a message of the alarm stream; its ``message`` is the type."""
    return {"message": _MESSAGES[type(item)], **alarm_form(item)}


def alarm_form(item: "AlarmFeedItem") -> dict[str, Any]:
    """Return the JSON form of an alarm: its fields by their names."""
    if isinstance(item, UnknownAlarmMessage):
        return {"text": one_line(str(item.message))}
    return dict(_field_form(field.name, getattr(item, field.name)) for field in fields(item))


def _field_form(name: str, value: Any) -> tuple[str, Any]:
    if name.endswith("_ns"):
        return name.removesuffix("_ns"), source_time_form(value)
    return name, name_of(value) if name in _ENUMS else value_form(value)


def alarm_text(item: "AlarmFeedItem") -> str:
    """Return a message of the alarm stream for a person."""
    match item:
        case ActiveAlarm():
            return _line(item.state, item, item.changed_at_ns or item.raised_at_ns)
        case AlarmTransition():
            line = _line(item.kind, item, item.at_ns)
            return AlarmLine.of(line, item.severity) if item.kind in _RAISING else line
        case AlarmProviderStatus():
            degraded = ", degraded" if item.degraded else ""
            since = f" since {exact_nanoseconds(item.since_ns)}" if item.since_ns else ""
            return one_line(f"PROVIDER  {name_of(item.mode)}{degraded}{since}  {item.reason}")
        case AlarmSnapshotComplete():
            return "SNAPSHOT COMPLETE"
    return one_line(f"UNKNOWN  {item.message}")


def _line(what: IntEnum | int, alarm: ActiveAlarm | AlarmTransition, when_ns: int) -> str:
    parts = [
        f"{name_of(what):<12}",
        f"{alarm.severity:>4}",
        alarm.reference,
        alarm_value_text(alarm),
        alarm.description,
        "" if not (alarm.operator or alarm.comment) else f"[{alarm.operator}: {alarm.comment}]",
        "degraded" if alarm.degraded else "",
        exact_nanoseconds(when_ns),
    ]
    return "  ".join(filter(None, parts))


def alarm_value_text(alarm: ActiveAlarm | AlarmTransition) -> str:
    """Return the value of an alarm and its limit, for a person; empty if it has none."""
    if alarm.current_value is None:
        return ""
    limit = "" if alarm.limit_value is None else f" (limit {value_text(alarm.limit_value)})"
    return f"{value_text(alarm.current_value)}{limit}"
