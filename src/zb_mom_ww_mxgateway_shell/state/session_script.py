"""A script of what was typed since a moment: with the waits and expectations that the samples of that time tell."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.safety.changes import OwnWrite
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway.times import time_of_day
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.target_types import tag_text
from zb_mom_ww_mxgateway_shell.language.variables import is_plain, literal_text, quoted
from zb_mom_ww_mxgateway_shell.samples.course import Course
from zb_mom_ww_mxgateway_shell.samples.history import moment
from zb_mom_ww_mxgateway_shell.state.recorded_lines import RecordedLine
from zb_mom_ww_mxgateway_shell.state.seen_checks import SeenTag, SeenWait

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.context import Context

_SOON_SECONDS = 0.5
"""A written tag that shows its value so soon is expected to have it; ``expect`` gives it a second."""


class TagWrite(NamedTuple):
    """A write that was sent to a tag."""

    tag: str
    write: OwnWrite


class UnrepeatedLine(NamedTuple):
    """A line that the script cannot repeat."""

    line: str
    why: str


@dataclass(frozen=True, slots=True)
class TypedSession:
    """What was typed, and what was seen and written meanwhile, on one gateway."""

    lines: Sequence[RecordedLine]
    gateway: str
    """Its endpoint."""
    writes: Sequence[TagWrite]
    course_of: Callable[[str], Course | None]
    """Returns how the value of a tag went; None for a tag that is not followed."""
    unseen: Collection[str]
    """Tags that were written and have not shown it yet."""
    ended: float
    """Monotonic seconds."""
    since: str
    """When its first line began, as a person reads it."""


@dataclass(slots=True)
class _Stretch:
    """The lines from one write, or step, to the next."""

    sent: float | None = None
    """When its first write was sent; None before."""
    written: dict[str, TagWrite] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)
    """Tags that a typed line checks."""


class SessionScript:
    """The lines of a script."""

    def __init__(self, session: TypedSession, *, expects: bool) -> None:
        self._session = session
        self._expects = expects
        kept = [each for each in session.lines if not each.why_not(session.gateway)]
        self._writes = [write for write in session.writes if any(_is_of(write, line) for line in kept)]
        """Those of the lines that it repeats."""
        repeated = {item_key(each.tag) for each in self._writes}
        self._left_out = {item_key(each.tag) for each in session.writes} - repeated
        """Tags that only other lines wrote, whose values do not come again, and those that do not show yet what was
        written to them."""
        self._left_out |= {item_key(tag) for tag in session.unseen}
        self.remarks: list[UnrepeatedLine] = []
        """Lines that it cannot repeat."""
        self._seen: dict[str, SeenTag | None] = {}
        self._waits: dict[str, SeenWait] = {}
        """The longest wait for each tag."""
        self._stretch = _Stretch()
        self._step_began = session.lines[0].began if session.lines else session.ended
        self._step_tags: dict[str, str] = {}
        """The tags that the lines of this step name or show, by their keys."""
        self._told: set[str] = set()
        """Expectations that this step has already."""
        self._read: dict[str, str] = {}
        """Expectations of tags that are not followed, as their lines saw them."""
        self._body = list(self._lines())

    @property
    def count(self) -> int:
        """Number of its typed lines."""
        return len(self._session.lines)

    @property
    def lines(self) -> list[str]:
        """All lines below the heading."""
        ending = list(self._ending())
        declared = [f"requires write {literal_text(tag)}" for tag in self._declared()]
        start = self._start()
        body = self._body[1:] if self._body[:1] == [""] else self._body
        return [
            *declared,
            *([""] if declared else []),
            *start,
            *([""] if start else []),
            *body,
            *(["", "finally", *ending] if ending else []),
        ]

    # What was typed.

    def _lines(self) -> Iterator[str]:
        for typed in self._session.lines:
            if why := typed.why_not(self._session.gateway):
                # A line that failed proves nothing when it fails again.
                self.remarks.append(UnrepeatedLine(redact(typed.line), why))
                yield f"# {why}: {redact(typed.line)}"
                continue
            if typed.begins_step:
                yield from self._end_of_step(typed.began)
                yield ""
            if own := [each for each in self._writes if _is_of(each, typed) and not each.write.changed_nothing]:
                yield from self._end_of_stretch(typed.began)
                self._stretch.sent = own[0].write.sent_at
                self._stretch.written = {item_key(each.tag): each for each in own}
            self._stretch.judged |= {item_key(tag) for tag in typed.judged}
            self._step_tags |= {item_key(tag): tag for tag in (*typed.seen, *typed.judged)}
            self._read |= {item_key(tag): line for tag, line in typed.read}
            yield f"# seen: {typed.line}" if typed.only_looks and self._expects else typed.line
        yield from self._end_of_step(self._session.ended)

    def _end_of_stretch(self, end: float) -> Iterator[str]:
        """Yield what came of the last write."""
        stretch, self._stretch = self._stretch, _Stretch(judged=self._stretch.judged)
        self._stretch.judged = set()
        if not self._expects or stretch.sent is None:
            return
        waits: list[SeenWait] = []
        for key, each in stretch.written.items():
            if key not in stretch.judged | self._left_out and (line := self._as_written(each, end)):
                stretch.judged.add(key)
                self._told.add(line)
                yield line
        for key, tag in self._all_tags.items():
            seen = None if key in stretch.judged else self._tag(tag)
            value = stretch.written[key].write.value if key in stretch.written else None
            if seen is not None and (wait := seen.wait(stretch.sent, end, value)) and redact(wait.line) == wait.line:
                waits.append(wait)
        for wait in sorted(waits, key=lambda each: each.arrived):
            key = item_key(wait.tag)
            longest = self._waits.setdefault(key, wait)
            self._waits[key] = max(longest, wait, key=lambda each: each.seconds)
            self._step_tags.pop(key, None)
            yield wait.line

    def _as_written(self, written: TagWrite, end: float) -> str:
        """Return the expectation of a tag that showed at once what was written to it; empty for none."""
        sent = written.write.sent_at
        seen = self._tag(written.tag)
        stretch = None if seen is None else seen.course.within(sent, end)
        if seen is None or stretch is None or stretch.arrived - sent > _SOON_SECONDS:
            return ""
        if not same_value(written.write.value, stretch.last.value):
            return ""
        return seen.expectation(max(sent, stretch.arrived), end)

    def _end_of_step(self, end: float) -> Iterator[str]:
        """Yield what came of the last write of the step, and what else was stable."""
        judged = set(self._stretch.judged)
        yield from self._end_of_stretch(end)
        told, self._told = self._told, set()
        tags, self._step_tags = self._step_tags, {}
        began, self._step_began = self._step_began, end
        if not self._expects:
            return
        for key, tag in tags.items():
            if key in judged or key in self._left_out:
                continue
            seen = self._tag(tag)
            line = self._read.get(key, "") if seen is None else seen.expectation(began, end)
            if line and redact(line) == line and line not in told:
                yield line

    # How it was before.

    def _start(self) -> list[str]:
        """Return the lines that bring the plant to where the recording began, if it is not there now."""
        if not self._expects:
            return []
        writes = [
            f"write {tag_text(tag)} {text}"
            for tag, first, text in self._firsts()
            if text and not self._is_now(tag, first)
        ]
        if not writes or not self._session.lines:
            return []
        began = self._session.lines[0].began
        waits = [
            line
            for key, wait in self._waits.items()
            if (seen := self._seen.get(key)) and (line := seen.start(began, wait.seconds))
        ]
        has_steps = any(each.begins_step for each in self._session.lines)
        title = f"as it was at {self._session.since}"
        return [f"step {quoted(title)}" if has_steps else f"# {title[0].upper()}{title[1:]}.", *writes, *waits]

    def _is_now(self, tag: str, first: OwnWrite) -> bool:
        seen = self._tag(tag)
        held = seen and seen.course.at(self._session.ended)
        return bool(held and first.before and same_value(first.before.value, held.value))

    def _ending(self) -> Iterator[str]:
        """Yield the lines that put back what was written, the last one first."""
        for tag, _, text in reversed(self._firsts()):
            name = tag_text(tag)
            yield f"write {name} {text}" if text else f"# {name}: its value before is not known; put it back yourself"

    def _firsts(self) -> list[tuple[str, OwnWrite, str]]:
        """Return the first write of each tag that may have changed it, with the value before as it is typed; empty
        where that is not known, or no line can have it."""
        found: dict[str, tuple[str, OwnWrite, str]] = {}
        for tag, write in self._writes:
            if tag and not write.changed_nothing and item_key(tag) not in found:
                found[item_key(tag)] = tag, write, _text_before(write)
        return list(found.values())

    def _declared(self) -> list[str]:
        kept = [each for each in self._session.lines if not each.why_not(self._session.gateway)]
        names = [name for each in kept for name in each.writes] + [tag for tag, _, text in self._firsts() if text]
        return list({item_key(name): name for name in reversed(names)}.values())[::-1]

    # What was seen.

    @cached_property
    def _all_tags(self) -> Mapping[str, str]:
        """Every tag that a line names or shows, or that was written, by its key."""
        lines = self._session.lines
        tags: Iterable[str] = [tag for each in lines for tag in (*each.seen, *each.judged)]
        named = {item_key(tag): tag for tag in [*tags, *(each.tag for each in self._writes)] if tag}
        return {key: tag for key, tag in named.items() if key not in self._left_out}

    def _tag(self, tag: str) -> SeenTag | None:
        key = item_key(tag)
        if key not in self._seen:
            course = self._session.course_of(tag)
            first = self._writes[0].write.sent_at if self._writes else self._session.ended
            self._seen[key] = None if course is None else SeenTag(tag, course, first)
        return self._seen[key]


def _is_of(written: TagWrite, line: RecordedLine) -> bool:
    return line.began <= written.write.sent_at <= line.ended


async def script_since(context: "Context", since: datetime, *, expects: bool) -> SessionScript:
    """Return the script of what was typed since a moment on the current connection; raise ShellError for nothing."""
    begun = clock.monotonic() - (datetime.now(UTC) - since).total_seconds()
    lines = context.recorder.since(begun)
    if not lines:
        at = time_of_day(since)
        rest = "" if context.interactive else ": a run keeps its lines from its first record-script on"
        raise ShellError(f"nothing was typed since {at}{rest}; no file is made")
    current = context.current

    def course_of(tag: str) -> Course | None:
        item = context.find_item(tag)
        return None if item is None or current is None else Course.of(current.history.of(item.key))

    if current is not None and current.live.state.value == "live":
        await current.live.caught_up()
    writes = [] if current is None else current.write_moments.writes_since(begun)
    items = [(tag, context.find_item(tag)) for tag, _ in writes]
    unseen = {tag for tag, item in items if item is None or (current and current.live.unseen_write(*item.key))}
    return SessionScript(
        TypedSession(
            lines,
            current.client.options.endpoint if current else "",
            [TagWrite(tag, write) for tag, write in writes],
            course_of,
            unseen,
            clock.monotonic(),
            time_of_day(moment(lines[0].began)),
        ),
        expects=expects,
    )


def _text_before(write: OwnWrite) -> str:
    before = write.before
    if before is None or not before.is_good or before.value is None or not is_plain(before.value):
        return ""
    text = quoted(before.value) if isinstance(before.value, str) else literal_text(before.value)
    return text if redact(text) == text else ""
