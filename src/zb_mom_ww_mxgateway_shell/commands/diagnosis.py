"""why, last-error, doctor."""

import dataclasses
import time
from contextlib import suppress
from typing import Annotated, Any

import click

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import age_text, error_form, one_line
from zb_mom_ww_mxgateway_console.render.status_meanings import hresult_meaning, status_meaning
from zb_mom_ww_mxgateway_shell.diagnosis.doctor import Doctor
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import TAG, ItemOrTag, Target
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.doubt_text import MAY_STILL_HAPPEN
from zb_mom_ww_mxgateway_shell.output.problems import exit_code_for, message_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedAccepted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.state.connection_arguments import ConnectOptions, EndpointOrProfile
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.key_destinations import refuse_stranger
from zb_mom_ww_mxgateway_shell.state.profile_connections import keyed_connection, profile_asks_key

_REPLY_CHARACTERS = 500


class AnyTag(ItemOrTag):
    """An item or a tag, also one that is not in the galaxy: its absence is an answer, too."""

    def parse(self, word: Token, context: Scope) -> Target:
        if not word.is_quoted and word.text.replace("/", "").isdigit():
            return super().parse(word, context)
        tag = TAG.parse(word, context)
        found = context.find_item(tag)
        return Target(found.tag if found else tag, found, word)


@command("why", example="why Plant.Tank1.Level", needs_session=False)
async def why(context: Context, tag: Annotated[Target, AnyTag(may_add=True)]) -> Result:
    """Explain in plain words why a tag has its state, and what to do.

    It checks the connection, session, item, advise, value and last status, then what the galaxy has deployed, its
    security and its alarms. Each line is ok, note, BAD, or ? where the check was impossible. A tag that was never
    added is visited briefly and stays as it was.
    """
    from zb_mom_ww_mxgateway_shell.diagnosis.why import explain

    if context.current is not None:
        # A stream that is just starting is not broken; explain reports what it lost.
        with suppress(MxGatewayError, ShellError):
            await context.current.settled()
    return await explain(context, tag.tag, tag.item)


@command("last-error", example="last-error", needs_session=False)
async def last_error(context: Context) -> Result:
    """Show all details of the last error: codes, statuses, the raw reply, and the outcome."""
    failure = context.failure
    lost = context.live.lost if context.live else None
    if failure is None:
        if lost is None:
            return TextResult("nothing has gone wrong", {"error": None})
        return TextResult("\n".join(_rows(_facts(lost))), {"error": error_form(lost)})
    rows = [("line", redact(failure.line)), ("when", f"{age_text(max(0.0, time.time() - failure.at))} ago")]
    rows += _facts(failure.error)
    if lost is not None and lost is not failure.error:
        rows.append(("connection", f"{context.state}: {lost}"))
    form = error_form(failure.error) | {"exit_code": int(exit_code_for(failure.error)), "line": redact(failure.line)}
    if isinstance(failure.error, MxGatewayError):
        form["reply"] = _reply_text(failure.error) or None
    return TextResult("\n".join(_rows(rows)), {"error": form})


@command(
    "doctor",
    example="doctor",
    needs_session=False,
    stands_alone=True,
    traits=CommandTraits(asks_secret=profile_asks_key),
)
async def doctor(
    context: Context,
    endpoint: Annotated[str | None, EndpointOrProfile()] = None,
    *,
    options: ConnectOptions,
) -> Feed:
    """Check step by step whether a gateway can be reached and used; name the failed step and the remedy.

    The steps are name, port, certificate (remembered or changed, names, validity by the clock here), key, session,
    clock, version, galaxy, alarms; each has a deadline. Without HOST:PORT or a profile it checks the present
    connection. It needs no connection: mxgw-shell -e 'doctor plantgw:5001'. It opens and closes a session of its
    own, and neither remembers nor changes anything else.
    """
    given = Connection(
        endpoint=endpoint, known_gateways=context.connection.known_gateways, **dataclasses.asdict(options)
    )
    profile = context.profiles.profiles.get(endpoint or context.name)
    if profile is not None:
        return Doctor(endpoint or profile.name, profile.connection, lambda: keyed_connection(context, profile))
    if not options.given():
        given = _known_connection(context, endpoint) or given

    async def keyed() -> Connection:
        refuse_stranger(context, given)
        return given

    try:
        return Doctor(endpoint or context.name, given, keyed)
    except click.UsageError:
        raise ShellError("not connected: name a gateway, doctor HOST:PORT or doctor PROFILE") from None


def _known_connection(context: Context, endpoint: str | None) -> Connection | None:
    """Return the options by which that gateway, or the present one, is connected already."""
    if endpoint is None:
        return context.current.connection if context.current else context.connection
    known = [each.connection for each in context.connections.values()] + [context.connection]
    return next((each for each in known if each.endpoint == endpoint), None)


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    return [f"{name:<12} {one_line(text)}" for name, text in rows]


def _facts(error: BaseException) -> list[tuple[str, str]]:
    """Return the details of an error, without a key."""
    rows = [("error", f"{type(error).__name__}: {message_of(error)}"), ("outcome", _outcome(error))]
    if isinstance(error, MxGatewayError):
        known: list[tuple[str, Any]] = [
            ("call", error.call and f"{error.call}{f' at {error.endpoint}' if error.endpoint else ''}"),
            ("grpc code", error.grpc_code),
            ("protocol", None if error.protocol_status is None else name_of(error.protocol_status)),
            ("hresult", None if error.hresult is None else hresult_meaning(error.hresult)),
            *(("status", f"{status}: {status_meaning(status)}") for status in error.statuses),
            ("correlation", error.correlation_id),
            ("reply", _reply_text(error)),
        ]
        rows += [(name, str(text)) for name, text in known if text]
    cause = error.__cause__
    if cause is not None and str(cause) not in str(error):
        rows.append(("cause", redact(f"{type(cause).__name__}: {cause}")))
    return rows


def _outcome(error: BaseException) -> str:
    if isinstance(error, MxGatewayError):
        if error.outcome_unknown:
            return f"UNKNOWN: it may have been carried out, or {MAY_STILL_HAPPEN}; it was not sent again"
        if isinstance(error, MxGatewayArgumentError | MxGatewayWriteBlockedError):
            return "nothing was sent"
        if error.statuses or error.hresult is not None:
            return "refused by MXAccess: it was not carried out"
        return "not carried out, or it changes nothing in the plant"
    if isinstance(error, InterruptedAccepted):
        return "accepted: its effect is unknown, as nothing waited for its completion any more; it was not sent again"
    if isinstance(error, InterruptedInDoubt):
        return f"UNKNOWN: it may have been carried out, or {MAY_STILL_HAPPEN}; it was not sent again"
    if isinstance(error, Interrupted):
        return "nothing of it is in doubt"
    return "nothing was sent" if isinstance(error, ShellError) else "unknown"


def _reply_text(error: MxGatewayError) -> str:
    if error.reply is None:
        return ""
    text = redact(one_line(str(error.reply)))
    return text if len(text) <= _REPLY_CHARACTERS else f"{text[:_REPLY_CHARACTERS]} … ({len(text)} characters)"


COMMANDS = (why, last_error, doctor)
