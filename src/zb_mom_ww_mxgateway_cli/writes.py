"""Commands that write. Accepted means that MXAccess took it; how it ended is told by an event."""

import functools
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.values import TYPE_NAMES, Typed
from zb_mom_ww_mxgateway_cli.credentials import Credentials, credential_options
from zb_mom_ww_mxgateway_cli.entries import Entry, entries_of
from zb_mom_ww_mxgateway_cli.options import (
    NOT_NEGATIVE,
    Option,
    item_handle_option,
    moment,
    server_handle_option,
    session_id_option,
)
from zb_mom_ww_mxgateway_cli.output import value_form
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options, milliseconds_since
from zb_mom_ww_mxgateway_cli.text_values import parse_value

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import BulkWriteResult, Session

BulkCall = Callable[["Session"], Awaitable[Sequence["BulkWriteResult"]]]


@click.command(
    epilog="""\b
Accepted means that MXAccess took the write. How it ended is told by an
ON_WRITE_COMPLETE event of the session. The item must be advised before.

\b
JSON: {"item_handle": 1, "milliseconds": 2.6, "ok": true,
"outcome": "accepted", "server_handle": 1, "session_id": "session-…",
"type": "int32", "user_id": 0, "value": 123}"""
)
@session_id_option
@server_handle_option
@item_handle_option
@click.option("--type", "type_name", type=click.Choice(TYPE_NAMES), required=True)
@click.option("--value", "text", required=True, help="true or false; a number; text; a time like 2026-10-02T08:14:00Z.")
@click.option("--user-id", type=NOT_NEGATIVE, default=0, show_default=True)
@gateway_options
def write(
    runner: Runner, session_id: str, server_handle: int, item_handle: int, type_name: str, text: str, user_id: int
) -> None:
    """Write a value to an item of an open session."""
    try:
        value = parse_value(type_name, text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--value'") from None

    async def action(session: "Session") -> None:
        from zb_mom_ww_mxgateway_cli.doubt import unknown_if_interrupted

        started = time.perf_counter()
        async with unknown_if_interrupted("write"):
            await session.write(server_handle, item_handle, Typed(type_name, value), user_id)
        form = {
            "item_handle": item_handle,
            "milliseconds": milliseconds_since(started),
            "ok": True,
            "outcome": "accepted",
            "server_handle": server_handle,
            "session_id": session_id,
            "type": type_name,
            "user_id": user_id,
            "value": value_form(value),
        }
        runner.report.line(form, "accepted")

    runner.run_in(session_id, action)


timestamp_option: Option = click.option(
    "--timestamp", callback=moment, metavar="TIME", help="Source time of entries that have none: ISO 8601 with a zone."
)
user_id_option: Option = click.option(
    "--user-id", type=NOT_NEGATIVE, default=0, show_default=True, help="Of entries that have none."
)
current_user_id_option: Option = click.option(
    "--current-user-id", type=NOT_NEGATIVE, metavar="ID", help="Who writes, for entries that do not say."
)
verifier_user_id_option: Option = click.option(
    "--verifier-user-id", type=NOT_NEGATIVE, default=0, show_default=True, help="Who verifies, likewise."
)


TO_COME = -1
"""Stands for the id of a user who is authenticated before the write."""


async def _with_ids(
    session: "Session", server_handle: int, users: dict[str, Credentials], entries: list[Entry]
) -> list[Entry]:
    """The entries with the ids of those users, each of whom is authenticated."""
    ids = {field: await user.authenticate(session, server_handle) for field, user in users.items()}
    return [{**entry, **{field: ids[field] for field in ids if entry[field] == TO_COME}} for entry in entries]


def _bulk_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every bulk write; `function` gets its own, which go into each entry."""

    @session_id_option
    @server_handle_option
    @click.option(
        "--entry", "texts", multiple=True, metavar="HANDLE=TYPE:VALUE", help="E.g. 3=int32:42; may be repeated."
    )
    @click.option("--entries-file", type=click.Path(), metavar="FILE", help="More entries, a JSON object a line.")
    @gateway_options
    @functools.wraps(function)
    def with_entries(texts: tuple[str, ...], entries_file: str | None, **arguments: Any) -> Any:
        places = {name: arguments.pop(name) for name in ("runner", "session_id", "server_handle")}
        users: dict[str, Credentials] | None = arguments.pop("users", None)
        for field in users or ():
            arguments[field] = TO_COME
        if users is not None:
            places["users"] = users
        return function(**places, entries=entries_of(texts, entries_file, arguments))

    return with_entries


def _bulk_epilog(fields: str, example: str) -> str:
    return f"""\b
TYPE is {", ".join(TYPE_NAMES)}. An entry of the
file has item_handle, type, value (a list for an array), and may have
{fields}:
{example}
Accepted means that MXAccess took the write; the item must be advised before.
Exit code 3 when any entry failed; all are tried, and all are printed.

\b
JSON: {{"failed": 0, "milliseconds": 2.6, "ok": true, "results": […],
"server_handle": 1, "session_id": "session-…"}}, and error when an entry
failed. Each result, in the order given: error_message, hresult, item_handle,
statuses, was_successful."""


def _write(
    runner: Runner,
    session_id: str,
    server_handle: int,
    name: str,
    call: BulkCall,
    prepare: Callable[["Session"], Awaitable[None]] | None = None,
) -> None:
    async def action(session: "Session") -> None:
        from zb_mom_ww_mxgateway_cli.bulk import print_bulk, written
        from zb_mom_ww_mxgateway_cli.doubt import unknown_if_interrupted

        async def in_doubt() -> "Sequence[BulkWriteResult]":
            async with unknown_if_interrupted(name):
                return await call(session)

        if prepare is not None:
            await prepare(session)
        await print_bulk(runner.report, session, server_handle, written(name), in_doubt())

    runner.run_in(session_id, action)


@click.command(epilog=_bulk_epilog("user_id", '{"item_handle": 3, "type": "double", "value": 1.5, "user_id": 7}'))
@user_id_option
@_bulk_options
def write_bulk(runner: Runner, session_id: str, server_handle: int, entries: list[Entry]) -> None:
    """Write many values in one call."""

    async def call(session: "Session") -> "Sequence[BulkWriteResult]":
        from zb_mom_ww_mxgateway import WriteEntry

        return await session.write_bulk(server_handle, [WriteEntry(**entry) for entry in entries])

    _write(runner, session_id, server_handle, "write_bulk", call)


@click.command(
    epilog=_bulk_epilog(
        "timestamp, user_id",
        '{"item_handle": 3, "type": "double", "value": 1.5,\n"timestamp": "2026-10-02T08:14:00Z"}',
    )
)
@timestamp_option
@user_id_option
@_bulk_options
def write2_bulk(runner: Runner, session_id: str, server_handle: int, entries: list[Entry]) -> None:
    """Write many values with their source times."""

    async def call(session: "Session") -> "Sequence[BulkWriteResult]":
        from zb_mom_ww_mxgateway import Write2Entry

        return await session.write2_bulk(server_handle, [Write2Entry(**entry) for entry in entries])

    _write(runner, session_id, server_handle, "write2_bulk", call)


@click.command(
    epilog=_bulk_epilog(
        "current_user_id, verifier_user_id",
        '{"item_handle": 3, "type": "double", "value": 1.5, "current_user_id": 7}',
    )
)
@current_user_id_option
@verifier_user_id_option
@credential_options
@_bulk_options
def write_secured_bulk(
    runner: Runner, session_id: str, server_handle: int, entries: list[Entry], users: dict[str, Credentials]
) -> None:
    """Write many values as a user, verified by another."""

    async def call(session: "Session") -> "Sequence[BulkWriteResult]":
        from zb_mom_ww_mxgateway import WriteSecuredEntry

        return await session.write_secured_bulk(server_handle, [WriteSecuredEntry(**entry) for entry in made])

    made: list[Entry] = []

    async def prepare(session: "Session") -> None:
        made[:] = await _with_ids(session, server_handle, users, entries)

    _write(runner, session_id, server_handle, "write_secured_bulk", call, prepare)


@click.command(
    epilog=_bulk_epilog(
        "timestamp, current_user_id, verifier_user_id",
        '{"item_handle": 3, "type": "double", "value": 1.5, "current_user_id": 7,\n'
        '"timestamp": "2026-10-02T08:14:00Z"}',
    )
)
@timestamp_option
@current_user_id_option
@verifier_user_id_option
@credential_options
@_bulk_options
def write_secured2_bulk(
    runner: Runner, session_id: str, server_handle: int, entries: list[Entry], users: dict[str, Credentials]
) -> None:
    """Write many values as a user, with their source times."""

    async def call(session: "Session") -> "Sequence[BulkWriteResult]":
        from zb_mom_ww_mxgateway import WriteSecured2Entry

        return await session.write_secured2_bulk(server_handle, [WriteSecured2Entry(**entry) for entry in made])

    made: list[Entry] = []

    async def prepare(session: "Session") -> None:
        made[:] = await _with_ids(session, server_handle, users, entries)

    _write(runner, session_id, server_handle, "write_secured2_bulk", call, prepare)
