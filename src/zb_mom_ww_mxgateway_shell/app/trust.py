"""``mxgw-shell trust``: remembers the certificate that a gateway shows now."""

import asyncio
import sys

import click

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_console.connect.shown_certificate import QUESTION, ShownCertificate
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, exit_code_of, one_line
from zb_mom_ww_mxgateway_console.text.wording import error_text


def trust_now(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> ExitCode:
    """Show the remembered and the present certificate; remember the present one if that is wanted."""
    try:
        return _trust(endpoint, fingerprint, known_gateways)
    except MxGatewayError as error:
        click.echo(redact(one_line(error_text(error))), err=True)
        return exit_code_of(error)


def _trust(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> ExitCode:
    shown = asyncio.run(ShownCertificate.of(endpoint, known_gateways))
    for line in shown.lines:
        click.echo(line)
    if problem := shown.problem_with(fingerprint):
        click.echo(one_line(problem), err=True)
        return ExitCode.CANNOT_CONNECT
    if shown.is_trusted:
        click.echo("unchanged: nothing to do")
        return ExitCode.DONE
    if fingerprint is None:
        if not sys.stdin.isatty():
            click.echo("not trusted: without a terminal, name the certificate with --fingerprint SHA256", err=True)
            return ExitCode.USAGE
        if not click.confirm(QUESTION):
            click.echo("not trusted", err=True)
            return ExitCode.GUARDED
    click.echo(one_line(shown.remember()))
    return ExitCode.DONE
