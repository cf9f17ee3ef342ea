"""What is known of a shift: from the journal of this user, from this session, and from the snapshots."""

import asyncio
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.alarm_feed import AlarmFeedLost, AlarmListRead, is_unacknowledged
from zb_mom_ww_mxgateway.models.alarms import AlarmTransition, AlarmTransitionKind
from zb_mom_ww_mxgateway.safety.journal import user_name
from zb_mom_ww_mxgateway.safety.journal_files import journal_places, read_head
from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway_console.render.forms import counted, one_line, value_text
from zb_mom_ww_mxgateway_shell.feeds.snapshot_rows import SNAPSHOTS
from zb_mom_ww_mxgateway_shell.output.shift_summary import ShiftPart, ShiftSummary
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.journal_actions import JournalAction
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_ALARMS_SECONDS = 5.0
_CHANGED = ("accepted", "completed", "verified", "not_verified", "unknown")
"""Results of a write after which the tag may have its value."""
_RAISED = (AlarmTransitionKind.RAISE, AlarmTransitionKind.RETRIGGER)
_LOSSES = {"gap": "events lost", "dropped": "events dropped here", "stale": "values stale", "closed": "session closed"}


async def shift_of(context: Context, since: datetime, until: datetime) -> ShiftSummary:
    """Return what is known of the time between two moments."""
    import socket

    await context.journals.heads()  # Everything so far is on the disk then.
    # The demo has a journal of its own; a shell may be connected to a plant, too.
    demos = sorted({context.is_demo, *(each.terms.is_demo for each in context.connections.values())})
    found = [await asyncio.to_thread(_actions, is_demo, since, until) for is_demo in demos]
    rows = sorted((row for of_one, _ in found for row in of_one), key=lambda row: row.at)
    lost = sum(count for _, count in found)
    heads = [head for is_demo in demos if (head := read_head(journal_places(demo=is_demo).head_folder))]
    return ShiftSummary(
        since,
        until,
        datetime.now(UTC),
        user_name(),
        socket.gethostname(),
        [str(head) for head in heads if head.count],
        [
            _sessions(rows),
            _stretches(context, since, until),
            _writes(rows, lost),
            await _not_put_back(context, rows),
            _arming(rows),
            *[part for each in context.connections.values() for part in await _alarms(context, each, since, until)],
            *([] if context.connections else [_no_alarms()]),
            _snapshots(since, until),
            _remarks(rows),
        ],
    )


def _actions(is_demo: bool, since: datetime, until: datetime) -> "tuple[list[JournalAction], int]":
    """Return what the journal has of this time, oldest first, and how many lines are missing there, or damaged."""
    from zb_mom_ww_mxgateway.safety.journal_actions import actions, lines_back

    lines: list[Any] = []
    for of_file in lines_back(journal_places(demo=is_demo).folder):
        lines = of_file + lines  # Lines about one action may be in two files.
        if of_file and _at(of_file[0].at) < since:
            break
    lost = sum(
        later.number - earlier.number - 1
        for earlier, later in itertools.pairwise(lines)
        if _at(later.at) >= since and _at(earlier.at) <= until
    )
    return [each for each in actions(lines) if since <= _at(each.at) <= until], lost


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _who(row: "JournalAction") -> str:
    return f"{row.user}@{row.host}"


# What the journal has.


def _sessions(rows: "Sequence[JournalAction]") -> ShiftPart:
    names = {"opened": "session opened", "closed": "session closed"}
    cells = [
        [
            date_and_time(_at(row.at)),
            _who(row),
            f"{row.facts.get('program', '')} ({row.pid})",
            row.endpoint,
            names[row.kind],
        ]
        for row in rows
        if row.kind in names
    ]
    ended = {row.facts.get("session") for row in rows if row.kind == "closed"}
    begun = [row for row in rows if row.kind == "opened" and row.pid != os.getpid()]
    left = [row for row in begun if row.facts.get("session") not in ended]
    unknown = [
        f"how the session of process {row.pid} ended, opened at {date_and_time(_at(row.at))}: it is "
        "open still, or was killed"
        for row in left
    ]
    return ShiftPart("Connections", ("time", "who", "program", "gateway", "what"), cells, unknown=unknown)


