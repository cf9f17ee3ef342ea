"""register, unregister, add-item, remove-item, advise, unadvise, items."""

from typing import TYPE_CHECKING, Annotated

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_console.render.forms import counted, value_text
from zb_mom_ww_mxgateway_shell.language.argument_types import Text
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.target_types import ItemArgument, Server, ServerOption, TagArgument
from zb_mom_ww_mxgateway_shell.output.results import Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text, value_record, written_text
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, UnseenWrite


@command("register", example="register acceptance", stream=False)
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


@command("add-item", example="add-item TestChildObject.TestInt", stream=False)
async def add_item(context: Context, tag: TagArgument, *, server: ServerOption = None) -> Result:
    """Add an item by its address; the result is an item handle.

    MXAccess accepts any name. Whether the tag exists shows only in the first data change after advise.
    """
    handle = context.default_server() if server is None else server
    item = await context.session.add_item(handle, tag)
    if context.catalogue.misses(tag):
        context.notice(f"the galaxy lists no {tag}{context.catalogue.closest(tag)}")
    else:
        context.catalogue.learn(tag)
    return TextResult(f"item {item}  {tag}", {"item_handle": item, "server_handle": handle, "tag": tag}, item)


@command("remove-item", example="remove-item TestChildObject.TestInt", stream=False)
async def remove_item(context: Context, *items: ItemArgument) -> Result:
    """Remove items."""
    return await _each(context, items, "remove_item", "removed")


@command("advise", example="advise TestChildObject.TestInt")
async def advise(context: Context, *items: ItemArgument) -> Result:
    """Start the data changes of items.

    On a fresh session of a real gateway the first one comes after 3 to 8 seconds.
    """
    return await _each(context, items, "advise", "advised")


@command("unadvise", example="unadvise TestChildObject.TestInt")
async def unadvise(context: Context, *items: ItemArgument) -> Result:
    """Stop the data changes of items. They stay added."""
    return await _each(context, items, "unadvise", "unadvised")


@command("items", example="items", stream=False)
async def items(context: Context, *, server: ServerOption = None) -> Result:
    """List the added items with their latest values."""
    live = context.live_session
    await live.caught_up()
    shown = [item for item in context.items if server in (None, item.server_handle)]
    rows, records = [], []
    for item in shown:
        value = live.latest(*item.key)
        written = live.unseen_write(*item.key)
        records.append(value_record(item, value, written))
        described = (
            ["", "not advised" if not item.advised else "no value yet", ""]
            if value is None
            else [value_text(value.value), quality_text(value), _fresh_text(value, item, written)]
        )
        rows.append([str(item.server_handle), str(item.item_handle), item.tag, *described])
    return Table(
        ("server", "item", "tag", "value", "quality", "age"), rows, records, shown, "no items; add-item TAG adds one"
    )


def _fresh_text(value: "LiveValue", item: Item, written: "UnseenWrite | None") -> str:
    return ", ".join(filter(None, (freshness(value, item), written_text(written))))


async def _each(context: Context, targets: tuple[ItemArgument, ...], call: str, done: str) -> Result:
    names, records = [], []
    for target in targets:
        assert target.item is not None  # its argument type takes only added items
        await getattr(context.session, call)(*target.item.key)
        names.append(f"{target.item.item_handle} ({target.item.tag})")
        records.append({"item_handle": target.item.item_handle, "server_handle": target.item.server_handle})
    return TextResult(f"{done} {', '.join(names)}", {"items": records})


COMMANDS = (register, unregister, add_item, remove_item, advise, unadvise, items)
