"""events, record."""

import functools
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.models.events import EventFamily, MxEvent
from zb_mom_ww_mxgateway.recordings.columns import Format, format_of
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.event_forms import EVENT_COLUMNS, event_form, event_text, reading_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.items import ensure
from zb_mom_ww_mxgateway_shell.feeds.paced import PacedFeed
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import Watchable, targets_of
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    ArgumentType,
    CountOption,
    DurationOption,
    FlagOption,
    OneWord,
    Suggestion,
    Text,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import ItemOrTag, ServerOption, Target, full_address, named_targets
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.samples.recorder import RunningRecording
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession

_WAITING = 10_000
_ITEM = ItemOrTag(may_add=False)
_FAMILIES = {
    family.name.removeprefix("ON_").replace("_", "-").casefold(): family
    for family in EventFamily
    if family is not EventFamily.UNSPECIFIED
}


class ItemOrGlob(ArgumentType):
    """An added item, or a glob over the tags of items."""

    name = "tag|item|glob"

    def check(self, word: Token, context: Scope) -> None:
        if not _is_glob(word):
            _ITEM.check(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> Target | Token:
        return word if _is_glob(word) else _ITEM.parse_ahead(word, context)

    def parse(self, word: Token, context: Scope) -> Target | Token:
        return word if _is_glob(word) else _ITEM.parse(word, context)

    def script_text(self, word: Token, context: Scope) -> str:
        if isinstance(self.parse(word, context), Token):
            return full_address(word, context)
        return _ITEM.script_text(word, context)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return _ITEM.suggestions(prefix, context)


def _is_glob(word: Token) -> bool:
    return not word.is_quoted and any(mark in word.text for mark in "*?")


class EventFamilyName(ArgumentType):
    """A family of events, by its name without ``ON_``."""

    name = "family"

    def parse(self, word: Token, context: Scope) -> EventFamily:
        found = _FAMILIES.get(word.value.casefold())
        if found is None:
            raise word.mistake(f"one of {', '.join(_FAMILIES)} is expected")
        return found

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(word) for word in _FAMILIES if word.startswith(prefix)]


def _unending(given: Collection[str]) -> str:
    return "" if {"for_", "count"} & set(given) else "events in a file need an end: --for 5s or --count 3"


@command("events", example="events --for 1s", unending=_unending)
async def events(
    context: Context,
    *tags: Annotated[Target | Token | None, ItemOrGlob()],
    family: Annotated[EventFamily | None, EventFamilyName()] = None,
    for_: DurationOption = None,
    count: CountOption = None,
) -> Feed:
    """Show the session's events as they come, of all items or some: events [TAG…|GLOB].

    --family takes one kind: data-change, write-complete, buffered-data-change and so on; gaps are always shown. It
    ends with Ctrl-C, --for 5s or --count 10. All commands share the session's one event stream. At the prompt,
    events that come too fast to read are counted instead of shown. Events that come too fast to process are
    dropped, and a line says how many.
    """
    live = context.live_session
    wanted = functools.partial(_wants, live, family, *_names(context, tags))
    stream = live.subscribe(wanted, queue_size=_WAITING)
    return PacedFeed(
        what="events",
        batches=stream.batch,
        text=functools.partial(_text, live),
        form=functools.partial(_form, live),
        dropped=lambda: stream.dropped,
        close=stream.aclose,
        columns=(*EVENT_COLUMNS, "tag"),
        duration=for_,
        count=count,
        is_paced=context.is_typed,
    )


def _names(context: Context, tags: Sequence[Target | Token | None]) -> tuple[frozenset[tuple[int, int]], list[str]]:
    keys = frozenset(tag.item.key for tag in tags if isinstance(tag, Target) and tag.item)
    return keys, [tag_key(full_address(tag, context)) for tag in tags if isinstance(tag, Token)]


def _wants(
    live: "LiveSession",
    family: EventFamily | None,
    keys: frozenset[tuple[int, int]],
    globs: list[str],
    event: MxEvent,
) -> bool:
    if event.replay_gap is not None:
        return True
    if family is not None and event.family != family:
        return False
    if not (keys or globs) or (event.server_handle, event.item_handle) in keys:
        return True
    tag = tag_key(_tag(live, event))
    return any(fnmatchcase(tag, glob) for glob in globs)


def _tag(live: "LiveSession", event: MxEvent) -> str:
    item = live.session.handles.items.get((event.server_handle, event.item_handle))
    return event.tag or (item.tag if item else "")


def _text(live: "LiveSession", event: MxEvent) -> str:
    if event.replay_gap is not None:
        return safe(event_text(event))
    name = name_of(event.family).removeprefix("ON_").replace("_", "-").lower()
    return safe(f"{event.worker_sequence:>8}  {name:<14}  {_tag(live, event)}  {reading_text(event)}".rstrip())


def _form(live: "LiveSession", event: MxEvent) -> dict[str, Any]:
    return event_form(event) | {"tag": _tag(live, event)}


_STOP = "stop"


class FileOrStop(Text):
    """A file to write, or the word stop."""

    def __init__(self) -> None:
        super().__init__("file|stop")

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        current = context_of(context).current
        is_any = current is not None and bool(current.recording)
        return [Suggestion(_STOP, "ends recordings")] if _STOP.startswith(prefix) and is_any else []


