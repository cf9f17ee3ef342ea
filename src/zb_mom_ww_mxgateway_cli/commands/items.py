"""Commands for registrations, items and reading."""

from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway_cli.options import (
    POSITIVE,
    Option,
    item_handle_option,
    not_blank,
    seconds,
    server_handle_option,
    session_id_option,
    tag_options,
)
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options
from zb_mom_ww_mxgateway_console.render.forms import status_form

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Session

_TIMEOUT = click.IntRange(0, 3_600_000)


@click.command(
    epilog="""\b
Prints the server handle alone: V=$(mxgw-py register …).

\b
JSON: {"client_name": "…", "milliseconds": 1.9, "ok": true,
"server_handle": 1, "session_id": "session-…"}"""
)
@session_id_option
@click.option("--client-name", required=True, callback=not_blank, metavar="NAME", help="Its name in MXAccess.")
@gateway_options
def register(runner: Runner, session_id: str, client_name: str) -> None:
    """Register a client name: gives a server handle."""

    async def call(session: "Session") -> dict[str, Any]:
        return {"server_handle": await session.register(client_name)}

    runner.answer(session_id, {"client_name": client_name}, call, "{server_handle}")


@click.command(epilog='JSON: {"milliseconds": 1.9, "ok": true, "server_handle": 1, "session_id": "session-…"}')
@session_id_option
@server_handle_option
@gateway_options
def unregister(runner: Runner, session_id: str, server_handle: int) -> None:
    """End a registration, with its items and user ids."""

    async def call(session: "Session") -> dict[str, Any]:
        await session.unregister(server_handle)
        return {}

    runner.answer(session_id, {"server_handle": server_handle}, call, "unregistered")


_item_option: Option = click.option(
    "--item", required=True, callback=not_blank, metavar="TAG", help="E.g. TestChildObject.TestInt."
)


@click.command(
    epilog="""\b
Prints the item handle alone. A tag that does not exist is added, too: its
first value then reports that there is no such tag.

\b
JSON: {"context": null, "item": "…", "item_handle": 1, "milliseconds": 1.9,
"ok": true, "server_handle": 1, "session_id": "session-…"}"""
)
@session_id_option
@server_handle_option
@_item_option
@click.option("--context", callback=not_blank, metavar="OBJECT", help="The address of the item is relative to it.")
@gateway_options
def add_item(runner: Runner, session_id: str, server_handle: int, item: str, context: str | None) -> None:
    """Add an item: gives an item handle."""

    async def call(session: "Session") -> dict[str, Any]:
        if context is None:
            return {"item_handle": await session.add_item(server_handle, item)}
        return {"item_handle": await session.add_item2(server_handle, item, context)}

    known = {"context": context, "item": item, "server_handle": server_handle}
    runner.answer(session_id, known, call, "{item_handle}")


@click.command(
    epilog="""\b
Prints the item handle alone. The item is CONTEXT.TAG.

\b
JSON: {"context": "…", "item": "…", "item_handle": 1, "milliseconds": 1.9,
"ok": true, "server_handle": 1, "session_id": "session-…"}"""
)
@session_id_option
@server_handle_option
@_item_option
@click.option("--context", required=True, callback=not_blank, metavar="OBJECT", help="The item is relative to it.")
@gateway_options
def add_item2(runner: Runner, session_id: str, server_handle: int, item: str, context: str) -> None:
    """Add an item relative to an object."""

    async def call(session: "Session") -> dict[str, Any]:
        return {"item_handle": await session.add_item2(server_handle, item, context)}

    known = {"context": context, "item": item, "server_handle": server_handle}
    runner.answer(session_id, known, call, "{item_handle}")


