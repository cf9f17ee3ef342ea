"""connect, trust, attach, disconnect, use, status."""

import asyncio
import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from zb_mom_ww_mxgateway.contract.adoption import spoken
from zb_mom_ww_mxgateway.errors import MxGatewayCertificateChangedError, MxGatewayTransportError
from zb_mom_ww_mxgateway.models.results import is_session_id
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway_console.connect.options import ENDPOINT_VARIABLE, Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, value_text
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.galaxy.catalog import UNVERIFIED
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, ConnectionArgument, FlagOption, Text
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.doubt_text import doubt_text
from zb_mom_ww_mxgateway_shell.output.results import Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.state.arming_text import arming_form, arming_text
from zb_mom_ww_mxgateway_shell.state.confirmation import may_leave
from zb_mom_ww_mxgateway_shell.state.connection import connection_text, lost_text
from zb_mom_ww_mxgateway_shell.state.connection_arguments import ConnectOptions, EndpointOrProfile
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.key_destinations import refuse_changing, refuse_stranger
from zb_mom_ww_mxgateway_shell.state.profile_connections import connect_profile, profile_asks_key


@command(
    "connect",
    example="connect localhost:5001 --api-key-env MXGATEWAY_API_KEY",
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(changes_subject="connection", asks_secret=profile_asks_key),
)
async def connect(
    context: Context,
    endpoint: Annotated[str | None, EndpointOrProfile()] = None,
    *,
    options: ConnectOptions,
    forget_certificate: FlagOption = False,
) -> Result:
    """Connect to a gateway, by HOST:PORT or profile name, and open a session.

    Open connections stay open; use NAME switches between them. Without HOST:PORT it reconnects with the earlier
    options and the given ones. The key comes from MXGATEWAY_API_KEY or another named source; it is never typed. If
    connecting fails, the present session stays. A file sends a key only to the gateway of its run, to a profile, or
    to a remembered gateway.
    """
    given = options.given() | ({"forget_certificate": True} if forget_certificate else {})
    current = context.current
    before = current.name if current else context.connected_as
    profile = context.profiles.profiles.get(endpoint or before)
    if profile is not None:
        if given:
            spelled = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ShellError(
                f"the profile {profile.name} has its own options: {spelled} cannot be added; "
                f"connect HOST:PORT takes options, or change the profile"
            )
        with _advised(profile.name):
            await connect_profile(context, profile)
        await context.connected.settled()
        if profile.watch:
            from zb_mom_ww_mxgateway_shell.feeds.watch_targets import watch_list  # Lazy: few profiles have a list.

            await watch_list(context, profile.watch)
        return TextResult(connected_text(context), _status_fields(context), context.session.session_id)
    if endpoint is None:
        if {"api_key_env", "api_key_file"} & given.keys():
            given = {"api_key_env": None, "api_key_file": None} | given
        known = current.connection if current else context.connection
        wanted, name = dataclasses.replace(known, **given), before
    else:
        wanted, name = (
            Connection(endpoint=endpoint, known_gateways=context.connection.known_gateways, **given),
            "",
        )
    refuse_stranger(context, wanted)
    with _advised(endpoint or ""):
        await context.connect(wanted, name)
    return TextResult(connected_text(context), _status_fields(context), context.session.session_id)


@contextmanager
def _advised(gateway: str) -> Iterator[None]:
    """Add to the error of a connection what to type next."""
    try:
        yield
    except MxGatewayCertificateChangedError as error:
        error.add_note(f"trust {gateway}".rstrip() + " does that here, too")
        raise
    except MxGatewayTransportError as error:
        error.add_note(f"doctor {gateway}".rstrip() + " finds the step that fails")
        raise


