"""Commands about the tool itself."""

import platform

import click
from click.shell_completion import ShellComplete, get_completion_class

from zb_mom_ww_mxgateway.contract.adoption import BUILT_IN, spoken
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.version import GATEWAY_PROTOCOL_VERSION, __version__
from zb_mom_ww_mxgateway_cli.powershell import PowerShellCompletion
from zb_mom_ww_mxgateway_cli.running import report_options
from zb_mom_ww_mxgateway_console.render.report import Report

_VARIABLE = "_MXGW_PY_COMPLETE"


@click.command(
    epilog="""\b
bash        eval "$(mxgw-py completion bash)"  in ~/.bashrc (from bash 4.4)
zsh         eval "$(mxgw-py completion zsh)"   in ~/.zshrc, after compinit
fish        mxgw-py completion fish | source   in ~/.config/fish/config.fish
powershell  mxgw-py completion powershell | Out-String | Invoke-Expression
                                               in the file $PROFILE

\b
JSON: {"ok": true, "script": "…", "shell": "bash"}"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@report_options
def completion(report: Report, shell: str) -> None:
    """Print the script that completes commands and options in a shell."""
    complete = PowerShellCompletion if shell == PowerShellCompletion.name else get_completion_class(shell)
    assert complete is not None  # It is one of the four.
    made = complete(click.get_current_context().find_root().command, {}, "mxgw-py", _VARIABLE)
    # Not source() of the bash class, which starts bash to find its version.
    script = ShellComplete.source(made)
    # To the letter: names of its functions look like keys.
    report.lines(report.formatter.exact({"ok": True, "script": script, "shell": shell}, script.splitlines()))


@click.command(
    epilog="""\b
The schema (draft 2020-12) is of one line of --json or --output jsonl, and of
one object of --output json. A later version may add keys.

\b
JSON: {"command": "read", "ok": true, "schema": {…}}"""
)
@click.argument("words", nargs=-1, required=True, metavar="COMMAND")
@report_options
def schema(report: Report, words: tuple[str, ...]) -> None:
    """Print the JSON Schema of a command's --json."""
    from zb_mom_ww_mxgateway_cli.schemas import LINES, schema_lines, schema_of

    command = " ".join(words)
    if command not in LINES:
        raise click.UsageError(f"no schema of {command}: COMMAND is one of {', '.join(LINES)}")
    form = {"command": command, "ok": True, "schema": schema_of(command)}
    report.lines(report.formatter.exact(form, schema_lines(command)))


@click.command(
    epilog="""\b
JSON: {"contract": "built-in", "gateway_protocol_version": 3, "ok": true,
"python": "3.12.1", "version": "0.1.0"}"""
)
@report_options
def version(report: Report) -> None:
    """Print the version of this tool."""
    try:
        found = str(spoken())
    except MxGatewayArgumentError as error:
        # What is wrong is what whoever asks for the version wants to know.
        found = f"unusable: {error}"
    form = {
        "contract": found,
        "gateway_protocol_version": GATEWAY_PROTOCOL_VERSION,
        "ok": True,
        "python": platform.python_version(),
        "version": __version__,
    }
    report.line(form, f"mxgw-py {__version__}{'' if found == BUILT_IN else f', contract {found}'}")