@click.command(
    epilog="""\b
Prints the item handle alone. The samples of an advised buffered item come as
ON_BUFFERED_DATA_CHANGE events. The interval is that of all buffered items of
the server handle; the gateway rounds it up to whole 100 ms.

\b
JSON: {"context": null, "interval_ms": 1000, "item": "…", "item_handle": 1,
"milliseconds": 1.9, "ok": true, "server_handle": 1,
"session_id": "session-…"}; interval_ms is null if none was given"""
)
@session_id_option
@server_handle_option
@_item_option
@click.option("--context", callback=not_blank, metavar="OBJECT", help="The address of the item is relative to it.")
@click.option("--interval", callback=seconds, metavar="DURATION", help="Set the update interval first: 500ms, 10s.")
@gateway_options
def add_buffered_item(
    runner: Runner, session_id: str, server_handle: int, item: str, context: str | None, interval: float | None
) -> None:
    """Add an item whose samples are buffered."""
    interval_ms = None if interval is None else round(interval * 1000)
    if interval_ms == 0:
        raise click.BadParameter("at least 1ms", param_hint="'--interval'")

    async def call(session: "Session") -> dict[str, Any]:
        if interval_ms is not None:
            await session.set_buffered_update_interval(server_handle, interval_ms)
        return {"item_handle": await session.add_buffered_item(server_handle, item, context or "")}

    known = {"context": context, "interval_ms": interval_ms, "item": item, "server_handle": server_handle}
    runner.answer(session_id, known, call, "{item_handle}")


_OF_ITEM = """\b
JSON: {"item_handle": 1, "milliseconds": 1.9, "ok": true,
"server_handle": 1, "session_id": "session-…"}"""


@click.command(epilog=_OF_ITEM)
@session_id_option
@server_handle_option
@item_handle_option
@gateway_options
def remove_item(runner: Runner, session_id: str, server_handle: int, item_handle: int) -> None:
    """Remove an item."""

    async def call(session: "Session") -> dict[str, Any]:
        await session.remove_item(server_handle, item_handle)
        return {"item_handle": item_handle}

    runner.answer(session_id, {"server_handle": server_handle}, call, "removed")


_ADVISED = """\b
The first value comes as an event, on a fresh session after 3 to 8 s.

\b
JSON: {"item_handle": 1, "milliseconds": 1.9, "ok": true,
"server_handle": 1, "session_id": "session-…"}"""


@click.command(epilog=_ADVISED)
@session_id_option
@server_handle_option
@item_handle_option
@gateway_options
def advise(runner: Runner, session_id: str, server_handle: int, item_handle: int) -> None:
    """Ask for an item's data changes."""

    async def call(session: "Session") -> dict[str, Any]:
        await session.advise(server_handle, item_handle)
        return {"item_handle": item_handle}

    runner.answer(session_id, {"server_handle": server_handle}, call, "advised")


@click.command(epilog=_ADVISED)
@session_id_option
@server_handle_option
@item_handle_option
@gateway_options
def advise_supervisory(runner: Runner, session_id: str, server_handle: int, item_handle: int) -> None:
    """Advise so that a write's user id is recorded."""

    async def call(session: "Session") -> dict[str, Any]:
        await session.advise_supervisory(server_handle, item_handle)
        return {"item_handle": item_handle}

    runner.answer(session_id, {"server_handle": server_handle}, call, "advised")


@click.command(epilog=_OF_ITEM)
@session_id_option
@server_handle_option
@item_handle_option
@gateway_options
def unadvise(runner: Runner, session_id: str, server_handle: int, item_handle: int) -> None:
    """End an item's data changes; it stays added."""

    async def call(session: "Session") -> dict[str, Any]:
        await session.unadvise(server_handle, item_handle)
        return {"item_handle": item_handle}

    runner.answer(session_id, {"server_handle": server_handle}, call, "unadvised")


_STATUS = """\b
JSON: {"item_handle": 1, "milliseconds": 1.9, "ok": true, "server_handle": 1,
"session_id": "session-…", "status": {…}}; status, that of MXAccess, has
category, detail, detected_by, diagnostic_text, success"""


@click.command(epilog=_STATUS)
@session_id_option
@server_handle_option
@item_handle_option
@gateway_options
def suspend(runner: Runner, session_id: str, server_handle: int, item_handle: int) -> None:
    """Suspend an advised item's data changes."""

    async def call(session: "Session") -> dict[str, Any]:
        status = await session.suspend(server_handle, item_handle)
        return {"item_handle": item_handle, "status": status_form(status)}

    runner.answer(session_id, {"server_handle": server_handle}, call, "suspended")