@command("trust", example="trust localhost:5001", needs_session=False, stands_alone=True)
async def trust(
    context: Context,
    endpoint: Annotated[str | None, EndpointOrProfile()] = None,
    *,
    fingerprint: Annotated[str | None, Text("sha256")] = None,
) -> Result:
    """Trust the certificate that a gateway shows now, instead of the remembered one.

    It shows both fingerprints and asks: compare the new one with the gateway's log. Without HOST:PORT or a profile it
    is about the connection in use. --fingerprint trusts that certificate alone, and asks nothing; a file needs it, and
    may name the gateway of its run or of a profile. Nothing is sent to the gateway.
    """
    connection = _trusting(context, endpoint)
    named = connection.endpoint or os.environ.get(ENDPOINT_VARIABLE)
    if not named:
        raise ShellError("not connected: name a gateway, trust HOST:PORT or trust PROFILE", ExitCode.USAGE)
    for is_so, how in (
        (connection.plaintext, "is reached in plaintext"),
        (connection.ca_file, f"is verified against {connection.ca_file}"),
        (connection.require_certificate_validation, "is verified against the system's roots"),
        (connection.forget_certificate, "is trusted anew for each connection"),
    ):
        if is_so:
            raise ShellError(f"{named} {how}: no certificate of it is remembered")
    refuse_changing(context, dataclasses.replace(connection, endpoint=named), "trust a certificate")
    if fingerprint is None and (context.runs_file or context.ask is None):
        raise ShellError("not trusted: where nobody is asked, name it with --fingerprint SHA256", ExitCode.USAGE)
    from zb_mom_ww_mxgateway_console.connect.shown_certificate import QUESTION, ShownCertificate  # Lazy: rarely needed.

    shown = await ShownCertificate.of(named, connection.known_gateways)
    form = {
        "changed": not shown.is_trusted,
        "endpoint": named,
        "file": str(shown.file.path),
        "fingerprint_sha256": shown.now.sha256,
        "trusted_before": shown.known and shown.known.sha256,
    }
    problem = shown.problem_with(fingerprint)
    if shown.is_trusted and not problem:
        return TextResult("\n".join((*shown.lines, "unchanged: nothing to do")), form)
    for line in shown.lines:
        context.notice(line)
    if problem:
        raise ShellError(problem, ExitCode.CANNOT_CONNECT)
    if fingerprint is None and (context.ask is None or not await context.ask(QUESTION)):
        raise ShellError("not trusted", ExitCode.GUARDED)
    return TextResult(await asyncio.to_thread(shown.remember), form)


def _trusting(context: Context, endpoint: str | None) -> Connection:
    """Return the options of the connection to that gateway, or of the connection in use."""
    if endpoint is None:
        return context.current.connection if context.current else context.connection
    if endpoint in context.profiles.profiles:
        return context.profiles.profiles[endpoint].connection
    known = [each.connection for each in context.connections.values()] + [context.connection]
    other = Connection(endpoint=endpoint, known_gateways=context.connection.known_gateways)
    return next((each for each in known if each.endpoint == endpoint), other)


class SessionId(ArgumentType):
    """The id of a session, as the gateway gave it to another program."""

    name = "session-id"

    def parse(self, word: Token, context: Scope) -> str:
        if not is_session_id(word.value):
            raise word.mistake("a session id is expected: session- and 32 hex digits")
        return word.value


@command(
    "attach",
    example="attach session-0123456789abcdef0123456789abcdef",
    needs_session=False,
    traits=CommandTraits(changes_subject="connection"),
)
async def attach(context: Context, session_id: Annotated[str, SessionId()]) -> Result:
    """Go on with a session that another program opened at this gateway, and leave it open at the end.

    It is a connection of its own, named after the session; use goes back to the other one. A session has one reader of
    its events: if the other program still reads them, the gateway refuses this one. What that program registered and
    added keeps working at the gateway, but its handles are unknown here. If the session is lost, it is not replaced.
    """
    current = context.connected
    name = f"{current.name.partition('/')[0]}/{session_id[:15]}"
    if any(each.live.session.session_id == session_id for each in context.connections.values()):
        raise ShellError(f"{session_id} is a session of this shell already; use lists its connections")
    # The same gateway: the same terms, but what is armed is armed for one session alone.
    terms = current.terms._replace(open_for_all=current.arming.open_for_all)
    await context.connect(current.connection, name, terms=terms, attached=session_id)
    context.connected.color = current.color
    return TextResult(connected_text(context), _status_fields(context), session_id)


@command(
    "disconnect",
    example="disconnect",
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(changes_subject="connection", leaves_none=True),
)
async def disconnect(context: Context, name: ConnectionArgument = None) -> Result:
    """Close the session and the connection: the current one, or the named one.

    After the current one none is in use until use NAME chooses one that is open. What a timed write waits to put back
    is put back first. At a prompt it asks if something stays changed.
    """
    if not context.connections:
        return TextResult("not connected")
    closing = name or context.connected.name
    if not await may_leave(context, [context.connections[closing]]):
        raise ShellError("not confirmed; the connection stays open", ExitCode.GUARDED)
    await context.disconnect(closing)
    now = f"; {context.why_none}" if context.connections and context.current is None else ""
    return TextResult(f"disconnected from {closing}{now}", {"disconnected": closing, "current": context.name or None})


@command(
    "use", example="use demo", needs_session=False, in_plan=True, traits=CommandTraits(changes_subject="connection")
)
async def use(context: Context, name: ConnectionArgument = None) -> Result:
    """Make another open connection the current one; without a name, list them."""
    if name is not None:
        context.current = context.connections[name]
        return TextResult(f"{name}: {context.state}", {"name": name, "state": context.state})
    rows = [
        ["*" if each is context.current else "", each.name, each.state, arming_text(each.arming)]
        for each in context.connections.values()
    ]
    records = [
        {"armed": each.arming.is_armed, "current": each is context.current, "name": each.name, "state": each.state}
        for each in context.connections.values()
    ]
    empty, columns = context.why_none, ("armed", "current", "name", "state")
    return Table(("", "name", "state", "writes"), rows, records, empty=empty, columns=columns)


