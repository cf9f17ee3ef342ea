"""Messages to the broker: JSON of events, values that were read again, and marks, each with an id.

The id of an event is made of session and sequence alone, so a forwarder that starts again gives it the same.
"""

import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from zb_mom_ww_mxgateway.models.events import EventFamily, EventHeader, MxEvent
from zb_mom_ww_mxgateway.models.results import ReadResult
from zb_mom_ww_mxgateway.redaction import may_hold_secret
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_cli.forward.topics import Topics
from zb_mom_ww_mxgateway_console.render.event_forms import event_form
from zb_mom_ww_mxgateway_console.render.forms import redacted

MarkKind = Literal["start", "gap", "stale", "live", "refused"]
GapReason = Literal["gateway", "session", "buffer", "size"]


@dataclass(slots=True, eq=False)
class Message:
    """One message, ready to be sent."""

    id: str
    topic: str
    payload: bytes
    session_id: str
    upto: int | None = None
    """Sequence up to which the session is accounted for once the broker has the message; None where it adds nothing."""
    tag: str | None = None
    """Tag whose value it brings."""
    lost: int | None = 0
    """Events that a gap mark reports as lost; None for an unknown number."""
    is_mark: bool = False
    is_state: bool = False
    """Whether it is a mark that tells what holds of all values from here on: start, stale or live."""


@dataclass(frozen=True)
class Gap:
    """Events of one session that are not forwarded: those strictly between two sequences."""

    session_id: str
    after: int
    """The last sequence before them."""
    before: int | None
    """The first sequence after them; None where it is unknown, or the session has ended."""
    lost: int | None
    """How many; None for an unknown number."""
    reason: GapReason
    text: str
    tag: str | None = None
    """The tag, where it is known that all of them are of one."""


class MessageForms:
    """Makes the messages of one forwarder."""

    def __init__(self, forwarder: str, endpoint: str, topics: Topics) -> None:
        self._known = {"endpoint": endpoint, "forwarder": forwarder}
        self._topics = topics
        self._run = uuid.uuid4().hex[:12]
        self._numbered = 0
        self._event_topics: dict[str, str] = {}

    def event(self, event: MxEvent, tag: str, session_id: str) -> Message:
        """Return the message of an event."""
        return self._of_value("event", f"{session_id}-{event.worker_sequence}", event, tag, session_id, None)

    def read(self, result: ReadResult, key: tuple[int, int], tag: str, session_id: str) -> Message:
        """Return the message of a value that was read again, because changes of it are missing."""
        header = EventHeader(EventFamily.ON_DATA_CHANGE, *key, result.quality, result.statuses)
        event = MxEvent(header, 0, result.value, result.source_time_ns, received_at=clock.monotonic())
        error = None if result.was_successful else result.error_message or "no reason given"
        return self._of_value("read", self._next_id(), event, tag, session_id, error)

    def gap(self, gap: Gap) -> Message:
        """Return the mark that takes the place of events that are not forwarded."""
        until = "end" if gap.before is None else gap.before
        made = self._mark(
            "gap",
            f"{gap.session_id}-gap-{gap.after}-{until}",
            gap.session_id,
            gap.text,
            tag=gap.tag,
            after_sequence=gap.after,
            before_sequence=gap.before,
            lost=gap.lost,
            reason=gap.reason,
        )
        made.upto = None if gap.before is None else gap.before - 1
        made.lost = gap.lost
        return made

    def mark(self, kind: MarkKind, session_id: str, text: str, *, at: float = 0.0, tag: str | None = None) -> Message:
        """Return a mark about a moment, `at` in seconds of the library's clock; 0 for now."""
        made = self._mark(kind, self._next_id(), session_id, text, at=at, tag=tag)
        made.is_state = tag is None
        return made

    def _next_id(self) -> str:
        self._numbered += 1
        return f"{self._run}-{self._numbered}"

    def _of_value(
        self, kind: str, message_id: str, event: MxEvent, tag: str, session_id: str, error: str | None
    ) -> Message:
        form = event_form(event) | self._known
        form |= {
            "error": error,
            "id": message_id,
            "kind": kind,
            "received": _wall_time(event.received_at),
            "session_id": session_id,
            "tag": tag or None,
        }
        del form["replay_gap"]  # A gap is a mark.
        if (topic := self._event_topics.get(tag)) is None:
            topic = self._event_topics[tag] = self._topics.topic("event", tag or "%")
        return Message(message_id, topic, _encoded(form), session_id, event.worker_sequence or None, tag or None)

    def _mark(
        self,
        kind: MarkKind,
        message_id: str,
        session_id: str,
        text: str,
        *,
        at: float = 0.0,
        tag: str | None = None,
        after_sequence: int | None = None,
        before_sequence: int | None = None,
        lost: int | None = None,
        reason: GapReason | None = None,
    ) -> Message:
        form = self._known | {
            "after_sequence": after_sequence,
            "at": _wall_time(at),
            "before_sequence": before_sequence,
            "id": message_id,
            "kind": kind,
            "lost": lost,
            "reason": reason,
            "session_id": session_id,
            "tag": tag,
            "text": text,
        }
        return Message(message_id, self._topics.topic("mark", tag), _encoded(form), session_id, is_mark=True)


def _wall_time(at: float) -> str:
    """Return a moment of the library's clock as ISO 8601 in UTC; 0 for now."""
    ago = clock.monotonic() - at if at else 0.0
    return time_text(datetime.fromtimestamp(time.time() - ago, UTC))


_encode = json.JSONEncoder(allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def _encoded(form: dict[str, Any]) -> bytes:
    line = _encode(form)
    return (line if not may_hold_secret(line) else _encode(redacted(form))).encode()
