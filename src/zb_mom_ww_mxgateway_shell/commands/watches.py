"""watch, unwatch, watches, list."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal as OneOf

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.commands.values import ensure
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.watch import Watch
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    ArgumentType,
    CountOption,
    DurationOption,
    FlagOption,
    OneWord,
    Suggestion,
    Text,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import ItemOrTag, ServerOption, Tag, Target, full_address
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import literal_text
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.output.value_text import value_record
from zb_mom_ww_mxgateway_shell.output.watch_table import COLUMNS, WatchTable
from zb_mom_ww_mxgateway_shell.state.context import FIRST_VALUE_TIMEOUT, Context, context_of
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists, tags_of_object_viewer

_GLOB_LIMIT = 500
_ACTIONS = ("show", "save", "load", "delete", "import")
_TARGET = ItemOrTag(may_add=True)


class Watchable(ArgumentType):
    """An item or a tag, a glob over the galaxy's tags, or the name of a list."""

    name = "tag|item|glob|list"
    _server: int | None = None
    _target: ItemOrTag = _TARGET

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        server = given.get("server")
        if server is None:
            return self
        kind = copy(self)
        kind._server, kind._target = server, ItemOrTag(may_add=True, server=server)
        return kind

    def parse(self, word: Token, context: Scope) -> list[Target] | Token:
        if not word.is_quoted and any(mark in word.text for mark in "*?"):
            # The command matches it later: the galaxy may not have been read yet.
            return word
        if _is_list(word, context_of(context)):
            return [
                Target(tag, context.find_item(tag, self._server), word)
                for tag in context_of(context).lists.load(word.text)
            ]
        return [self._target.parse(word, context)]

    def check(self, word: Token, context: Scope) -> None:
        _TARGET.check(word, context)

    def script_text(self, word: Token, context: Scope) -> str:
        if isinstance(self.parse(word, context), Token):
            return full_address(word, context)
        if _is_list(word, context_of(context)):
            # The place where the file runs may have no such list, or another one.
            return " ".join(map(literal_text, context_of(context).lists.load(word.text)))
        return self._target.script_text(word, context)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        lists = [
            Suggestion(name, "list") for name in context_of(context).lists.names() if prefix and name.startswith(prefix)
        ]
        return [*lists, *_TARGET.suggestions(prefix, context)]


def _is_list(word: Token, context: Context) -> bool:
    return "." not in word.text and word.text in context.lists.names()


class ListName(Text):
    """Name of a list of tags."""

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in context_of(context).lists.names() if each.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class FullScreen:
    """A watch that fills the screen; a line of text where there is no screen."""

    panel: WatchTable
    text: str
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return _values(self.panel, self.panel.items)

    def lines(self) -> list[str]:
        return [self.text]

    def form(self) -> Any:
        return _fields(self.panel)


def _unending(given: Collection[str]) -> str:
    return "" if {"for_", "count"} & set(given) else "a watch in a file needs an end: --for 5s or --count 3"


@command(
    "watch",
    example="watch Plant.Tank1.Level --count 3",
    stream=False,
    unending=_unending,
    traits=CommandTraits(recorded_end=("--count", "1")),
)
async def watch(
    context: Context,
    *tags: Annotated[list[Target] | Token | None, Watchable()],
    for_: DurationOption = None,
    count: CountOption = None,
    full: FlagOption = False,
    server: ServerOption = None,
) -> Result | Feed:
    """Show values as they change: above the prompt, for a time, for a number of samples, or full screen.

    Missing tags are registered, added and advised. A glob such as Plant.Tank*.Level stands for all tags it matches,
    the name of a saved list for its tags. At the prompt the values stay above it until unwatch. --full fills the
    screen with everything watched and shows its keys. With --for or --count, and in files, each change is a line.
    Every value has its quality and its age.
    """
    panel = context.connected.panel
    is_endless = for_ is None and count is None
    targets = await targets_of(context, tags, server)
    if not targets and not (full and len(panel)):
        raise ShellError("nothing is watched: watch TAG… names what to watch")
    items = await ensure(context, targets, server) if targets else []
    if not is_endless or not context.has_screen:
        return Watch(context.live_session, context.connected.history, items, for_, count)
    panel.add(items)
    if full:
        return FullScreen(panel, f"watching {counted(len(panel), 'item')}")
    return TextResult("", _fields(panel), _values(panel, items))


async def targets_of(
    context: Context, groups: Sequence[list[Target] | Token | None], server: int | None = None
) -> list[Target]:
    """Return the targets of Watchable arguments, without repetition."""
    found = [await matching(context, group, server) if isinstance(group, Token) else group or [] for group in groups]
    targets = [target for group in found for target in group]
    return list({target.item.key if target.item else tag_key(target.tag): target for target in targets}.values())


