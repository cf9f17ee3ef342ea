"""read, trend, history."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.status import first_failed, quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_of_day, time_text
from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample, was_read_again
from zb_mom_ww_mxgateway_console.render.forms import (
    ExitCode,
    age_text,
    counted,
    safe,
    source_time_form,
    status_form,
    value_form,
    value_text,
)
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, shown_writes
from zb_mom_ww_mxgateway_shell.feeds.trend import Trend, TrendItem
from zb_mom_ww_mxgateway_shell.feeds.trend_result import SUFFIXES
from zb_mom_ww_mxgateway_shell.feeds.trend_view import TrendView
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import Watchable, by_connection, is_one_tag, targets_of
from zb_mom_ww_mxgateway_shell.galaxy.lookup import is_bare_array
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    ArgumentType,
    CountOption,
    Duration,
    DurationOption,
    FileName,
    FlagOption,
    Suggestion,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.file_names import new_files
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import ServerOption, Target, TargetArgument, named_targets
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.chart import Limit
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Sheet, TextResult, table_lines
from zb_mom_ww_mxgateway_shell.output.tag_texts import (
    NOTHING_KNOWN,
    description_of,
    fact_fields,
    shown_value,
    with_facts,
)
from zb_mom_ww_mxgateway_shell.output.trend_picture import MOST_TAGS
from zb_mom_ww_mxgateway_shell.output.value_text import clock_text, reason_lines, reason_text, written_text
from zb_mom_ww_mxgateway_shell.process.regular_files import exists
from zb_mom_ww_mxgateway_shell.samples.history import LIMIT, ItemHistory, moment
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark
from zb_mom_ww_mxgateway_shell.state.bound_context import on
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, Reading

_NUMBER = re.compile(r"[+-]?(\d{1,310}(\.\d{0,30})?|\.\d{1,30})(e[+-]?\d{1,3})?", re.IGNORECASE)
_COLUMNS = (
    *("age_seconds", "cached", "description", "error", "quality", "quality_word", "source_timestamp", "stale"),
    *("statuses", "tag", "unit", "value", "written_seconds_ago"),
)
_SAMPLE_COLUMNS = (
    *("kind", "lost", "note", "quality", "quality_word", "received", "source_timestamp", "statuses", "value"),
)
_SPAN = 60.0
_TEXTS_SECONDS = 0.3
"""Most seconds that a read at a prompt waits for units and descriptions."""
_SHOWN = 50
"""Samples that history shows by default."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Results of a read."""

    readings: Sequence["Reading"]
    facts: Sequence[TagFacts]
    """What is known of each tag."""
    of: int | None = None
    """How many tags were read, if these are only those that are not good."""
    is_one: bool = False
    """Whether the line reads one tag, by its name."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.REFUSED if any(each.error for each in self.readings) else ExitCode.DONE

    @property
    def value(self) -> Any:
        values = [each.value for each in self.readings]
        return values[0] if len(values) == 1 else values

    @property
    def returned(self) -> Any:
        """The readings, with their quality; the reading itself where the line names one tag."""
        return self.readings[0] if self.is_one else list(self.readings)

    def lines(self) -> list[str]:
        rows = [self._row(each, facts) for each, facts in zip(self.readings, self.facts, strict=True)]
        table = table_lines(*with_facts(("tag", "value", "quality", "age", "from"), rows, self.facts)) if rows else []
        doubts = [(each.tag, each.quality_word, reason_text(each)) for each in self.readings if not each.error]
        return [*table, *(f"  {line}" for line in (*reason_lines(doubts), *self.problems(), *self._summary()))]

    def _summary(self) -> list[str]:
        if self.of is None:
            return []
        if not self.readings:
            return [f"all good: {counted(self.of, 'tag')}"]
        return [f"{len(self.readings)} of {counted(self.of, 'tag')} not good"]

    def problems(self) -> list[str]:
        """Return a line for each reason why tags were not read."""
        return reason_lines((each.tag, "NOT READ", safe(each.error)) for each in self.readings if each.error)

    def _row(self, reading: "Reading", facts: TagFacts) -> list[str]:
        if reading.error:
            return [reading.tag, "", reading.quality_word, "", "gateway"]
        age = "not known" if reading.age is None else age_text(reading.age)
        if reading.stale_for is not None:
            age = f"stale for {age_text(reading.stale_for)}"
        age = ", ".join(filter(None, (age, written_text(reading.written_for))))
        source = "cached" if reading.cached else "gateway"
        return [reading.tag, decimal_text(reading.value, facts.decimals), reading.quality_word, age, source]

    def sheet(self) -> Sheet:
        return Sheet(_COLUMNS, self.form())

    def form(self) -> Any:
        return [
            {
                "age_seconds": None if each.age is None else round(each.age, 3),
                "cached": each.cached,
                "error": each.error or None,
                "quality": each.quality,
                "quality_word": each.quality_word,
                "source_timestamp": source_time_form(each.source_time_ns),
                "stale": each.stale_for is not None,
                "statuses": [status_form(status) for status in each.statuses],
                "tag": each.tag,
                "value": value_form(each.value),
            }
            | fact_fields(facts)
            | {"written_seconds_ago": None if each.written_for is None else round(each.written_for, 3)}
            for each, facts in zip(self.readings, self.facts, strict=True)
        ]


def _check_read(positional: Sequence[Any], options: dict[str, Any]) -> None:
    if not positional and not options.get("bad"):
        raise ShellError("a tag is missing: read TAG… reads it; read --bad alone looks at all items")


@command(
    "read",
    example="read Plant.Tank1.Level Plant.Pump1.Running",
    check=_check_read,
    traits=CommandTraits(reads_plant=True),
)
async def read(
    context: Context,
    *tags: Annotated[list[Target] | Token | None, Watchable(across=True)],
    bad: FlagOption = False,
    fresh: FlagOption = False,
    for_: Annotated[float | None, Duration(most=3600.0, because="the gateway gives no tag longer")] = None,
    server: ServerOption = None,
) -> Result:
    """Read values once: advised tags from the cache with their age, others from the gateway.

    *cached* marks a value from the cache. --fresh asks the gateway for all tags; for an advised item it answers
    with the last change it has. --for is the gateway's time for each tag (30 s). Reading adds no items.

    --bad shows only what is not good, with the reason: bad, uncertain, stale, or not read. Without tags it looks at all
    items. plantB:TAG is a tag of the open connection plantB.
    """
    if not (tags or context.items):
        raise ShellError("there are no items: read --bad TAG… names what to look at")
    word = Token("", 0, 0)
    targets = (
        await targets_of(context, tags, across=True)
        if tags
        else [Target(item.tag, item, word) for item in context.items]
    )
    answers = {
        group[0].connection: iter(await _read_there(there, group, server, for_ or 30.0, fresh))
        for there, group in by_connection(context, targets)
    }
    found = [(target, next(answers[target.connection])) for target in targets]
    shown = [(target, reading) for target, reading in found if not bad or _is_doubtful(reading)]
    known = {
        name: on(context, name).connected.facts for name in dict.fromkeys(target.connection for target, _ in shown)
    }
    for name, facts in known.items():
        wanted = [reading.tag for target, reading in shown if target.connection == name and not reading.error]
        await facts.soon(wanted, _TEXTS_SECONDS)
    return Readings(
        [replace(each, tag=f"{of.connection}:{each.tag}") if of.connection else each for of, each in shown],
        [known[of.connection].seen(each.tag, each.value) for of, each in shown],
        len(found) if bad else None,
        is_one=not bad and is_one_tag(context, tags),
    )


async def _read_there(
    context: Context, targets: Sequence[Target], server: int | None, timeout: float, fresh: bool
) -> list["Reading"]:
    """Read tags of one connection."""
    if not context.servers:
        await context.server_for(None)
    # The value of a write that just ended is still on its way.
    await shown_writes(context.live_session, [target.item for target in targets if target.item])
    readings = await _read(context.live_session, targets, server, timeout, fresh)
    arrays = [index for index, reading in enumerate(readings) if is_bare_array(reading)]
    if arrays:
        # The gateway adds the brackets of a whole array where an item is added, not where a tag is read.
        whole = [targets[index]._replace(tag=f"{targets[index].tag}[]") for index in arrays]
        for index, reading in zip(
            arrays, await _read(context.live_session, whole, server, timeout, fresh), strict=True
        ):
            readings[index] = replace(reading, tag=targets[index].tag)
    return readings


def _is_doubtful(reading: "Reading") -> bool:
    return bool(reading.error) or reading.quality_word != "good" or reading.stale_for is not None


async def _read(
    live: "LiveSession", targets: Sequence[Target], server: int | None, timeout: float, fresh: bool
) -> list["Reading"]:
    """Read each target through the server of its item, else through that server or the first one."""
    by_server: dict[int | None, list[int]] = {}
    for index, target in enumerate(targets):
        by_server.setdefault(target.item.server_handle if target.item else server, []).append(index)
    readings: dict[int, Reading] = {}
    for handle, places in by_server.items():
        found = await live.read([targets[place].tag for place in places], handle, timeout=timeout, fresh=fresh)
        readings |= zip(places, found, strict=True)
    return [readings[index] for index in range(len(targets))]


@dataclass(frozen=True, slots=True)
class TagHistory:
    """Samples of one tag, as rows."""

    tag: str
    seen: ItemHistory
    entries: Sequence[tuple[float, Sample | SampleMark]]
    """With monotonic seconds, oldest first."""
    facts: TagFacts = NOTHING_KNOWN
    exit_code: ExitCode = ExitCode.DONE
    newest_last: ClassVar[bool] = True

    @property
    def value(self) -> Any:
        return [entry.value for entry in self.returned]

    @property
    def returned(self) -> list[Sample]:
        """The samples, with their quality."""
        return [entry for _, entry in self.entries if isinstance(entry, Sample)]

    def lines(self) -> list[str]:
        rows = [[clock_text(at), *_cells(entry, self.facts)] for at, entry in self.entries]
        shown = sum(isinstance(entry, Sample) for _, entry in self.entries)
        known = self.seen.known
        summary = f"{shown} of " if shown < known else ""
        summary += f"{counted(known, 'change')} seen since {time_of_day(moment(self.seen.since))}"
        if self.seen.forgotten:
            summary += f", {self.seen.forgotten} older ones were dropped"
        summary += f" (kept: the newest {LIMIT // 1_000_000} MB of all tags together)"
        if described := description_of(self.facts):
            summary += f"; {described}"
        return [*(table_lines(("time", "value", "quality", "note"), rows) if rows else []), f"  {safe(summary)}"]

    def sheet(self) -> Sheet:
        rows = [{"tag": self.tag, **_record(at, entry)} for at, entry in self.entries]
        forgotten = f"{self.seen.forgotten} older changes were dropped"
        return Sheet(("tag", *_SAMPLE_COLUMNS), rows, [forgotten] if self.seen.forgotten else [])

    def form(self) -> Any:
        return {
            "forgotten": self.seen.forgotten,
            "samples": [_record(at, entry) for at, entry in self.entries],
            "seen": self.seen.known,
            "since": time_text(moment(self.seen.since)),
            "tag": self.tag,
            **fact_fields(self.facts),
        }


def _cells(entry: Sample | SampleMark, facts: TagFacts) -> list[str]:
    if isinstance(entry, SampleMark):
        return ["───", "", entry.text]
    failed = first_failed(entry.event.statuses)
    notes = ["read again" if was_read_again(entry.event) else "", str(failed) if failed else ""]
    return [shown_value(entry.value, facts), quality_word(entry.quality), ", ".join(filter(None, notes))]


def _record(at: float, entry: Sample | SampleMark) -> dict[str, Any]:
    empty = dict.fromkeys(_SAMPLE_COLUMNS)
    if isinstance(entry, SampleMark):
        mark = {"kind": entry.kind, "lost": entry.lost, "note": entry.text, "received": time_text(moment(at))}
        return empty | {"statuses": []} | mark
    return empty | {
        "kind": "read" if was_read_again(entry.event) else "sample",
        "quality": entry.quality,
        "quality_word": quality_word(entry.quality),
        "received": time_text(moment(at)),
        "source_timestamp": source_time_form(entry.source_time_ns),
        "statuses": [status_form(status) for status in entry.event.statuses],
        "value": value_form(entry.value),
    }


class LimitNumbers(ArgumentType):
    """One number or several, with commas between them."""

    name = "number"

    def parse(self, word: Token, context: Scope) -> tuple[float, ...]:
        texts = word.value.split(",")
        if not all(_NUMBER.fullmatch(text) and math.isfinite(float(text)) for text in texts):
            raise word.mistake("a number is expected, or several with commas between them: 20,80")
        return tuple(dict.fromkeys(map(float, texts)))


class PictureFile(FileName):
    """A file for a picture, whose name says of which kind."""

    def parse(self, word: Token, context: Scope) -> str:
        file = super().parse(word, context)
        if Path(file).suffix.lower() not in SUFFIXES:
            raise word.mistake(f"a file is expected whose name ends with {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
        return file

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return new_files(prefix, SUFFIXES, "trend")


_NEEDS_AN_END = "without a screen to redraw, a trend needs an end: --for 30s"


def _unending(given: Collection[str]) -> str:
    return "" if "for_" in given else _NEEDS_AN_END


def _picture(invocation: ParsedArguments) -> str | None:
    return invocation.options.get("save")


@command(
    "trend",
    example="trend Plant.Tank1.Level --for 1s",
    unending=_unending,
    traits=CommandTraits(advises=named_targets, new_file=_picture),
)
async def trend(
    context: Context,
    *tags: Annotated[list[Target] | Token, Watchable(across=True)],
    for_: DurationOption = None,
    span: DurationOption = None,
    limit: Annotated[tuple[float, ...] | None, LimitNumbers()] = None,
    range_: FlagOption = False,
    apart: FlagOption = False,
    save: Annotated[str | None, PictureFile()] = None,
    above: FlagOption = False,
    server: ServerOption = None,
) -> Result | Feed:
    """Draw tags over time in one picture: at the prompt until Ctrl-C, in a file one picture at the end.

    The picture shows the last minute, or --span 10m, as far as this shell has seen it; in a file it shows the time
    of --for. Numbers of the same unit share a chart, where letters tell their lines apart; --apart gives each tag its
    own. --limit 80, or 20,80, draws lines in the first chart; limits of a tag's own alarms are drawn where they are in
    view. The axis has round numbers around the values; --range gives it the range of the tags, TAG.RangeLo to
    TAG.RangeHi, as far as it is known.

    At the prompt arrows, PgUp and PgDn move and zoom, Home and End go to the ends, Tab brings the limits of alarms into
    view. --above leaves the picture above the prompt until unwatch: write, and see the response. --save FILE.svg, .png
    or .csv writes the last picture, or its values, into a new file.

    A value is drawn until the next one comes. Unknown times stay empty. A doubtful value has a broken line, and a mark
    under the chart gives the reason: ? uncertain, ! bad, ~ stale, x a gap.
    """
    if for_ is None and not context.has_screen:
        raise ShellError(_NEEDS_AN_END)
    if above and (for_ is not None or save is not None):
        raise ShellError("--above has no end and saves nothing: leave out --for and --save")
    file = None if save is None else Path(save)
    if file is not None and file.exists():
        raise exists(file)
    if file is not None and not file.parent.is_dir():
        raise ShellError(f"cannot write {file}: there is no folder {file.parent}")
    targets = await targets_of(context, tags, server, across=True)
    if len(targets) > MOST_TAGS:
        raise ShellError(f"{len(targets)} tags are too many for one picture: at most {MOST_TAGS}")
    items = [
        TrendItem(there.connected, item, bool(group[0].connection))
        for there, group in by_connection(context, targets)
        for item in await ensure(there, group, server)
    ]
    for item in items:
        value = item.connected.live.latest(*item.item.key)
        if value is not None and value.value is not None and not isinstance(value.value, int | float):
            raise ShellError(
                f"{item.tag} is neither a number nor a Boolean: {value_text(value.value)[:40]}; watch shows it"
            )
    seconds = span or (_SPAN if context.has_screen or for_ is None else for_)
    limits = [Limit(value, "limit") for value in limit or ()]
    made = Trend(items, TrendView(seconds), for_, limits, apart, range_, file)
    if not above:
        return made
    context.connected.trend = made
    await made.learn()
    return TextResult("", {"above": [item.tag for item in items]})


def newest_entries(seen: ItemHistory, last: float | None, count: int) -> list[tuple[float, Sample | SampleMark]]:
    """Return the newest samples, at most `count`, with the marks among them; only of the `last` seconds if given."""
    earliest = float("-inf") if last is None else clock.monotonic() - last
    entries = [entry for entry in seen.entries() if entry[0] >= earliest]
    samples = [index for index, (_, entry) in enumerate(entries) if isinstance(entry, Sample)]
    return entries[samples[-count] :] if len(samples) > count else entries


@command("history", example="history Plant.Tank1.Level")
async def history(
    context: Context, tag: TargetArgument, *, last: DurationOption = None, count: CountOption = None
) -> Result:
    """Show the changes of a tag since this shell connected, with quality, gaps and doubt.

    History covers only advised tags: watch, advise or trend advises one. --last 5m shows the last five minutes,
    --count 200 that many changes (50). History is in memory: 64 MB for all tags together, some 200,000 changes.
    Beyond that the oldest changes of the busiest tags are dropped, and history says how many.
    """
    if tag.item is None:
        raise ShellError(f"no samples of {tag.tag} yet: watch {tag.tag} starts them")
    seen = context.connected.history.of(tag.item.key)
    entries = newest_entries(seen, last, count or _SHOWN)
    facts = context.connected.facts
    facts.want([tag.item.tag])
    values = [entry.value for _, entry in entries if isinstance(entry, Sample)]
    return TagHistory(tag.item.tag, seen, entries, facts.seen(tag.item.tag, *values))


COMMANDS = (read, trend, history)
