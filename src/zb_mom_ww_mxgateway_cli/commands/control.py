"""Commands for an open session itself, and any command of the contract."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.times import shown_text
from zb_mom_ww_mxgateway_cli.commands.credentials import PasswordOptions, password_options
from zb_mom_ww_mxgateway_cli.options import sendable, session_id_option
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options, milliseconds_since, writing_options
from zb_mom_ww_mxgateway_console.render.forms import safe, value_form
from zb_mom_ww_mxgateway_console.text.wording import closest

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Session

_WITH_PASSWORD = "authenticate_user"
_PASSWORD_FIELD = "verify_user_password"


@click.command(
    epilog="""\b
An answer proves the gateway and the session's worker, not the plant behind
them. It renews the session's lease.

\b
JSON: {"milliseconds": 1.9, "ok": true, "session_id": "session-…"}"""
)
@session_id_option
@gateway_options
def ping(runner: Runner, session_id: str) -> None:
    """Ask a session's worker for a sign of life."""

    async def call(session: "Session") -> dict[str, Any]:
        await session.ping()
        return {}

    runner.answer(session_id, {}, call, "answered after {milliseconds} ms")


@click.command(
    epilog="""\b
JSON: {"milliseconds": 1.9, "ok": true, "session_id": "session-…",
"state": "READY"}; a state that this version does not know is its number, as
text"""
)
@session_id_option
@gateway_options
def session_state(runner: Runner, session_id: str) -> None:
    """Print the state of a session at the gateway."""

    async def call(session: "Session") -> dict[str, Any]:
        return {"state": name_of(await session.get_session_state())}

    runner.answer(session_id, {}, call, "{state}")


@click.command(
    epilog="""\b
JSON: {"milliseconds": 1.9, "mxaccess_version": "…", "ok": true,
"session_id": "session-…", "started_at": "2026-10-02T08:14:00Z" or null,
"worker_process_id": 4711, "worker_version": "…"}"""
)
@session_id_option
@gateway_options
def worker_info(runner: Runner, session_id: str) -> None:
    """Print process, versions and start of a session's worker."""

    async def call(session: "Session") -> dict[str, Any]:
        info = await session.get_worker_info()
        return {**info._asdict(), "started_at": value_form(info.started_at)}

    text = "process {worker_process_id}, version {worker_version}, MXAccess {mxaccess_version}, since {started_at}"

    def shown(form: dict[str, Any]) -> dict[str, Any]:
        return form | {"started_at": shown_text(str(form["started_at"]))}

    runner.answer(session_id, {}, call, text, shown)


def _kind(context: click.Context, parameter: click.Parameter, text: str) -> str:
    """Parse the kind of a command; a click callback."""
    from zb_mom_ww_mxgateway.wire.json_commands import command_kinds  # Lazy: protobuf's JSON mapping is slow to import.

    kind, kinds = text.replace("-", "_").lower(), command_kinds()
    if kind not in kinds:
        hint = closest(kind, kinds) or f": one of {', '.join(kinds)}"
        raise click.BadParameter(f"no command of the contract is {text}{hint}", context, parameter)
    return kind


def _complete_kind(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from zb_mom_ww_mxgateway.wire.json_commands import command_fields, command_kinds

    return [
        CompletionItem(kind, help=", ".join(command_fields(kind)))
        for kind in command_kinds()
        if kind.startswith(incomplete)
    ]


@click.command(
    epilog="""\b
mxgw-py call add_item '{"server_handle": 1, "item_definition": "A.Level"}' …
KIND and the names of fields are the contract's; enum values go by name, times
as ISO 8601 in UTC, numbers of 64 bits as text. A call that changes the plant
passes the write guard, as of a read-only profile, and is never sent again.
The password of authenticate_user is not in the JSON: it is read from
--password-env or --password-file.

\b
JSON: {"kind": "add_item", "milliseconds": 1.9, "ok": true, "reply": {…},
"session_id": "session-…"}; reply is the contract's MxCommandReply"""
)
@click.argument("kind", callback=_kind, shell_complete=_complete_kind)
@click.argument("fields", metavar="[JSON]", required=False, default="", callback=sendable)
@session_id_option
@password_options
@writing_options
def call(
    runner: Runner, kind: str, fields: str, session_id: str, password_env: str | None, password_file: str | None
) -> None:
    """Send any command of the contract, as JSON."""
    source = PasswordOptions(password_env, password_file)
    if kind == _WITH_PASSWORD:
        _refuse_password(fields)
        source.check(kind)
    elif password_env or password_file:
        raise click.UsageError(f"a password is for {_WITH_PASSWORD} alone, not for {kind}")
    _check_fields(kind, fields)

    async def action(session: "Session") -> None:
        sent = _with_password(fields, source.read()) if kind == _WITH_PASSWORD else fields
        started = time.perf_counter()
        async with _interruptible(runner, kind):
            reply = await session.call_json(kind, sent)
        form = {
            "kind": kind,
            "milliseconds": milliseconds_since(started),
            "ok": True,
            "reply": reply,
            "session_id": session_id,
        }
        if runner.report.is_for_people:
            runner.report.lines([safe(line) for line in json.dumps(reply, indent=2, ensure_ascii=False).splitlines()])
        else:
            runner.report.line(form, "")

    runner.run_in(session_id, action)


def _check_fields(kind: str, fields: str) -> None:
    """Raise MxGatewayArgumentError before anything is sent if the command does not take these fields."""
    from zb_mom_ww_mxgateway.wire.json_commands import command_from_json

    command_from_json(kind, fields)


def _refuse_password(fields: str) -> None:
    """Raise click.UsageError, with nothing of it, for a password among the fields, in any spelling."""
    try:
        given = json.loads(fields)
    except (ValueError, RecursionError):
        return  # The check of the fields reports it.
    if isinstance(given, dict) and any("password" in name.lower() for name in given):
        raise click.UsageError(
            "a password does not belong on a command line: leave it out, and name its source with --password-env or "
            "--password-file"
        )


def _with_password(fields: str, password: str) -> str:
    """Return the fields with the password; raise MxGatewayArgumentError for one that cannot be sent."""
    try:
        password.encode()
    except UnicodeEncodeError:
        raise MxGatewayArgumentError("the password is not text that can be sent as UTF-8") from None
    return json.dumps({**json.loads(fields or "{}"), _PASSWORD_FIELD: password})


@asynccontextmanager
async def _interruptible(runner: Runner, kind: str) -> AsyncIterator[None]:
    """Around a call: as ``Runner.interruptible`` if it changes the plant."""
    from zb_mom_ww_mxgateway.wire import MUTATING_KINDS

    if kind not in MUTATING_KINDS:
        yield
        return
    async with runner.interruptible(kind):
        yield
