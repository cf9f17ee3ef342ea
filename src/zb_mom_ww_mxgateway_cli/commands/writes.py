"""Commands that write. Accepted means that MXAccess took the write; an event reports its completion."""

import functools
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.value_types import TYPE_NAMES
from zb_mom_ww_mxgateway_cli.commands.credentials import Credentials, credential_options
from zb_mom_ww_mxgateway_cli.commands.entries import Entry, entries_of
from zb_mom_ww_mxgateway_cli.options import (
    HANDLE,
    NOT_NEGATIVE,
    Option,
    moment,
    not_blank,
    seconds,
    server_handle_option,
    session_id_option,
)
from zb_mom_ww_mxgateway_cli.running import Runner, milliseconds_since, writing_options
from zb_mom_ww_mxgateway_console.render.forms import value_form
from zb_mom_ww_mxgateway_console.render.refusals import refusal_status
from zb_mom_ww_mxgateway_console.render.text_values import parse_typed
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict, word_of_error

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import BulkWriteResult, Session

_NEGATIVE = re.compile(r"-[0-9.][0-9.eE+-]*")

BulkCall = Callable[["Session"], Awaitable[Sequence["BulkWriteResult"]]]


class _NumbersMayBeNegative(click.Command):
    """A command that takes ``-5`` for a value, not for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" not in args:
            options = [each for each in self.params if isinstance(each, click.Option) and not each.is_flag]
            with_value = {name for option in options for name in option.opts}
            bare = [
                index
                for index, word in enumerate(args)
                if _NEGATIVE.fullmatch(word) and not (index and args[index - 1] in with_value)
            ]
            args = [word for index, word in enumerate(args) if index not in bare] + ["--", *(args[i] for i in bare)]
        return super().parse_args(ctx, args)


def _refusal(context: click.Context, parameter: click.Parameter, text: str | None) -> str | bool:
    """Return the status of ``--refused``; True for any, False without the option."""
    if not text:
        return text is not None
    try:
        return refusal_status(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    cls=_NumbersMayBeNegative,
    epilog="""\b
mxgw-py write TAG VALUE does it in one step: it opens a session, registers,
adds and advises the tag, waits for its first value (on a fresh session 3 to
8 s), writes, waits for the outcome, and closes the session. VALUE takes the
tag's own type unless --type names one; an array is JSON, [1, 2, 3].
Exit code 0 when the write is completed, 3 when it is refused, 6 when the
outcome is unknown: it is never sent again. With --refused 0 when MXAccess or
the gateway refuses it, 1 when it was written, or refused with another status
than the named one: SECURITY_ERROR, 33 (a detail), 0x80070005,
PERMISSION_DENIED …

\b
JSON: {"accepted_ms": 2.1, "before": 41, "completed_ms": 102.7, "error": null,
"milliseconds": 3304.5, "ok": true, "outcome": "completed",
"result": "completed", "statuses": [], "tag": "…", "type": "int32",
"user_id": 0, "value": 123}; result is completed, refused_here, refused_there,
unknown, or null where nothing was sent for another reason; with --refused
refused_by, too

\b
With --session-id, --server-handle, --item-handle, --type and --value it
writes to an item of an open session, which must be advised before. Accepted
means then that MXAccess took the write. Its completion is reported by an
ON_WRITE_COMPLETE event of the session.