async def matching(context: Context, pattern: Token, server: int | None = None) -> list[Target]:
    """Return the tags of the galaxy that match a glob, with their items on that server, or on any.

    Raises Mistake if there are none or too many.
    """
    connected = context.connected
    connected.catalogue.start(connected.client)
    await connected.catalogue.loaded(FIRST_VALUE_TIMEOUT)
    found = await connected.catalogue.matching(full_address(pattern, context), _GLOB_LIMIT + 1)
    if not found:
        unread = "" if connected.catalogue.is_complete else " (the galaxy could not be read to its end)"
        raise pattern.mistake(f"no tag matches {pattern.text}{unread}")
    if len(found) > _GLOB_LIMIT:
        raise pattern.mistake(f"{pattern.text} matches more than {_GLOB_LIMIT} tags: narrow it down")
    return [Target(tag, context.find_item(tag, server), pattern) for tag in found]


@command("unwatch", example="unwatch")
async def unwatch(context: Context, *items: Annotated[Target | None, ItemOrTag(may_add=False)]) -> Result:
    """Remove items from the watch above the prompt, all of them without an argument. They stay advised."""
    gone = context.connected.panel.remove([each.item for each in items if each and each.item] if items else None)
    return TextResult(f"{gone} no longer watched" if gone else "none of these was watched", {"unwatched": gone})


@command("watches", example="watches")
async def watches(context: Context) -> Result:
    """List the watched tags with their present values."""
    panel = context.connected.panel
    items = panel.items
    return Table(
        COLUMNS,
        [row.cells for row in panel.rows(items)],
        [value_record(item, panel.value(item), panel.unseen_write(item)) for item in items],
        empty="nothing is watched; watch TAG… starts a watch",
    )


@command("list", example="list save tank Plant.Tank1.Level Plant.Tank1.Inlet.Position", needs_session=False)
async def list_(
    context: Context,
    action: Annotated[OneOf["show", "save", "load", "delete", "import"] | None, OneWord("action", _ACTIONS)] = None,
    name: Annotated[str | None, ListName("name")] = None,
    *tags: Annotated[str | None, Tag()],
    file: Annotated[str | None, Text("file")] = None,
) -> Result:
    """Manage named lists of tags: list save NAME [TAG…], list load NAME, list show [NAME], list delete NAME.

    Without tags, save takes the watched ones. load watches the tags of a list, as `watch NAME` does. list import
    NAME --file FILE.xml reads a watch list saved by Object Viewer.
    """
    lists = context.lists
    if action is None or (action == "show" and name is None):
        return _list_table(lists)
    if name is None:
        raise ShellError(f"list {action} needs a name")
    if action == "show":
        kept = lists.load(name)
        return Table(("tag",), [[tag] for tag in kept], [{"tag": tag} for tag in kept], kept)
    if action == "delete":
        lists.delete(name)
        return TextResult(f"list {name} deleted", {"deleted": name})
    if action == "load":
        return await watch_list(context, name)
    if action == "import":
        if file is None:
            raise ShellError("list import needs --file FILE.xml, as Object Viewer saves it")
        kept = await asyncio.to_thread(tags_of_object_viewer, Path(file))
    else:
        kept = [tag for tag in tags if tag] or [item.tag for item in context.connected.panel.items]
        if not kept:
            raise ShellError(f"nothing is watched: list save {name} TAG… names the tags")
    path = lists.save(name, kept)
    unknown = [tag for tag in kept if context.catalogue.misses(tag)]
    if unknown:
        context.notice(f"the galaxy lists no {', '.join(unknown[:3])}{' …' if len(unknown) > 3 else ''}")
    return TextResult(f"list {name}: {counted(len(kept), 'tag')}, in {path}", {"name": name, "tags": kept}, kept)


def _list_table(lists: WatchLists) -> Result:
    rows: list[list[str]] = []
    records: list[dict[str, Any]] = []
    for name in lists.names():
        try:
            tags = lists.load(name)
        except ShellError as error:
            rows.append([name, str(error)])
            records.append({"name": name, "problem": str(error), "tags": None})
        else:
            rows.append([name, str(len(tags))])
            records.append({"name": name, "problem": None, "tags": tags})
    return ListTable(("list", "tags"), rows, records, empty="no lists; list save NAME saves the watched tags")


class ListTable(Table):
    """Table of lists; its exit code reports a list that cannot be read."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.NOT_MET if any(record["problem"] for record in self.records) else ExitCode.DONE


async def watch_list(context: Context, name: str) -> Result:
    """Watch the tags of a saved list."""
    tags = context.lists.load(name)
    panel = context.connected.panel
    _ = context.live_session
    word = Token(name, 0, len(name))
    items = await ensure(context, [Target(tag, context.find_item(tag), word) for tag in tags], None)
    panel.add(items)
    return TextResult(f"list {name}: watching {counted(len(items), 'item')}", _fields(panel), _values(panel, items))


def _fields(panel: WatchTable) -> dict[str, Any]:
    return {"items": [value_record(item, panel.value(item), panel.unseen_write(item)) for item in panel.items]}


def _values(panel: WatchTable, items: Sequence[Item]) -> list[Any]:
    return [(held := panel.value(item)) and held.value for item in items]


COMMANDS = (watch, unwatch, watches, list_)
