"""ping, session, galaxy, drain-events, shutdown-worker, call: the gateway's own calls, as they are."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError
from zb_mom_ww_mxgateway.safety.arming import names_of_alarm
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway_console.render.event_forms import EVENT_COLUMNS, event_form, event_text
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted
from zb_mom_ww_mxgateway_shell.errors import closest
from zb_mom_ww_mxgateway_shell.galaxy.catalog import UNVERIFIED
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, CountOption, Suggestion
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments, Written
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result, Sheet, TextResult
from zb_mom_ww_mxgateway_shell.state.confirmation import agreed
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import DeployEvent, GatewayClient

_LEASE = "30 min, renewed by every call and while its events are read; 30 s once that stream has ended"
"""The gateway's own numbers: a lease of 1800 s, and 30 s of grace when the last event stream drops."""


class CommandKind(ArgumentType):
    """A kind of command of the contract, as it spells it: ``add_item``."""

    name = "kind"

    def parse(self, word: Token, context: Scope) -> str:
        from zb_mom_ww_mxgateway.wire.json_commands import command_kinds  # Only `call` needs protobuf's JSON mapping.

        kind = word.value.replace("-", "_").lower()
        if kind.replace("_", "") == "authenticateuser":
            raise word.mistake("a password never stands on a line: login USER asks for it")
        if kind not in command_kinds():
            raise word.mistake(f"no command kind {word.value}{closest(kind, command_kinds())}")
        return kind

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        from zb_mom_ww_mxgateway.wire.json_commands import command_fields, command_kinds

        return [
            Suggestion(kind, ", ".join(command_fields(kind)))
            for kind in command_kinds()
            if kind.startswith(prefix) and kind != "authenticate_user"
        ]


class JsonObject(ArgumentType):
    """The fields of a command, as a JSON object."""

    name = "json"
    expands = False

    def parse(self, word: Token, context: Scope) -> Token:
        if not word.text.startswith("{"):
            raise word.mistake('a JSON object is expected, such as {"server_handle": 1}')
        return word


@command("ping", example="ping")
async def ping(context: Context) -> Result:
    """Ask the session's worker for a sign of life, and show how long the answer took.

    It renews the session's lease. An answer proves the gateway and the worker, not the plant behind them.
    """
    start = clock.monotonic()
    await context.session.ping()
    taken = clock.monotonic() - start
    session_id = context.session.session_id
    return TextResult(
        f"{session_id} answered after {age_text(taken)}",
        {"milliseconds": round(taken * 1000, 3), "session_id": session_id},
    )


@command("session", example="session")
async def session(context: Context) -> Result:
    """Show what the gateway says of this session: its state, worker, lease, and versions."""
    live = context.live_session
    info = live.session.info
    state = await live.session.get_session_state()
    worker = await live.session.get_worker_info()
    lines = [
        f"session     {info.session_id}, {name_of(state)} at the gateway, {context.state} here",
        f"lease       {_LEASE}",
        f"worker      process {worker.worker_process_id}, version {worker.worker_version or 'unknown'}, "
        f"MXAccess {worker.mxaccess_version or 'unknown'}{_since(worker.started_at)}",
        f"protocol    gateway {info.gateway_protocol_version}, worker {info.worker_protocol_version}",
        f"backend     {info.backend_name or 'not named'}",
        f"time-out    {info.default_command_timeout:g} s for a command, by the gateway",
        f"can do      {', '.join(info.capabilities) or 'it names nothing'}",
    ]
    fields = {**dataclasses.asdict(info), "state": name_of(state), "worker": worker._asdict()}
    return TextResult("\n".join(lines), fields, info.session_id)


def _since(started_at: datetime | None) -> str:
    return f", since {date_and_time(started_at)}" if started_at else ""


@command("galaxy", example="galaxy", needs_session=False, stream=False)
async def galaxy(context: Context) -> Result:
    """Show the galaxy behind the gateway: how much is in it, when it was deployed, and whether the catalogue is whole.

    The gateway may serve the galaxy from a copy while its database is down: only the line "database" asks the
    database itself. The catalogue is what this shell has read for completion, at a prompt; a large one is kept in a
    file for the next start, unless the setting keep-galaxy is off.
    """
    client, catalogue = context.connected.client, context.catalogue
    # All at once: where the database hangs, each waits for its time-out.
    database, deployed, state = await asyncio.gather(
        _answered(client.galaxy.test_connection()),
        _answered(client.galaxy.last_deploy_time()),
        _answered(_galaxy_state(client)),
    )
    if context.interactive:
        catalogue.start(client)
    whole = catalogue.is_complete and catalogue.is_current
    known = (catalogue.areas, "area"), (catalogue.objects, "object"), (len(catalogue), "attribute")
    counts = ", ".join(counted(number, what) for number, what in known)
    lines = [
        f"database    {_database_text(database)}",
        f"deployed    {_deployed_text(deployed)}",
        f"contains    {_contents_text(state)}",
        f"catalogue   {counts if catalogue.objects else 'not read'}"
        f"{'' if whole or not catalogue.objects else ', not all of it yet'}",
    ]
    if catalogue.error:
        lines.append(f"            reading it failed: {catalogue.error}")
    earlier = catalogue.earlier
    if earlier.unverified is not None:
        lines.append(f"            {counted(earlier.unverified.tags, 'attribute')} {UNVERIFIED}")
    if earlier.path is not None:
        lines.append(f"kept        in {earlier.path}")
    elif earlier.problem:
        lines.append(f"kept        no: {earlier.problem}")
    fields = {
        "attributes": None if isinstance(state, MxGatewayError) else state.attribute_count,
        "catalogue": {
            "attributes": len(catalogue),
            "is_whole": whole,
            "kept_in": None if earlier.path is None else str(earlier.path),
            "objects": catalogue.objects,
        },
        "database_answers": database if isinstance(database, bool) else None,
        "objects": None if isinstance(state, MxGatewayError) else state.object_count,
        "time_of_last_deploy": deployed if isinstance(deployed, datetime) else None,
    }
    return TextResult("\n".join(lines), fields)


