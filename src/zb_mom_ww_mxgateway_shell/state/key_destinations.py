"""Which gateways the lines of a file may send the user's key to: a file can come from anywhere."""

import os

from zb_mom_ww_mxgateway.transport.known_gateways import KnownGateways, endpoint_key
from zb_mom_ww_mxgateway_console.connect.options import ENDPOINT_VARIABLE, KNOWN_GATEWAYS_VARIABLE, Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.context import Context


def refuse_stranger(context: Context, wanted: Connection) -> None:
    """Raise ShellError where a file would send a key to a gateway that the user neither named at the start nor trusted
    before."""
    endpoint = wanted.endpoint or os.environ.get(ENDPOINT_VARIABLE)
    if not context.runs_file or not endpoint or not wanted.api_key():
        return
    named = [each for each in context.start_connections if _is_same(each.endpoint, endpoint)]
    if any(_is_trusted_alike(each, wanted) for each in named):
        return
    if named:
        less = [
            (wanted.plaintext, "in plaintext, which was started with TLS", "--plaintext"),
            (wanted.forget_certificate, "whatever its certificate is now", "--forget-certificate"),
            (True, "by another authority's certificate", "--ca-file"),
        ]
        how, option = next((how, option) for is_so, how, option in less if is_so)
        raise ShellError(
            f"blocked locally: a file may not send the key to {endpoint} {how}: "
            f"start with {option} if that is meant; nothing was sent",
            ExitCode.GUARDED,
        )
    if not (wanted.plaintext or wanted.ca_file or wanted.forget_certificate) and _is_remembered(wanted, endpoint):
        return
    raise ShellError(
        f"blocked locally: a file may not be the first to send the key to {endpoint}: "
        f"start with --endpoint {endpoint}, give it a profile, connect to it once at the prompt, "
        f"or run mxgw-shell trust {endpoint}; nothing was sent",
        ExitCode.GUARDED,
    )


def refuse_changing(context: Context, connection: Connection, what: str) -> None:
    """Raise ShellError where a file would change whom the user trusts, other than the gateway of its run or of a
    profile: files may send keys to those.

    `what` says in words what it would do.
    """
    if not context.runs_file:
        return
    profiles = [each.connection for each in context.profiles.profiles.values()]
    named = [
        each for each in (*context.start_connections, *profiles) if _is_same(each.endpoint, connection.endpoint or "")
    ]
    if not any(_is_trusted_alike(each, connection) for each in named):
        raise ShellError(
            f"blocked locally: a file may {what} only for the gateway that it was started with, or of a profile, not "
            f"{connection.endpoint}: do it at the prompt",
            ExitCode.GUARDED,
        )


def _is_same(one: str | None, other: str) -> bool:
    return one is not None and endpoint_key(one) == endpoint_key(other)


def _is_trusted_alike(named: Connection, wanted: Connection) -> bool:
    """Return whether a gateway must prove at least as much as for the user's own connection to it."""
    if named.plaintext or wanted.plaintext:
        return named.plaintext
    return wanted.forget_certificate <= named.forget_certificate and wanted.ca_file in (None, named.ca_file)


def _is_remembered(wanted: Connection, endpoint: str) -> bool:
    file = KnownGateways(wanted.known_gateways or os.environ.get(KNOWN_GATEWAYS_VARIABLE) or None)
    return file.get(endpoint) is not None
