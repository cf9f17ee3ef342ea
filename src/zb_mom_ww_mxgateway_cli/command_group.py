"""The command group ``mxgw-py``; runs one command line.

A command is a click function with ``@gateway_options``, in the module of its topic: it checks its arguments,
and gives its runner an action for the connected client. Exit codes, errors and JSON come from the runner and
its report.
"""

import os
from importlib import import_module

import click

from zb_mom_ww_mxgateway.times import TIMES, TIMES_VARIABLE, times_by_environment
from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_cli.commands.index import MODULE_OF
from zb_mom_ww_mxgateway_cli.gateways import Gateways
from zb_mom_ww_mxgateway_cli.running import CommandRun, form_asked_for
from zb_mom_ww_mxgateway_console.process.standard_streams import why_not_written
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, ExpectationNotMet
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.text.wording import mark_missing_help


class _LazyGroup(click.Group):
    """The commands by name; each is loaded when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(MODULE_OF)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in MODULE_OF:
            return _load(cmd_name)
        # click looks for similar names here.
        self.commands = {name: _load(name) for name in MODULE_OF}
        return None


def _load(name: str) -> click.Command:
    module = import_module(f"zb_mom_ww_mxgateway_cli.commands.{MODULE_OF[name]}")
    command: click.Command = getattr(module, name.replace("-", "_"))
    mark_missing_help(command)
    return command


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Exit codes:
  0  done                             4    cannot connect or authenticate
  1  expectation not met              5    refused by a local guard
  2  usage                            6    outcome unknown; never sent again
  3  refused by gateway or MXAccess,  7    of mxgw-shell alone: left changed
     or some entries of a bulk call   70   internal error
                                      130  interrupted

\b
With --json, or --output jsonl, everything is one JSON object a line on
standard output, with sorted keys and times in UTC; text has local times with
their zone, or UTC if MXGATEWAY_TIMES=utc. An error is the last line,
also there: {"error": {"exit_code": 3, "message": "…", "type": "…", …},
"ok": false}. --output json is one document: the object, or a list if there
may be several. --output csv has a heading, and another one before results
with other columns. mxgw-py schema COMMAND prints a JSON Schema.""",
)
@click.version_option(__version__, prog_name="mxgw-py", message="%(prog)s %(version)s")
@click.pass_context
def mxgw_py(context: click.Context) -> None:
    """One-shot commands for an MXAccess gateway. mxgw-shell keeps a session."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(ExitCode.USAGE)


mark_missing_help(mxgw_py)


def _check_times() -> None:
    if (named := times_by_environment()) not in TIMES:
        raise click.UsageError(f"{TIMES_VARIABLE}: one of {', '.join(TIMES)} is expected, not {named}")


def run(arguments: list[str]) -> int:
    """Run one command line, report what goes wrong, and return the exit code."""
    report = Report()
    if os.environ.get("_MXGW_PY_COMPLETE", "").startswith("powershell_"):
        import_module("zb_mom_ww_mxgateway_cli.powershell")  # click asks for it by its name
    code: int
    try:
        _check_times()
        with Gateways() as gateways:
            command_run = CommandRun(report, gateways)
            code = mxgw_py.main(arguments, "mxgw-py", standalone_mode=False, obj=command_run) or ExitCode.DONE
            report.finish()
    except Exception as error:
        # A usage error may come before the options were read.
        if isinstance(error, click.UsageError) and not report.output and (asked := form_asked_for(arguments)):
            report.choose(asked)
        why = why_not_written(error)
        code = report.error(ExpectationNotMet(f"cannot write the output: {why}") if why else error)
    if report.reader_stuck:
        # Python would wait for the print, which waits for the reader.
        os._exit(code)
    return code
