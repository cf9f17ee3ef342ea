"""watch, unwatch, watches, list."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal as OneOf

from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.items import ensure
from zb_mom_ww_mxgateway_shell.feeds.watch import Watch
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import (
    Watchable,
    by_connection,
    is_glob,
    matching,
    targets_of,
    watch_list,
)
from zb_mom_ww_mxgateway_shell.language.argument_types import (
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
from zb_mom_ww_mxgateway_shell.language.target_types import (
    ItemOrTag,
    ServerOption,
    Tag,
    Target,
    full_address,
    named_targets,
    on_connection,
    tag_text,
)
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.output.value_text import VALUE_COLUMNS
from zb_mom_ww_mxgateway_shell.output.watch_results import FullScreen, watch_fields, watch_sheet, watch_values
from zb_mom_ww_mxgateway_shell.output.watch_table import WatchTable, full_table, row_reasons
from zb_mom_ww_mxgateway_shell.output.watch_view import WatchedItem
from zb_mom_ww_mxgateway_shell.state.bound_context import on
from zb_mom_ww_mxgateway_shell.state.confirmation import agreed_to_replace
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists, tags_of_object_viewer
from zb_mom_ww_mxgateway_shell.state.watched_connections import tables_in_view, watch_view

_ACTIONS = ("show", "save", "load", "delete", "import")


class ListName(Text):
    """Name of a list of tags."""

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in context_of(context).lists.names() if each.startswith(prefix)]


class ListedTag(Tag):
    """The address of a tag, or a glob over those of the galaxy, which its command matches."""

    name = "tag|glob"

    def parse(self, word: Token, context: Scope) -> str | Token:  # type: ignore[override]  # what `tags` is declared as
        return word if is_glob(word) else super().parse(word, context)

    def script_text(self, word: Token, context: Scope) -> str:
        return full_address(word, context) if is_glob(word) else super().script_text(word, context)


class WatchedTarget(ItemOrTag):
    """An item or its tag, also one of another connection."""

    def parse(self, word: Token, context: Scope) -> Target:
        name, rest = on_connection(word, context)
        if not name:
            return super().parse(word, context)
        return super().parse(rest, on(context_of(context), name))._replace(connection=name)

    def script_text(self, word: Token, context: Scope) -> str:
        name, rest = on_connection(word, context)
        if not name:
            return super().script_text(word, context)
        return f"{name}:{super().script_text(rest, on(context_of(context), name))}"

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        others = [table for table, is_current in tables_in_view(context_of(context)) if not is_current]
        named = [f"{table.name}:{tag_text(item.tag)}" for table in others for item in table.named_items]
        there = [Suggestion(label) for label in named if label.startswith(prefix)]
        return [*there, *super().suggestions(prefix, context)]


def _unending(given: Collection[str]) -> str:
    return "" if {"for_", "count"} & set(given) else "a watch in a file needs an end: --for 5s or --count 3"


@command(
    "watch",
    example="watch Plant.Tank1.Level --count 3",
    stream=False,
    unending=_unending,
    traits=CommandTraits(recorded_end=("--count", "1"), advises=named_targets),
)
async def watch(
    context: Context,
    *tags: Annotated[list[Target] | Token | None, Watchable(across=True)],
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

    plantB:TAG is a tag of the open connection plantB, whichever is current. It stays in view after use, too.
    """
    view = watch_view(context)
    is_endless = for_ is None and count is None
    targets = await targets_of(context, tags, server, across=True)
    if not targets and not (full and len(view)):
        raise ShellError("nothing is watched: watch TAG… names what to watch")
    keeps = is_endless and context.has_screen
    tables: list[WatchTable] = []
    added: list[WatchedItem] = []
    for there, group in by_connection(context, targets):
        connected = there.connected
        table = connected.panel
        if not keeps:
            table = WatchTable(connected.live, connected.history, connected.facts, connected.name)
        items = await ensure(there, group, server)
        table.add(items, named=bool(group[0].connection))
        tables.append(table)
        added += [WatchedItem(table, item) for item in items]
    if not keeps:
        return Watch(tables, for_, count)
    if full:
        return FullScreen(view, f"watching {counted(len(view), 'item')}")
    return TextResult("", watch_fields(view), watch_values(view, added), rows=watch_sheet(view))


