"""register, unregister, add-item, add-buffered, remove-item, advise, unadvise, suspend, activate, items."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayCommandError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.language.argument_types import DurationOption, FlagOption, Text
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.target_types import ItemArgument, Server, ServerOption, TagArgument, Target
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.results import Result, Sheet, Table, TextResult
from zb_mom_ww_mxgateway_shell.output.tag_texts import with_facts
from zb_mom_ww_mxgateway_shell.output.value_text import (
    VALUE_COLUMNS,
    freshness,
    reason_lines,
    reason_text,
    value_record,
    written_text,
)
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, SubscribeResult, UnseenWrite


@command("register", example="register acceptance", stream=False, traits=CommandTraits(registers=True))
async def register(context: Context, name: Annotated[str, Text("name")]) -> Result:
    """Register a client name; the result is a server handle.

    Items belong to a server handle. While there is only one, commands use it without --server.
    """
    handle = await context.session.register(name)
    return TextResult(f"server {handle}", {"client_name": name, "server_handle": handle}, handle)


@command("unregister", example="unregister 1", stream=False)
async def unregister(context: Context, server: Annotated[int | None, Server()] = None) -> Result:
    """End a registration, with all its items and user ids."""
    handle = context.default_server() if server is None else server
    items = sum(item.server_handle == handle for item in context.items)
    await context.session.unregister(handle)
    gone = f", {counted(items, 'item')} gone" if items else ""
    return TextResult(f"server {handle} unregistered{gone}", {"server_handle": handle})


ContextOption = Annotated[str | None, Text("text")]


@command("add-item", example="add-item TestChildObject.TestInt", stream=False, traits=CommandTraits(adds_items=True))
async def add_item(
    context: Context, *tags: TagArgument, context_: ContextOption = None, server: ServerOption = None
) -> Result:
    """Add items by their addresses; the result is an item handle.

    With --context the address is relative to that text, as AddItem2 of MXAccess takes it. MXAccess accepts any name.
    Whether the tag exists shows only in the first data change after advise.
    """
    handle = context.default_server() if server is None else server
    if context_ is None and len(tags) > 1:
        results = await context.session.add_item_bulk(handle, tags)
        entries = [
            _Entry(tag, handle, each.item_handle, _problem(each)) for tag, each in zip(tags, results, strict=True)
        ]
    else:
        entries = []
        for tag in tags:
            item = (
                await context.session.add_item(handle, tag)
                if context_ is None
                else await context.session.add_item2(handle, tag, context_)
            )
            entries.append(_Entry(tag if context_ is None else f"{context_}.{tag}", handle, item))
    return _added(context, entries)


@command(
    "add-buffered",
    example="add-buffered TestChildObject.TestInt --every 1s",
    stream=False,
    traits=CommandTraits(adds_items=True),
)
async def add_buffered(
    context: Context,
    *tags: TagArgument,
    every: DurationOption = None,
    context_: ContextOption = None,
    server: ServerOption = None,
) -> Result:
    """Add items whose changes come as buffered samples; advise starts them, events shows them.

    --every sets the update interval of all buffered items of the server. The gateway rounds it up to whole 100 ms,
    and delivers one sample at a time.
    """
    handle = context.default_server() if server is None else server
    if every is not None:
        await context.session.set_buffered_update_interval(handle, round(every * 1000))
    entries = []
    for tag in tags:
        item = await context.session.add_buffered_item(handle, tag, context_ or "")
        entries.append(_Entry(f"{context_}.{tag}" if context_ else tag, handle, item))
    return _added(context, entries)


@command("remove-item", example="remove-item TestChildObject.TestInt", stream=False)
async def remove_item(context: Context, *items: ItemArgument) -> Result:
    """Remove items, in one call for each server."""
    return await _bulk(context, items, "remove_item", "removed")


@command("advise", example="advise TestChildObject.TestInt")
async def advise(context: Context, *items: ItemArgument, supervisory: FlagOption = False) -> Result:
    """Start the data changes of items, in one call for each server.

    On a fresh session of a real gateway the first one comes after 3 to 8 seconds. --supervisory advises as a
    supervisory client does, one call for each item: the user id of a plain write is recorded only then.
    """
    if supervisory:
        return await _each(context, items, "advise_supervisory", "advised (supervisory)")
    return await _bulk(context, items, "advise", "advised")


@command("unadvise", example="unadvise TestChildObject.TestInt")
async def unadvise(context: Context, *items: ItemArgument) -> Result:
    """Stop the data changes of items, in one call for each server. They stay added."""
    return await _bulk(context, items, "unadvise", "unadvised")


@command("suspend", example="suspend TestChildObject.TestInt", stream=False)
async def suspend(context: Context, *items: ItemArgument) -> Result:
    """Suspend the data changes of advised items. Their values are stale until activate."""
    return await _each(context, items, "suspend", "suspended")


@command("activate", example="activate TestChildObject.TestInt", stream=False)
async def activate(context: Context, *items: ItemArgument) -> Result:
    """Resume the data changes of suspended items."""
    return await _each(context, items, "activate", "activated")


_COLUMNS = (*VALUE_COLUMNS, "buffered", "buffered_interval_ms", "supervisory")


@command("items", example="items", stream=False)
async def items(context: Context, *, server: ServerOption = None) -> Result:
    """List the added items with their latest values."""
    live = context.live_session
    await live.caught_up()
    shown = [item for item in context.items if server in (None, item.server_handle)]
    rows, records, doubts = [], [], []
    values = [live.latest(*item.key) for item in shown]
    facts = [
        context.connected.facts.seen(item.tag, value and value.value) for item, value in zip(shown, values, strict=True)
    ]
    context.connected.facts.want(item.tag for item in shown)
    for item, value, known in zip(shown, values, facts, strict=True):
        written = live.unseen_write(*item.key)
        records.append(value_record(item, value, written, known) | _advise_form(context, item))
        described = (
            ["", "not advised" if not item.advised else "no value yet", ""]
            if value is None
            else [decimal_text(value.value, known.decimals), value.quality_word, _fresh_text(value, item, written)]
        )
        doubts += [(item.tag, value.quality_word, reason_text(value))] if value is not None else []
        rows.append([str(item.server_handle), str(item.item_handle), item.tag, _advise_text(context, item), *described])
    headings, cells = with_facts(("server", "item", "tag", "advised", "value", "quality", "age"), rows, facts)
    empty, notes = "no items; add-item TAG adds one", reason_lines(doubts)
    return Table(tuple(headings), cells, records, shown, empty, notes, columns=_COLUMNS)


def _advise_text(context: Context, item: Item) -> str:
    words = ["no" if not item.advised else "supervisory" if item.supervisory else "yes"]
    if item.suspended:
        words.append("suspended")
    if item.buffered:
        interval = context.session.handles.buffered_intervals.get(item.server_handle)
        words.append(f"buffered{f' {interval} ms' if interval else ''}")
    return ", ".join(words)


def _advise_form(context: Context, item: Item) -> dict[str, Any]:
    return {
        "buffered": item.buffered,
        "buffered_interval_ms": context.session.handles.buffered_intervals.get(item.server_handle)
        if item.buffered
        else None,
        "supervisory": item.supervisory,
    }


def _fresh_text(value: "LiveValue", item: Item, written: "UnseenWrite | None") -> str:
    return ", ".join(filter(None, (freshness(value, item), written_text(written))))


class _Entry(NamedTuple):
    """Outcome of a call for one item."""

    tag: str
    server_handle: int
    item_handle: int
    problem: str = ""
    """Why it was refused; empty if it was not."""

    def form(self) -> dict[str, Any]:
        return {
            "error": self.problem or None,
            "item_handle": self.item_handle,
            "server_handle": self.server_handle,
            "tag": self.tag,
        }


def _added(context: Context, entries: Sequence[_Entry]) -> Result:
    for entry in entries:
        if entry.problem:
            continue
        if context.catalogue.misses(entry.tag):
            context.notice(f"the galaxy lists no {entry.tag}{context.catalogue.closest(entry.tag)}")
        else:
            context.catalogue.learn(entry.tag)
    if len(entries) == 1 and not entries[0].problem:
        (entry,) = entries
        return _listed(f"item {entry.item_handle}  {entry.tag}", entries, entry.item_handle)
    lines = [
        f"REFUSED  {each.tag}: {each.problem}" if each.problem else f"item {each.item_handle}  {each.tag}"
        for each in entries
    ]
    return _listed("\n".join(lines), entries)


async def _bulk(context: Context, targets: tuple[ItemArgument, ...], call: str, done: str) -> Result:
    """Call once for each server where there are several items, and say of each what came of it."""
    if len(targets) == 1:
        return await _each(context, targets, call, done)
    items = [_item_of(target) for target in targets]
    entries: dict[tuple[int, int], _Entry] = {}
    for server in dict.fromkeys(item.server_handle for item in items):
        handles = [item.item_handle for item in items if item.server_handle == server]
        results = await getattr(context.session, f"{call.removesuffix('_item')}_item_bulk")(server, handles)
        for handle, result in zip(handles, results, strict=True):
            entries[server, handle] = _Entry("", server, handle, _problem(result))
    found = [entries[item.key]._replace(tag=item.tag) for item in items]
    return _done(found, done)


async def _each(context: Context, targets: tuple[ItemArgument, ...], call: str, done: str) -> Result:
    """Call for one item after another; of several, one that is refused does not end it."""
    entries = []
    for target in targets:
        item = _item_of(target)
        problem = ""
        try:
            await getattr(context.session, call)(*item.key)
        except MxGatewayCommandError as error:
            if len(targets) == 1:
                raise
            problem = str(error)
        entries.append(_Entry(item.tag, *item.key, problem))
    return _done(entries, done)


def _problem(result: "SubscribeResult") -> str:
    return "" if result.was_successful else result.error_message or "no reason given"


def _done(entries: Sequence[_Entry], done: str) -> Result:
    names = ", ".join(f"{each.item_handle} ({each.tag})" for each in entries if not each.problem)
    refused = [f"REFUSED  {each.item_handle} ({each.tag}): {each.problem}" for each in entries if each.problem]
    return _listed("\n".join([*([f"{done} {names}"] if names else []), *refused]), entries)


def _listed(text: str, entries: Sequence[_Entry], value: Any = None) -> Result:
    """Return the result of calls for items: each with its outcome, also if there is only one."""
    rows = [each.form() for each in entries]
    sheet = Sheet(("error", "item_handle", "server_handle", "tag"), rows)
    return TextResult(text, {"items": rows}, value, _exit_code(entries), rows=sheet)


def _exit_code(entries: Sequence[_Entry]) -> ExitCode:
    return ExitCode.REFUSED if any(each.problem for each in entries) else ExitCode.DONE


def _item_of(target: Target) -> Item:
    assert target.item is not None  # its argument type takes only added items
    return target.item


COMMANDS = (
    register, unregister, add_item, add_buffered, remove_item, advise, unadvise, suspend, activate, items,
)  # fmt: skip