@command("status", example="status", needs_session=False, stream=True, in_plan=True)
async def status(context: Context) -> Result:
    """Show the connection, the session, and what runs on it.

    In JSON lost_events is a lower bound: no number tells what was lost with a session.
    """
    if context.live is None or context.client is None:
        return TextResult(context.why_none, _status_fields(context))
    live = context.live
    advised = sum(item.advised for item in context.items)
    watched = len(context.connected.panel) if context.connected.has_panel else 0
    lines = [
        f"gateway     {connection_text(context.current)}",
        f"contract    {spoken()}",
        f"writes      {_writes_text(context.connected.arming)}",
        *([f"limits      {limits.text}"] if (limits := context.connected.desk.rules.limits) else []),
        f"session     {live.session.session_id}, {context.state}{_loss_text(live.lost)}",
        f"servers     {', '.join(f'{h} ({name})' for h, name in context.servers.items()) or 'none registered'}",
        f"items       {len(context.items)}, {advised} advised{f', {watched} watched' if watched else ''}",
        f"events      {live.events} received, {counted(live.gaps, 'gap')}, {lost_text(live)}",
        f"galaxy      {galaxy_text(context)}",
        *(f"recording   {each.path}, {counted(each.samples, 'sample')}" for each in context.connected.recording),
    ]
    lines += [f"in doubt    {write.name}   {doubt_text(write)}" for write in context.connected.doubtful.all()]
    if pending := context.connected.changes.pending:
        from zb_mom_ww_mxgateway_shell.output.revert_text import countdown_text  # Lazy: most sessions time no write.

        lines += [
            f"put back    {each.tag} to {value_text(each.original)} in {countdown_text(each)}" for each in pending
        ]
    if context.spool.path is not None:
        lines.append(f"copy        to {context.spool.path}")
    return TextResult("\n".join(lines), _status_fields(context))


def connected_text(context: Context) -> str:
    """Return the report of a new connection."""
    return f"connected to {connection_text(context.current)}\n{context.session.session_id}  {context.state}"


def galaxy_text(context: Context) -> str:
    """Return in words how much of the galaxy has been read."""
    catalogue = context.catalogue
    if catalogue.is_complete:
        known = (catalogue.areas, "area"), (catalogue.objects, "object"), (len(catalogue), "attribute")
        counts = ", ".join(counted(number, what) for number, what in known)
        if catalogue.error:
            return f"{counts}, from an earlier reading: the next one failed: {catalogue.error}"
        return f"{counts}; deployments go unnoticed: {catalogue.watch_error}" if catalogue.watch_error else counts
    earlier = ""
    if catalogue.earlier.unverified is not None:
        earlier = f"{counted(catalogue.earlier.unverified.tags, 'attribute')} {UNVERIFIED}"
    if catalogue.error:
        return f"not readable: {catalogue.error}{f'; {earlier}' if earlier else ''}"
    if earlier:
        return earlier
    return f"{catalogue.objects} objects so far" if catalogue.objects else "not read yet"


def _loss_text(lost: Exception | None) -> str:
    """Return why a session is lost and what that means; '' for one that is not."""
    if lost is None:
        return ""
    from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import loss_meaning  # Lazy: most sessions are not lost.

    return f": {lost}{loss_meaning(lost)}"


def _writes_text(arming: Arming) -> str:
    """Return what may be written, and why or why not."""
    why = arming.reason or arming.for_good or arming.disarmed_because
    return f"{arming_text(arming)}{f': {why}' if why else ''}"


_STATUS = (
    *("contract", "endpoint", "events", "fingerprint_sha256", "gaps", "items", "limits", "lost_events", "plaintext"),
    *("recordings", "servers", "session", "state", "writes"),
)


def _status_fields(context: Context) -> dict[str, object]:
    live, client = context.live, context.client
    if live is None or client is None:
        return dict.fromkeys(_STATUS) | {"recordings": [], "servers": [], "state": context.state}
    known = client.trust.known
    return {
        "contract": str(spoken()),
        "endpoint": client.options.endpoint,
        "events": live.events,
        "fingerprint_sha256": known and known.sha256,
        "gaps": live.gaps,
        "items": len(context.items),
        "limits": limits.text if (limits := context.connected.desk.rules.limits) else None,
        "lost_events": live.lost_events,
        "plaintext": client.trust.plaintext,
        "recordings": [str(each.path) for each in context.connected.recording],
        "servers": [{"client_name": name, "server_handle": handle} for handle, name in context.servers.items()],
        "session": {k: v for k, v in dataclasses.asdict(live.session.info).items() if k != "capabilities"},
        "state": context.state,
        "writes": arming_form(context.connected.arming),
    }


COMMANDS = (connect, trust, attach, disconnect, use, status)