class RecordingName(ArgumentType):
    """The file of a recording, as the word that names it."""

    name = "file"

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        current = context_of(context).current
        running = current.recording if current else ()
        return [Suggestion(str(each.path), "recording") for each in running if str(each.path).startswith(prefix)]

    def parse(self, word: Token, context: Scope) -> Token:
        return word


class Recorded(Watchable):
    """Tags to record; after stop, the file of a recording."""

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        return RecordingName() if given.get("file") == _STOP else super().refined_by(given, context)


def _check_format(positional: Sequence[Any], options: dict[str, Any]) -> None:
    file = positional[0] if positional else None
    if file not in (None, _STOP) and options.get("format") is None and format_of(Path(file).suffix) is None:
        raise ShellError(f"the format of {file} is unknown: name it .csv, .jsonl or .parquet, or add --format csv")


def _recording(invocation: ParsedArguments) -> str | None:
    file = invocation.positional[0] if invocation.positional else None
    return None if file == _STOP or invocation.options.get("append") else file


@command(
    "record",
    example="record tank.csv Plant.Tank1.Level",
    check=_check_format,
    in_plan=False,
    traits=CommandTraits(advises=named_targets, new_file=_recording),
)
async def record(
    context: Context,
    file: Annotated[str | None, FileOrStop()] = None,
    *tags: Annotated[list[Target] | Token | None, Recorded()],
    format: Annotated[Format | None, OneWord("format", ("csv", "jsonl", "parquet"))] = None,
    append: FlagOption = False,
    csv_raw: FlagOption = False,
    server: ServerOption = None,
) -> Result:
    """Write every sample to a file while the shell goes on: record FILE [TAG…]; record stop [FILE…] ends it.

    Without tags it takes everything that is advised, now and later. The file's ending sets the format, .csv, .jsonl or
    .parquet, or --format does. Nothing is left out: lost events give a row of kind gap, values in doubt one of kind
    stale, and values read again after a loss are of kind read. The file is written ten times a second. It ends with
    a row of kind stop, also when the shell exits.

    Up to 500,000 samples wait for a slow disk; beyond that the oldest are dropped, and a row says so. An existing
    file is not overwritten: --append adds to a recording with the same columns, and turns a row that was cut off
    into one of kind torn. In CSV a text that a spreadsheet would take for a formula gets an apostrophe in front,
    unless --csv-raw. Several recordings may run; record lists them. In JSON lost is a lower bound: no number tells
    what was lost with a session.

    Parquet needs the extra parquet. FILE.parquet is there once the recording has ended; until then, and after a crash,
    its rows are in the folder FILE.parquet.parts, from which --append continues and read_recording of Python reads.
    """
    connected = context.connected
    if file is None:
        return _recording_table(list(connected.recordings.values()))
    if file == _STOP:
        return await _stop(context, [word for word in tags if isinstance(word, Token)])
    path = Path(file)
    form = format or format_of(path.suffix)
    assert form is not None
    if _is_written(context, path):
        raise ShellError(f"{file} is being recorded: record stop {file} ends it")
    items = await ensure(context, await targets_of(context, tags, server), server)
    recording = await RunningRecording.start(
        context.live_session, path, form, items, append=append, raw=csv_raw, alert=lambda text: context.alert(text)
    )
    connected.recordings[path] = recording
    what = counted(len(items), "tag") if items else f"everything that is advised ({counted(_advised(context), 'item')})"
    return TextResult(f"recording {what} to {file}", {"file": file, "format": form, "tags": recording.tags})


def _is_written(context: Context, path: Path) -> bool:
    """Return whether any connection of the shell records to this file."""
    running = [each.path for one in context.connections.values() for each in one.recording]
    return any(path.resolve() == each.resolve() for each in running)


def _advised(context: Context) -> int:
    return sum(item.advised for item in context.items)


async def _stop(context: Context, names: Sequence[Token]) -> Result:
    known = context.connected.recordings
    wanted: list[RunningRecording] = []
    for name in names:
        recording = known.get(Path(name.value))
        if recording is None:
            raise name.mistake(f"{name.value} is not being recorded; record lists what is")
        if recording not in wanted:
            wanted.append(recording)
    stopping = wanted or context.connected.recording
    for recording in stopping:
        await recording.stop()
    # Each is reported once, also one that ended by itself.
    ended = wanted or list(known.values())
    for recording in ended:
        del known[recording.path]
    return _recording_table(ended)


def _recording_table(recordings: Sequence[RunningRecording]) -> Result:
    return RecordingTable(
        ("file", "state", "samples", "lost", "tags"),
        [
            [
                str(each.path),
                "recording" if each.is_running else each.problem or "closed",
                str(each.samples),
                str(each.lost) if each.lost_is_known else f"at least {each.lost}" if each.lost else "unknown",
                str(len(each.tags) or "all"),
            ]
            for each in recordings
        ],
        [
            {
                "file": str(each.path),
                "lost": each.lost,
                "problem": each.problem or None,
                "recording": each.is_running,
                "samples": each.samples,
                "tags": each.tags,
            }
            for each in recordings
        ],
        empty="nothing is recorded; record FILE starts a recording",
        columns=("file", "lost", "problem", "recording", "samples", "tags"),
    )


class RecordingTable(Table):
    """Table of recordings; its exit code reports a recording that ended by itself."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.NOT_MET if any(record["problem"] for record in self.records) else ExitCode.DONE


COMMANDS = (events, record)