def _writes(rows: "Sequence[JournalAction]", lost: int) -> ShiftPart:
    cells = [_write_cells(row) for row in rows if row.kind == "action"]
    return ShiftPart(
        "Writes and acknowledgements",
        ("time", "who", "tag", "old", "new", "result", "reason"),
        cells,
        "nothing was sent",
        [f"{counted(lost, 'line')} of the journal missing or damaged: journal verify names them"] if lost else [],
    )


def _write_cells(row: "JournalAction") -> list[str]:
    is_write = _is_write(row)
    quality = "" if row.quality is None or quality_word(row.quality) == "good" else f" ({quality_word(row.quality)})"
    result = row.result.replace("_", " ") + (f": {row.why}" if row.why else "")
    old, new = (f"{value_text(row.old)}{quality}", value_text(row.new)) if is_write else ("", "")
    return [date_and_time(_at(row.at)), _who(row), row.tag or row.call, old, new, result, row.reason]


def _is_write(row: "JournalAction") -> bool:
    return row.new is not None or row.quality is not None


def _arming(rows: "Sequence[JournalAction]") -> ShiftPart:
    cells = [
        [
            date_and_time(_at(row.at)),
            _who(row),
            row.kind,
            ", ".join(map(str, row.facts.get("globs") or [])),
            row.reason or str(row.facts.get("why") or ""),
        ]
        for row in rows
        if row.kind in ("armed", "disarmed")
    ]
    return ShiftPart("Arming", ("time", "who", "what", "tags", "why"), cells)


def _remarks(rows: "Sequence[JournalAction]") -> ShiftPart:
    cells = [
        [date_and_time(_at(row.at)), _who(row), str(row.facts.get("what") or ""), str(row.facts.get("text") or "")]
        for row in rows
        if row.kind == "remark"
    ]
    return ShiftPart("Notes", ("time", "who", "what", "text"), cells)


@dataclass(slots=True)
class _Changed:
    """All writes of the shift to one tag."""

    first: "JournalAction"
    last: "JournalAction"
    is_sure: bool

    @property
    def is_back(self) -> bool:
        """Whether the last value that was written is surely the one from before the first write."""
        # Two secrets look the same in the journal.
        is_hidden = "***" in str(self.first.old)
        return self.is_sure and not is_hidden and same_value(self.first.old, self.last.new)


async def _not_put_back(context: Context, rows: "Sequence[JournalAction]") -> ShiftPart:
    changed: dict[tuple[str, str], _Changed] = {}
    for row in rows:
        if row.kind != "action" or not row.tag or not _is_write(row) or row.result not in _CHANGED:
            continue
        is_sure = row.result != "unknown"
        found = changed.setdefault((row.endpoint, item_key(row.tag)), _Changed(row, row, is_sure))
        found.last, found.is_sure = row, is_sure
    now = await _present(context)
    cells = [
        [
            each.first.tag,
            each.first.endpoint,
            value_text(each.first.old),
            value_text(each.last.new) + ("" if each.is_sure else " (outcome unknown)"),
            _who(each.last),
            now.get((endpoint, key), "not known here"),
        ]
        for (endpoint, key), each in changed.items()
        if not each.is_back
    ]
    return ShiftPart(
        "Not put back",
        ("tag", "gateway", "before the shift's first write", "last written", "by", "now"),
        cells,
        "every tag that was written has been given its value from before again, as far as the journal tells",
        ["what others wrote to these tags since, except where the value of now shows it"] if cells else [],
    )


async def _present(context: Context) -> dict[tuple[str, str], str]:
    """Return what the tags that this session changed are now."""
    found: dict[tuple[str, str], str] = {}
    for connected in context.connections.values():
        with suppress(MxGatewayError):
            for row in await connected.changes.now():
                found[connected.client.options.endpoint, item_key(row.change.tag)] = row.now_text
    return found


# What this session saw.


def _stretches(context: Context, since: datetime, until: datetime) -> ShiftPart:
    cells: list[list[str]] = []
    unknown: list[str] = []
    for connected in context.connections.values():
        opened = _wall(connected.opened_at)
        cells += [[date_and_time(at), connected.name, text] for at, text in _losses(connected) if since <= at <= until]
        if opened > since:
            unknown.append(f"what {connected.name} lost before {date_and_time(opened)}, when this session began")
    if not context.connections:
        unknown.append("what was lost: this session has no connection")
    return ShiftPart(
        "Losses, gaps and stale stretches", ("time", "connection", "what"), cells, "none in this session", unknown
    )