\b
JSON: {"item_handle": 1, "milliseconds": 2.6, "ok": true,
"outcome": "accepted", "result": "accepted", "server_handle": 1,
"session_id": "session-…", "type": "int32", "user_id": 0, "value": 123}""",
)
@click.argument("tag", required=False, callback=not_blank)
@click.argument("by_name", metavar="[VALUE]", required=False)
@click.option("--session-id", callback=not_blank, metavar="ID", help="The session's id: session-…")
@click.option("--server-handle", type=HANDLE)
@click.option("--item-handle", type=HANDLE)
@click.option("--type", "type_name", type=click.Choice(TYPE_NAMES), help="The type [that of the tag].")
@click.option("--value", "text", help="true or false; a number; text; a time like 2026-10-02T08:14:00Z; [1, 2].")
@click.option("--user-id", type=NOT_NEGATIVE, default=0, show_default=True)
@click.option(
    "--timeout",
    callback=seconds,
    default="30s",
    show_default=True,
    metavar="DURATION",
    help="With TAG VALUE: for the first value, and for the write and its outcome.",
)
@click.option(
    "--refused",
    is_flag=False,
    flag_value="",
    metavar="[STATUS]",
    callback=_refusal,
    help="With TAG VALUE, at the end: succeed if the plant refuses it, with this status where one is named.",
)
@writing_options
def write(
    runner: Runner,
    tag: str | None,
    by_name: str | None,
    session_id: str | None,
    server_handle: int | None,
    item_handle: int | None,
    type_name: str | None,
    text: str | None,
    user_id: int,
    timeout: float,
    refused: str | bool,
) -> None:
    """Write a tag by name, in one step; or an item of an open session."""
    value_text = text if by_name is None else by_name
    if tag is not None:
        if session_id or server_handle or item_handle:
            raise click.UsageError("TAG and --session-id, --server-handle, --item-handle exclude each other")
        if value_text is None or (text is not None and by_name is not None):
            raise click.UsageError("one VALUE is expected: mxgw-py write TAG VALUE")
        from zb_mom_ww_mxgateway_cli.commands.tags import write_by_name

        write_by_name(runner, tag, value_text, type_name, user_id, timeout, refused)
        return
    if refused:
        raise click.UsageError("--refused is for TAG VALUE: only that waits for the outcome")
    needed = {
        "--session-id": session_id,
        "--server-handle": server_handle,
        "--item-handle": item_handle,
        "--type": type_name,
        "--value": text,
    }
    missing = [name for name, given in needed.items() if given is None]
    if session_id is None or server_handle is None or item_handle is None or type_name is None or text is None:
        if len(missing) == len(needed):
            raise click.UsageError("nothing to write: TAG VALUE is expected")
        types = f" (one of {', '.join(TYPE_NAMES)})" if type_name is None else ""
        raise click.UsageError(f"missing option {', '.join(missing)}{types}; or write by name: TAG VALUE")
    try:
        value = parse_typed(type_name, text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--value'") from None

    async def action(session: "Session") -> None:
        started = time.perf_counter()
        try:
            async with runner.interruptible("write"):
                await session.write(server_handle, item_handle, value, user_id)
        except MxGatewayError as error:
            runner.report.summary["result"] = word_of_error(error)
            raise
        form = {
            "item_handle": item_handle,
            "milliseconds": milliseconds_since(started),
            "ok": True,
            "outcome": "accepted",
            "result": WriteVerdict.ACCEPTED.word,
            "server_handle": server_handle,
            "session_id": session_id,
            "type": type_name,
            "user_id": user_id,
            "value": value_form(value),
        }
        runner.report.line(form, "accepted")

    runner.run_in(session_id, action)


timestamp_option: Option = click.option(
    "--timestamp", callback=moment, metavar="TIME", help="Source time for entries that have none: ISO 8601 with a zone."
)
user_id_option: Option = click.option(
    "--user-id", type=NOT_NEGATIVE, default=0, show_default=True, help="For entries that have none."
)
current_user_id_option: Option = click.option(
    "--current-user-id", type=NOT_NEGATIVE, metavar="ID", help="Who writes, for entries that have none."
)
verifier_user_id_option: Option = click.option(
    "--verifier-user-id",
    type=NOT_NEGATIVE,
    default=0,
    show_default=True,
    help="Who verifies, for entries that have none.",
)


TO_COME = -1
"""Placeholder for the id of a user who is authenticated before the write."""


async def _with_ids(
    session: "Session", server_handle: int, users: dict[str, Credentials], entries: list[Entry]
) -> list[Entry]:
    """Authenticate the users; return the entries with their ids."""
    ids = {field: await user.authenticate(session, server_handle) for field, user in users.items()}
    return [{**entry, **{field: ids[field] for field in ids if entry[field] == TO_COME}} for entry in entries]


def _bulk_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every bulk write; those of `function` go into each entry."""

    @session_id_option
    @server_handle_option
    @click.option(
        "--entry", "texts", multiple=True, metavar="HANDLE=TYPE:VALUE", help="E.g. 3=int32:42; may be repeated."
    )
    @click.option("--entries-file", type=click.Path(), metavar="FILE", help="More entries, a JSON object a line.")
    @writing_options
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
    entry = fill(
        f"TYPE is {', '.join(TYPE_NAMES)}. An entry of the file has item_handle, type, value (a list for an array), "
        f"and may have {fields}:",
        78,
        break_on_hyphens=False,
    )
    return f"""\b
{entry}
{example}
Accepted means that MXAccess took the write; the item must be advised before.
Exit code 3 when any entry failed; all are tried, and all are printed.

\b
JSON: {{"failed": 0, "milliseconds": 2.6, "ok": true, "results": […],
"server_handle": 1, "session_id": "session-…"}}, and error when an entry
failed. Each result, in the order given: error_message, hresult, item_handle,
result (accepted or refused_there), statuses, was_successful."""


def _write(
    runner: Runner,
    session_id: str,
    server_handle: int,
    name: str,
    call: BulkCall,
    prepare: Callable[["Session"], Awaitable[None]] | None = None,
) -> None:
    async def action(session: "Session") -> None:
        from zb_mom_ww_mxgateway_cli.commands.bulk import print_bulk, written

        async with runner.interruptible(name):
            if prepare is not None:
                await prepare(session)
            await print_bulk(runner.report, session, server_handle, written(name), call(session))

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
