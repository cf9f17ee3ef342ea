"""read, trend, history."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample
from zb_mom_ww_mxgateway_console.render.forms import value_text
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.items import ensure
from zb_mom_ww_mxgateway_shell.feeds.readings import READ_SECONDS, read_once
from zb_mom_ww_mxgateway_shell.feeds.trend import Trend, TrendItem
from zb_mom_ww_mxgateway_shell.feeds.trend_result import SUFFIXES
from zb_mom_ww_mxgateway_shell.feeds.trend_view import TrendView
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import Watchable, by_connection, is_one_tag, targets_of
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
from zb_mom_ww_mxgateway_shell.output.readings import Readings
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.output.trend_picture import MOST_TAGS
from zb_mom_ww_mxgateway_shell.process.regular_files import exists
from zb_mom_ww_mxgateway_shell.state.bound_context import on
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Reading

_NUMBER = re.compile(r"[+-]?(\d{1,310}(\.\d{0,30})?|\.\d{1,30})(e[+-]?\d{1,3})?", re.IGNORECASE)
_SPAN = 60.0
_TEXTS_SECONDS = 0.3
"""Most seconds that a read at a prompt waits for units and descriptions."""
_SHOWN = 50
"""Samples that history shows by default."""


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
        group[0].connection: iter(
            await read_once(
                there,
                [(target.tag, target.item) for target in group],
                server,
                timeout=for_ or READ_SECONDS,
                fresh=fresh,
            )
        )
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


def _is_doubtful(reading: "Reading") -> bool:
    return bool(reading.error) or reading.quality_word != "good" or reading.stale_for is not None


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


@command("history", example="history Plant.Tank1.Level")
async def history(
    context: Context, tag: TargetArgument, *, last: DurationOption = None, count: CountOption = None
) -> Result:
    """Show the changes of a tag since this shell connected, with quality, gaps and doubt.

    History covers only advised tags: watch, advise or trend advises one. --last 5m shows the last five minutes,
    --count 200 that many changes (50). History is in memory: 64 MB for all tags together, some 200,000 changes.
    Beyond that the oldest changes of the busiest tags are dropped, and history says how many.
    """
    from zb_mom_ww_mxgateway_shell.output.tag_history import TagHistory, newest_entries  # Lazy: read needs none.

    if tag.item is None:
        raise ShellError(f"no samples of {tag.tag} yet: watch {tag.tag} starts them")
    seen = context.connected.history.of(tag.item.key)
    entries = newest_entries(seen, last, count or _SHOWN)
    facts = context.connected.facts
    facts.want([tag.item.tag])
    values = [entry.value for _, entry in entries if isinstance(entry, Sample)]
    return TagHistory(tag.item.tag, seen, entries, facts.seen(tag.item.tag, *values))


COMMANDS = (read, trend, history)