@command("unwatch", example="unwatch")
async def unwatch(context: Context, *items: Annotated[Target | None, WatchedTarget(may_add=False)]) -> Result:
    """Remove items from the watch above the prompt; without an argument all, and the trend. They stay advised.

    plantB:TAG is one that was watched on the open connection plantB.
    """
    connected = context.connected
    if items:
        found = [(on(context, each.connection), each) for each in items if each]
        gone = sum(there.connected.panel.remove([each.item]) for there, each in found if each.item)
    else:
        gone = sum(table.remove(None if whole else table.named_items) for table, whole in tables_in_view(context))
    if not items and connected.trend is not None:
        connected.trend = None
        text = f"the trend is gone{f', and {gone} no longer watched' if gone else ''}"
    else:
        text = f"{gone} no longer watched" if gone else "none of these was watched"
    return TextResult(text, {"unwatched": gone})


@command("watches", example="watches")
async def watches(context: Context) -> Result:
    """List the watched tags with their present values."""
    panel = watch_view(context)
    _ = context.connected
    items = panel.items
    rows = panel.rows(items)
    headings, cells = full_table(rows)
    return Table(
        tuple(headings),
        cells,
        [panel.record(item) for item in items],
        empty="nothing is watched; watch TAG… starts a watch",
        notes=row_reasons(rows),
        columns=VALUE_COLUMNS,
    )


@command("list", example="list save tank Plant.Tank1.Level Plant.Tank1.Inlet.Position", needs_session=False)
async def list_(
    context: Context,
    action: Annotated[OneOf["show", "save", "load", "delete", "import"] | None, OneWord("action", _ACTIONS)] = None,
    name: Annotated[str | None, ListName("name")] = None,
    *tags: Annotated[str | Token | None, ListedTag()],
    file: Annotated[str | None, Text("file")] = None,
) -> Result:
    """Manage named lists of tags: list save NAME [TAG…], list load NAME, list show [NAME], list delete NAME.

    Without tags, save takes the watched ones of the current connection; a glob stands for the tags that match it
    now. load watches the tags of a list, as `watch NAME` does. list import NAME --file FILE.xml reads a watch list
    saved by Object Viewer. A list of the same name is replaced if you agree; without a terminal --yes agrees.
    """
    lists = context.lists
    if action is None or (action == "show" and name is None):
        return _list_table(lists)
    if name is None:
        raise ShellError(f"list {action} needs a name")
    if action == "show":
        kept = lists.load(name)
        return Table(("tag",), [[tag] for tag in kept], [{"tag": tag} for tag in kept], kept, columns=("tag",))
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
        kept = await _named(context, tags) or [item.tag for item in context.connected.panel.items]
        if not kept:
            raise ShellError(f"nothing is watched on {context.name}: list save {name} TAG… names the tags")
        if not tags and (others := [each.tag for each in watch_view(context).items if not each.is_current]):
            context.notice(f"of other connections, so not in the list: {', '.join(others)}")
    if lists.replaces(name, kept):
        await agreed_to_replace(context, f"the list {name}")
    path = lists.save(name, kept)
    unknown = [tag for tag in kept if context.catalogue.misses(tag)]
    if unknown:
        context.notice(f"the galaxy lists no {', '.join(unknown[:3])}{' …' if len(unknown) > 3 else ''}")
    return TextResult(f"list {name}: {counted(len(kept), 'tag')}, in {path}", {"name": name, "tags": kept}, kept)


async def _named(context: Context, tags: Sequence[str | Token | None]) -> list[str]:
    """Return the tags without repetition, each glob as the tags that match it."""
    found = [
        [each.tag for each in await matching(context, tag)] if isinstance(tag, Token) else [tag] for tag in tags if tag
    ]
    return list({tag_key(tag): tag for group in found for tag in group}.values())


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
    empty = "no lists; list save NAME saves the watched tags"
    return ListTable(("list", "tags"), rows, records, empty=empty, columns=("name", "problem", "tags"))


class ListTable(Table):
    """Table of lists; its exit code reports a list that cannot be read."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.NOT_MET if any(record["problem"] for record in self.records) else ExitCode.DONE


COMMANDS = (watch, unwatch, watches, list_)