async def _galaxy_state(client: "GatewayClient") -> "DeployEvent":
    """Return the galaxy as it is deployed now: the first message of the deployments tells it."""
    try:
        async with asyncio.timeout(client.options.call_timeout), client.galaxy.watch_deploy_events() as deployments:
            return await anext(deployments)
    except (TimeoutError, StopAsyncIteration):
        raise MxGatewayError("the gateway does not say what is deployed", call="watch_deploy_events") from None


def _contents_text(state: "DeployEvent | MxGatewayError") -> str:
    if isinstance(state, MxGatewayError):
        return f"unknown: {state}"
    return f"{counted(state.object_count, 'object')}, {counted(state.attribute_count, 'attribute')}, says the gateway"


async def _answered(call: Any) -> Any:
    """Return what the call gives, or its error: one that fails leaves the others their answer."""
    try:
        return await call
    except MxGatewayError as error:
        return error


def _database_text(answer: "bool | MxGatewayError") -> str:
    if isinstance(answer, MxGatewayError):
        return f"unknown: {answer}"
    return "answers" if answer else "does not answer: what is shown may be a copy, from before a restart of the gateway"


def _deployed_text(answer: "datetime | MxGatewayError | None") -> str:
    if isinstance(answer, MxGatewayError):
        return f"unknown: {answer}"
    return date_and_time(answer) if answer else "never"


@command("drain-events", example="drain-events --count 10", stream=False, in_plan=False)
async def drain_events(context: Context, *, count: CountOption = None) -> Result:
    """Take events that wait in the worker out of its queue, at most --count of them.

    For a session whose events nobody reads. This shell reads them, and what is drained is missing there: it asks
    first, a gap is reported, and the values are read again.
    """
    await agreed(context, "take events away from the stream that this shell reads, so that it has a gap?")
    events = await context.session.drain_events(count or 0)
    text = "\n".join(map(event_text, events)) if events else "no events waited"
    records = [event_form(event) for event in events]
    return TextResult(text, {"events": records}, rows=Sheet(EVENT_COLUMNS, records))


@command("shutdown-worker", example="shutdown-worker", stream=False, in_plan=False)
async def shutdown_worker(context: Context) -> Result:
    """End the worker process of this session: the session is of no use any more.

    Its handles, advises and user ids go with it. The shell then opens another session and gives it the same items.
    Use it where a worker hangs, or to see what happens when one dies. It asks first.
    """
    session_id = context.session.session_id
    await agreed(context, f"end the worker of {session_id}, with its items and users?")
    await context.session.shutdown_worker()
    return TextResult(f"the worker of {session_id} was told to end", {"session_id": session_id})


async def _would_call(context: Context, kind: str, fields: Token | None = None) -> Result:
    _check_fields(kind, fields)
    return TextResult(f"would call {kind}", {"kind": kind, "planned": "call"})


def _written_by_call(scope: Scope, invocation: ParsedArguments) -> list[Written]:
    from zb_mom_ww_mxgateway.wire.json_commands import written_by_json

    kind, fields = (*invocation.positional, None)[:2]
    text = fields.text if fields else ""
    word = invocation.words[-1][1]
    assert word is not None
    return [Written(names_of_alarm(alarm), word) for alarm in written_by_json(kind, text)]


@command(
    "call",
    example='call add_item {"server_handle": 1, "item_definition": "TestChildObject.TestInt"}',
    mutating=True,
    preview=_would_call,
    traits=CommandTraits(writes=_written_by_call),
    stream=False,
)
async def call(
    context: Context, kind: Annotated[str, CommandKind()], fields: Annotated[Token | None, JsonObject()] = None
) -> Result:
    """Send any command of the contract, its fields as a JSON object, and show the reply as JSON.

    Names are the contract's (server_handle, item_definition), enum values too. What changes the plant passes the same
    guard as write does, and is sent once. An item handle is one of this session; items shows them.
    """
    _check_fields(kind, fields)
    reply = await context.session.call_json(kind, fields.text if fields else "")
    return TextResult(json.dumps(reply, indent=2, ensure_ascii=False), {"reply": reply}, reply)


def _check_fields(kind: str, fields: Token | None) -> None:
    """Raise the mistake in the fields, with its place."""
    from zb_mom_ww_mxgateway.wire.json_commands import command_from_json

    if fields is None:
        return
    try:
        command_from_json(kind, fields.text)
    except MxGatewayArgumentError as error:
        raise fields.mistake(str(error)) from None


COMMANDS = (ping, session, galaxy, drain_events, shutdown_worker, call)