def _losses(connected: "GatewayConnection") -> Iterator[tuple[datetime, str]]:
    """Yield what a connection lost, and when it was back."""
    is_lost = False
    for mark in connected.history.marks():
        if mark.kind not in _LOSSES and not is_lost:
            continue  # Live from the beginning.
        is_lost = mark.kind in _LOSSES
        about = f" of {mark.tag}" if mark.tag else ""
        began = f", since {date_and_time(_wall(mark.since))}" if mark.since is not None else ""
        what = f"{_LOSSES.get(mark.kind, 'values live again')}{about}{began}"
        yield _wall(mark.at), one_line(f"{what}: {mark.text}" if mark.text and is_lost else what)


def _wall(monotonic: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=clock.monotonic() - monotonic)


async def _alarms(
    context: Context, connected: "GatewayConnection", since: datetime, until: datetime
) -> list[ShiftPart]:
    context.start_alarms(connected)
    feed = connected.alarms
    problem = ""
    try:
        await feed.ready(_ALARMS_SECONDS)
    except MxGatewayError as error:
        problem = one_line(str(error))
    of = f" of {connected.name}" if len(context.connections) > 1 else ""
    active = [
        [
            str(each.severity),
            each.reference,
            "not acknowledged" if is_unacknowledged(each) else "acknowledged",
            "" if each.changed_at is None else date_and_time(each.changed_at),
            each.description,
        ]
        for each in sorted(feed.alarms.values(), key=lambda each: (each.severity, each.reference))
    ]
    unknown = [f"the alarms{of}: {problem}"] if problem else []
    unknown += [] if feed.is_complete or problem else [f"what became of the alarms{of} since their stream was lost"]
    raised = [
        [date_and_time(at), str(news.severity), news.reference, news.description]
        for at, news in ((_wall(each.at), each.news) for each in feed.arrived)
        if isinstance(news, AlarmTransition) and news.kind in _RAISED and since <= at <= until
    ]
    return [
        ShiftPart(
            f"Alarms{of} now",
            ("severity", "alarm", "state", "last change, by the plant's clock", "description"),
            active,
            "not known" if problem else "no alarm is active or waits for an acknowledgement",
            unknown,
        ),
        ShiftPart(
            f"Alarms{of} raised",
            ("arrived here", "severity", "alarm", "description"),
            raised,
            "none was seen",
            list(_not_seen(connected, since, until)),
        ),
    ]


def _not_seen(connected: "GatewayConnection", since: datetime, until: datetime) -> Iterator[str]:
    """Yield the stretches in which alarms were not looked for."""
    arrived = connected.alarms.arrived
    first = next((each.at for each in arrived if isinstance(each.news, AlarmListRead)), None)
    if first is None:
        yield "alarms that were raised: they were not read here"
        return
    if (known_since := _wall(first)) > since:
        yield f"alarms before {date_and_time(known_since)}, when this session began to read them"
    if len(arrived) == arrived.maxlen and (oldest := _wall(arrived[0].at)) > since:
        yield f"alarms before {date_and_time(oldest)}: only the newest {len(arrived)} changes are kept"
    lost: datetime | None = None
    for each in arrived:
        if isinstance(each.news, AlarmFeedLost):
            lost = lost or _wall(each.at)
        elif isinstance(each.news, AlarmListRead) and lost is not None:
            if lost <= until and (back := _wall(each.at)) >= since:
                yield f"alarms from {date_and_time(lost)} to {date_and_time(back)}: their stream was lost"
            lost = None
    if lost is not None and lost <= until:
        yield f"alarms since {date_and_time(lost)}: their stream is lost"


def _no_alarms() -> ShiftPart:
    return ShiftPart("Alarms", (), nothing="not known", unknown=["alarms: this session has no connection"])


# Snapshots.


def _snapshots(since: datetime, until: datetime) -> ShiftPart:
    cells: list[list[str]] = []
    unknown: list[str] = []
    for name in SNAPSHOTS.names():
        try:
            found = SNAPSHOTS.load(name)
        except (OSError, ValueError) as error:
            unknown.append(f"the snapshot {name}: {one_line(str(error))}")
            continue
        if since <= found.taken_at <= until:
            cells.append([date_and_time(found.taken_at), name, found.endpoint, counted(len(found.rows), "tag")])
    unknown.append("snapshots that were replaced since by one of the same name")
    return ShiftPart("Snapshots taken", ("time", "name", "gateway", "tags"), cells, unknown=unknown)
