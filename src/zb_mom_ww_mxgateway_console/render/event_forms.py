"""Events as JSON and for a person."""

from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.models.alarms import AlarmProviderStatus, AlarmTransition
from zb_mom_ww_mxgateway.status import StatusCategory, hresult_text, name_of, quality_word
from zb_mom_ww_mxgateway.times import exact_nanoseconds
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_form, alarm_text
from zb_mom_ww_mxgateway_console.render.forms import safe, source_time_form, status_form, value_form, value_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import BufferedData, MxEvent

# The completion of a write has no quality, which does not mean a bad one.
_WITH_QUALITY = frozenset({"ON_DATA_CHANGE", "ON_BUFFERED_DATA_CHANGE"})
_MOST_SHOWN = 5


EVENT_COLUMNS = (
    *("body", "data_type", "family", "gateway_receive_timestamp", "hresult", "item_handle", "quality", "quality_word"),
    *("replay_gap", "server_handle", "source_timestamp", "statuses", "value", "variant_type", "worker_sequence"),
)
"""The keys of the form of an event."""


def event_form(event: "MxEvent") -> dict[str, Any]:
    """Return the JSON form of an event; `quality_word` is null for families without quality."""
    gap = event.replay_gap
    return {
        "body": _body_form(event.body),
        "data_type": name_of(event.data_type),
        "family": name_of(event.family),
        "gateway_receive_timestamp": value_form(event.gateway_receive_timestamp),
        "hresult": event.hresult,
        "item_handle": event.item_handle,
        "quality": event.quality,
        "quality_word": quality_word(event.quality) if name_of(event.family) in _WITH_QUALITY else None,
        "replay_gap": gap
        and {
            "oldest_available_sequence": gap.oldest_available_sequence,
            "requested_after_sequence": gap.requested_after_sequence,
        },
        "server_handle": event.server_handle,
        "source_timestamp": source_time_form(event.source_time_ns),
        "statuses": [status_form(status) for status in event.statuses],
        "value": value_form(event.value),
        "variant_type": event.variant_type,
        "worker_sequence": event.worker_sequence,
    }


def _body_form(body: "BufferedData | AlarmTransition | AlarmProviderStatus | None") -> dict[str, Any] | None:
    if body is None:
        return None
    if isinstance(body, AlarmTransition | AlarmProviderStatus):
        return alarm_form(body)
    return {
        "data_type": name_of(body.data_type),
        "qualities": list(body.qualities),
        "timestamps": [source_time_form(time_ns) for time_ns in body.times_ns],
        "values": value_form(body.values),
    }


def event_text(event: "MxEvent") -> str:
    """Return an event for a person: sequence, family, handles, value, quality, source time, statuses."""
    if event.replay_gap is not None:
        gap = event.replay_gap
        oldest = f"the oldest available is {gap.oldest_available_sequence}"
        return f"{'':>8}  GAP: events lost after {gap.requested_after_sequence}; " + (
            oldest if gap.oldest_available_sequence else "none is available"
        )
    handles = f"{event.server_handle}/{event.item_handle}"
    return f"{event.worker_sequence:>8}  {name_of(event.family):<17}  {handles:<7}  {reading_text(event)}".rstrip()


def reading_text(event: "MxEvent") -> str:
    """Return the reading of an event for a person: value, quality, source time, statuses."""
    body = event.body
    if isinstance(body, AlarmTransition | AlarmProviderStatus):
        return alarm_text(body)
    if body is not None:
        return _buffered_text(body)
    parts = []
    if name_of(event.family) in _WITH_QUALITY or event.value is not None:
        parts.append(value_text(event.value))
    if name_of(event.family) in _WITH_QUALITY:
        parts.append(quality_word(event.quality))
    if event.source_time_ns:
        parts.append(exact_nanoseconds(event.source_time_ns))
    if event.hresult:
        parts.append(hresult_text(event.hresult))
    parts += [name_of(s.category) if s.category is StatusCategory.OK else safe(str(s)) for s in event.statuses]
    return "  ".join(parts)


def _buffered_text(body: "BufferedData") -> str:
    readings = zip_longest(body.values, body.qualities, map(exact_nanoseconds, body.times_ns))
    shown = [
        f"{value_text(value)} {quality_word(quality or 0)} {moment or 'null'}"
        for value, quality, moment in islice(readings, _MOST_SHOWN)
    ]
    if len(body.values) > _MOST_SHOWN:
        shown.append(f"… {len(body.values)} in all")
    return ";  ".join(shown)