@click.command(epilog=_STATUS)
@session_id_option
@server_handle_option
@item_handle_option
@gateway_options
def activate(runner: Runner, session_id: str, server_handle: int, item_handle: int) -> None:
    """Resume a suspended item's data changes."""

    async def call(session: "Session") -> dict[str, Any]:
        status = await session.activate(server_handle, item_handle)
        return {"item_handle": item_handle, "status": status_form(status)}

    runner.answer(session_id, {"server_handle": server_handle}, call, "activated")


@click.command(
    epilog="""\b
Exit code 3 when any entry failed; all are tried, and all are printed.

\b
JSON: {"failed": 0, "milliseconds": 2.6, "ok": true, "results": […],
"server_handle": 1, "session_id": "session-…"}, and error when an entry
failed. Each result, in the order given: error_message, item_handle,
tag (and tag_address, the same), was_successful."""
)
@session_id_option
@server_handle_option
@tag_options
@gateway_options
def subscribe_bulk(runner: Runner, session_id: str, server_handle: int, tags: list[str]) -> None:
    """Add and advise many items in one call."""

    async def action(session: "Session") -> None:
        from zb_mom_ww_mxgateway_cli.commands.bulk import SUBSCRIBED, print_bulk

        await print_bulk(runner.report, session, server_handle, SUBSCRIBED, session.subscribe_bulk(server_handle, tags))

    runner.run_in(session_id, action)


@click.command(
    epilog="""\b
An advised item answers from its last data change (cached); any other is
added, advised, awaited and removed again, on a fresh session for 3 to 8 s.
Exit code 3 when any entry failed; all are tried, and all are printed.

\b
JSON: {"failed": 0, "milliseconds": 2.6, "ok": true, "results": […],
"server_handle": 1, "session_id": "session-…"}, and error when an entry
failed. Each result, in the order given: cached (and was_cached, the same),
error_message, item_handle, quality, quality_word, source_timestamp, statuses,
tag (and tag_address, the same), value, was_successful."""
)
@session_id_option
@server_handle_option
@tag_options
@click.option(
    "--timeout-ms", type=_TIMEOUT, default=0, metavar="MS", show_default=True, help="For a tag; 0 is the worker's own."
)
@gateway_options
def read_bulk(runner: Runner, session_id: str, server_handle: int, tags: list[str], timeout_ms: int) -> None:
    """Read many tags in one call."""

    async def action(session: "Session") -> None:
        from zb_mom_ww_mxgateway_cli.commands.bulk import READ, print_bulk

        call = session.read_bulk(server_handle, tags, timeout_ms)
        await print_bulk(runner.report, session, server_handle, READ, call)

    runner.run_in(session_id, action)


@click.command(
    epilog="""\b
Measures round trips of read-bulk as this client sees them, one at a time
over one connection: network, gateway and worker together, not what the
gateway could do for several clients. Advise the tags first (subscribe-bulk)
to measure answers from the gateway's last values; a tag that is not advised
is added, advised, awaited and removed in every round, which measures
MXAccess. The fields cached_reads and failed_reads show which was measured.
All rounds count, also the first ones. p99_ms is the nearest rank, which with
less than 100 rounds is the slowest.
Exit code 3 when any read failed.

\b
JSON: {"cached_reads": 300, "calls_per_second": 512.3, "failed_reads": 0,
"max_ms": 4.1, "median_ms": 1.9, "min_ms": 1.7, "ok": true, "p99_ms": 3.0,
"reads": 300, "rounds": 100, "seconds": 0.195, "server_handle": 1,
"session_id": "session-…", "tags": 3}, and error when a read failed"""
)
@session_id_option
@server_handle_option
@tag_options
@click.option("--rounds", type=POSITIVE, default=100, metavar="N", show_default=True)
@click.option("--timeout-ms", type=_TIMEOUT, default=0, metavar="MS", show_default=True, help="As in read-bulk.")
@gateway_options
def bench_read_bulk(
    runner: Runner, session_id: str, server_handle: int, tags: list[str], rounds: int, timeout_ms: int
) -> None:
    """Time many rounds of read-bulk."""

    async def action(session: "Session") -> None:
        from zb_mom_ww_mxgateway_cli.commands.benchmark import measure

        await measure(runner.report, session, server_handle, tags, rounds, timeout_ms)

    runner.run_in(session_id, action, is_endless=True)
