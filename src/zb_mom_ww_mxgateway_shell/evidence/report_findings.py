"""One statement of a record as evidence: what was expected, what was there, with quality, times and age."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_shell.evidence.report_model import Evidence, ReportVerdict
from zb_mom_ww_mxgateway_shell.evidence.report_text import (
    age_of,
    list_of,
    mapping_of,
    moment_of,
    number_of,
    quality_of,
    shown_value,
    text_of,
)

_NOT_MET = 1
_REFUSED, _NOT_SENT = WriteOutcome.REFUSED.value, WriteOutcome.NOT_SENT.value
_TIMES = {"seconds": "in", "after_write_seconds": "after the write by", "broken_after_seconds": "broken after"}
"""Times that a check took, and the words for them."""
_WRITES = ("write", "writes")
"""What an error about a write has of it."""
_MOST_ACTUAL = 50
"""Lines of values that one statement shows; the record has the others."""
_Shown: TypeAlias = tuple[str, str, Any, Any]
"""A line about a value: the value, its quality with its age, the time of its source, and that of its arrival."""
_IN_TITLE = frozenset({"title", "id", "requirements"})


def finding_of(entry: Mapping[str, Any]) -> Evidence:
    """Return the evidence of an entry of a record that is a statement."""
    error, result = mapping_of(entry.get("error")), entry.get("result")
    said = error or mapping_of(result)
    # A watchdog's line only begins it: its outcome, when the step ends, is the check.
    is_check = "expected" in said and not said.get("watches")
    shown = list(_actual(said, result))
    if len(shown) > _MOST_ACTUAL:
        left = len(shown) - _MOST_ACTUAL
        shown = [*shown[:_MOST_ACTUAL], (f"… and {left} more: see the record", "", None, None)]
    return Evidence(
        place=_place(entry),
        statement=text_of(entry.get("statement")),
        at=entry.get("at"),
        verdict=_verdict(entry, error, is_check=is_check),
        expected=text_of(said.get("expected")),
        actual=tuple(text for text, *_ in shown),
        quality=tuple(quality for _, quality, *_ in shown),
        sources=tuple(source for *_, source, _ in shown),
        received=tuple(received for *_, received in shown),
        ended_at=_ended_at(entry),
        is_check=is_check,
        problem="" if entry.get("ok") is True else _problem(error, result),
        remarks=tuple(map(text_of, list_of(entry.get("notices")))),
        written=tuple(_written([result, *(error.get(name) for name in _WRITES)])),
    )


def _place(entry: Mapping[str, Any]) -> str:
    if place := text_of(entry.get("place")):
        return place
    line = text_of(entry.get("line"))
    return f"{file}:{line}" if (file := text_of(entry.get("file"))) else line


def _verdict(entry: Mapping[str, Any], error: Mapping[str, Any], *, is_check: bool) -> ReportVerdict:
    if entry.get("ok") is True:
        return ReportVerdict.PASSED if is_check else ReportVerdict.DONE
    # Without an error it is a result that is not what it was to be, such as a refused row.
    code = error.get("exit_code", entry.get("exit_code", _NOT_MET))
    return ReportVerdict.FAILED if code == _NOT_MET else ReportVerdict.ERROR


def _problem(error: Mapping[str, Any], result: Any) -> str:
    return text_of(error.get("message")) or text_of(mapping_of(result).get("message")) or "not as it was to be"


def _ended_at(entry: Mapping[str, Any]) -> Any:
    """Return when the statement ended: what it shows without a time of its own had been received by then."""
    began, seconds = moment_of(entry.get("at")), number_of(entry.get("seconds"))
    if began is None or seconds is None or not 0 <= seconds < 10**6:
        return None
    return time_text(began + timedelta(seconds=seconds))


def _actual(said: Mapping[str, Any], result: Any) -> Iterator[_Shown]:
    """Yield what was there."""
    if "expected" in said and not ("outcome" in said and "actual" not in said):
        yield from _judged(said)
    elif isinstance(result, list):
        for each in result:
            yield from _values(each)
    elif "outcome" in said:
        yield from _values(said)
    else:
        if isinstance(said.get("text"), str) and set(said) <= {"observation", "text"}:
            yield said["text"], "", None, None
            return
        known = {key: each for key, each in said.items() if key not in _IN_TITLE} if isinstance(result, Mapping) else {}
        if text := text_of(known) or ("" if isinstance(result, Mapping) else text_of(result)):
            yield text, "", None, None


def _judged(said: Mapping[str, Any]) -> Iterator[_Shown]:
    """Yield what a check compared: a value, what it was to be if that was read too, members of a group, a course."""
    if said.get("actual") == []:
        yield "none", "", None, None
    elif said.get("actual") is not None:
        yield from _values(said["actual"])
    for text, quality, *times in _values(said["wanted"]) if said.get("wanted") else ():
        yield f"wanted {text}", quality, *times
    for each in (*list_of(said.get("judged")), *list_of(said.get("failed"))):
        member = mapping_of(each)
        tag, reason = text_of(member.get("tag")), text_of(member.get("reason"))
        for text, quality, *times in _values(member.get("actual")):
            yield f"{tag}: {text}{f' ({reason})' if reason else ''}", quality, *times
        for text, quality, *times in _values(member["wanted"]) if member.get("wanted") else ():
            yield f"{tag}: wanted {text}", quality, *times
    if course := _course(said):
        yield course, "", None, None
    for name in _WRITES:
        if said.get(name):
            yield from _values(said[name])


def _course(said: Mapping[str, Any]) -> str:
    """Return how long a check took, and what the value was meanwhile; empty if it looked once."""
    words = [f"{name} {shown_value(said[name])}" for name in ("lowest", "highest") if said.get(name) is not None]
    if (count := number_of(said.get("values"))) is not None:
        words.append(f"{count:.0f} values")
    for name, before in _TIMES.items():
        if (seconds := number_of(said.get(name))) is not None:
            words.append(f"{before} {seconds:.3f} s")
    return ", ".join(words)


def _values(form: Any) -> Iterator[_Shown]:
    """Yield the values in the form of a result: of one tag, of several, of a write."""
    if isinstance(form, list):
        for each in form:
            yield from _values(each)
        return
    said = mapping_of(form)
    if not said:
        yield shown_value(form), "", None, None
        return
    tag = text_of(said.get("tag"))
    named = f"{tag}: " if tag else ""
    if "outcome" in said:
        yield f"{named}{_write(said)}", "", None, None
    elif "value" in said:
        wrong = f" ({text_of(said['error'])})" if said.get("error") else ""
        quality = ", ".join(each for each in (quality_of(said), age_of(said) and f"{age_of(said)} old") if each)
        yield (
            f"{named}{shown_value(said['value'])}{wrong}",
            quality,
            said.get("source_timestamp"),
            said.get("received_at"),
        )
    elif "reference" in said:
        yield _alarm(said), "", said.get("changed_at") or said.get("transition_at"), None
    else:
        yield text_of(said), "", None, None


def _alarm(said: Mapping[str, Any]) -> str:
    """Return an alarm with its state."""
    state = text_of(said.get("state") or said.get("kind")).lower().replace("_", " ")
    severity = f"severity {text_of(said['severity'])}" if said.get("severity") is not None else ""
    facts = ", ".join(each for each in (state, severity, text_of(said.get("description"))) if each)
    return f"{text_of(said['reference'])}: {facts}"


def _write(said: Mapping[str, Any]) -> str:
    """Return old → new of a write, and its result."""
    if said.get("tag") is None and said.get("outcome") is None:
        return "nothing was written"
    if said.get("outcome") == _REFUSED:
        was = f", was {shown_value(said['before'])}" if said.get("before") is not None else ""
        return f"{_refusal(said)}; {shown_value(said.get('value'))} not taken{was}"
    outcome = text_of(said.get("result")) or text_of(said.get("outcome"))
    ended = number_of(said.get("completed_ms"))
    took = f" in {ended:.0f} ms" if ended is not None else ""
    before = f"{shown_value(said['before'])} → " if said.get("before") is not None else ""
    wrong = f": {text_of(said['error'])}" if said.get("error") else ""
    return f"{before}{shown_value(said.get('value'))}, {outcome.replace('_', ' ')}{took}{wrong}"


def _refusal(said: Mapping[str, Any]) -> str:
    """Return what the refusal of a write means, by whom it was refused, and with which statuses."""
    failed = [each for each in map(mapping_of, list_of(said.get("statuses"))) if not each.get("success")]
    statuses = "; ".join(
        text_of([each.get(name) for name in ("category", "detected_by", "detail", "diagnostic_text") if each.get(name)])
        for each in failed
    )
    why = ": ".join(each for each in (statuses, text_of(said.get("error"))) if each)
    by = text_of(said.get("refused_by")) or "the plant"
    refused = f"by {by}: {why}" if why else f"by {by}"
    meaning = text_of(said.get("refused_because"))
    return f"REFUSED: {meaning}; {refused}" if meaning else f"REFUSED {refused}"


def _written(result: Any) -> Iterator[str]:
    """Yield the tags that a result says were written."""
    if isinstance(result, list):
        for each in result:
            yield from _written(each)
        return
    said = mapping_of(result)
    is_sent = said.get("outcome") not in (None, _REFUSED, _NOT_SENT)
    if is_sent and isinstance(said.get("tag"), str):
        yield said["tag"]
    for rows in said.values():
        if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
            yield from _written(rows)
