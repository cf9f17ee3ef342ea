"""The wording of command lines: what the library advises in their options, similar names, help without docstrings."""

import sys

import click

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.similar_names import closest as closest  # Offered to the command lines with the other wording.

WITHOUT_HELP = (
    "(no text of help: Python runs with -OO or PYTHONOPTIMIZE=2, which leaves it out)" if sys.flags.optimize > 1 else ""
)
"""What replaces a help text if Python left out the docstrings; empty if it did not."""
_OPTIONS = {
    "api_key=": "MXGATEWAY_API_KEY, or name a source with --api-key-env or --api-key-file",
    "ca_file=": "--ca-file",
    "plaintext=True": "--plaintext",
    "require_certificate_validation=True": "--require-certificate-validation",
    "server_name_override=": "--server-name-override",
}


def error_text(error: BaseException) -> str:
    """Return an error's text with the library's advice in the options of a command line.

    What the text quotes of others stays as it is.
    """
    text = str(error)
    if not isinstance(error, MxGatewayError) or not error.advice:
        return text
    before, advice, behind = text.rpartition(error.advice)
    return f"{before}{_in_options(advice, error.endpoint)}{behind}"


def _in_options(advice: str, endpoint: str | None) -> str:
    for argument, option in _OPTIONS.items():
        advice = advice.replace(argument, option)
    return advice.replace("have the new one remembered (KnownGateways.remember)", f"mxgw-shell trust {endpoint}")


def mark_missing_help(command: click.Command) -> None:
    """Have the command's help say so if it has no text."""
    if WITHOUT_HELP and not command.help:
        command.help = WITHOUT_HELP
        command.short_help = command.short_help or " "
