"""``mxgw-shell trust``: remembers the certificate that a gateway shows now."""

import asyncio
import os
import sys

import click

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.transport.tls import KnownGateways, seen_now
from zb_mom_ww_mxgateway_console.connect.options import KNOWN_GATEWAYS_VARIABLE
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, exit_code_of, one_line
from zb_mom_ww_mxgateway_console.text.wording import error_text

_TIMEOUT = 10.0


def trust_now(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> ExitCode:
    """Show the remembered and the present certificate; remember the present one if that is wanted."""
    try:
        return _trust(endpoint, fingerprint, known_gateways)
    except MxGatewayError as error:
        click.echo(redact(one_line(error_text(error))), err=True)
        return exit_code_of(error)


def _trust(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> ExitCode:
    file = KnownGateways(known_gateways or os.environ.get(KNOWN_GATEWAYS_VARIABLE) or None)
    known = file.get(endpoint)
    now = asyncio.run(seen_now(endpoint, _TIMEOUT))
    if known is not None:
        click.echo(f"trusted  SHA-256 {known.sha256}   (first seen {known.first_seen})")
    click.echo(f"now      SHA-256 {now.sha256}")
    if known is not None and known.sha256 == now.sha256:
        click.echo("unchanged: nothing to do")
        return ExitCode.DONE
    if fingerprint is not None:
        if fingerprint.replace(":", "").strip().upper() != now.sha256.replace(":", ""):
            click.echo(one_line(f"{endpoint} does not show the certificate {fingerprint}: not trusted"), err=True)
            return ExitCode.CANNOT_CONNECT
    elif not sys.stdin.isatty():
        click.echo("not trusted: without a terminal, name the certificate with --fingerprint SHA256", err=True)
        return ExitCode.USAGE
    elif not click.confirm("Is this the fingerprint in the gateway's log? Trust it from now on"):
        click.echo("not trusted", err=True)
        return ExitCode.GUARDED
    file.remember(now)
    click.echo(one_line(f"{endpoint} is trusted from now on, in {file.path}"))
    return ExitCode.DONE
