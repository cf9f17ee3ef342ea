"""The command line ``mxgw-shell``: a run or the prompt; its commands are loaded when one of them is needed."""

import re
import sys
from collections.abc import Sequence

import click

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, one_line
from zb_mom_ww_mxgateway_console.text.wording import mark_missing_help
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
from zb_mom_ww_mxgateway_shell.app.statement_options import run_options, statement_options


class _Subcommands(click.Group):
    """The commands, loaded when one is needed; a run needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        from zb_mom_ww_mxgateway_shell.app.subcommands import SUBCOMMANDS

        for each in SUBCOMMANDS:
            mark_missing_help(each)
            self.add_command(each)


@click.group(
    cls=_Subcommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 expectation not met, 2 usage, 3 refused by gateway or MXAccess, "
    "4 cannot connect or authenticate, 5 refused by a local guard, 6 outcome unknown or not put back, "
    "7 left changed (--leave-clean), 70 internal error, 130 interrupted.",
)
@click.version_option(__version__, prog_name="mxgw-shell")
@statement_options
@click.option(
    "-c",
    "scripts",
    multiple=True,
    metavar="FILE.mxs",
    help="Run a command file; - for standard input; may be repeated.",
)
@click.option("-e", "lines", multiple=True, metavar="LINE", help="Run a line; may be repeated.")
@click.option("--python", "python", metavar="FILE.py", help="Run a Python file on the live session.")
@click.option("--record", metavar="FILE.jsonl", help="Write the record of the run, line by line.")
@run_options
@click.option("--plan", "planned", metavar="HASH", help="Run -c FILE only as it was planned, and once.")
@click.option("--read-only", "refuses_writes", is_flag=True, help="Refuse everything that would change the plant.")
@click.pass_context
def command(
    context: click.Context,
    given: LaunchOptions,
    scripts: tuple[str, ...],
    lines: tuple[str, ...],
    python: str | None,
    record: str | None,
    planned: str | None,
    refuses_writes: bool,
) -> None:
    """Operator shell for the MXAccess Gateway.

    With a terminal: a prompt. With -c, -e, --python or standard input: runs the statements and stops at
    the first that fails.
    """
    if sum([bool(scripts), bool(lines), python is not None]) > 1:
        raise click.UsageError("-c, -e and --python exclude each other")
    if context.invoked_subcommand is not None and (scripts or lines or python is not None):
        raise click.UsageError(f"-c, -e and --python are for a run: leave them out before {context.invoked_subcommand}")
    if scripts.count("-") > 1:
        raise click.UsageError("-c - may be given once: there is one standard input")
    if planned is not None and (not scripts or not re.fullmatch("[0-9a-fA-F]{64}", planned.strip())):
        raise click.UsageError("--plan is for -c FILE: the hash that mxgw-shell plan FILE shows, 64 hexadecimal digits")
    if planned is not None and given.steps:
        raise click.UsageError("--plan and --step exclude each other: a plan is of whole files")
    if refuses_writes and given.consent.arm:
        raise click.UsageError("--read-only and --arm exclude each other")
    if given.leave_clean and context.invoked_subcommand == "plan":
        raise click.UsageError("--leave-clean is for runs: a plan writes nothing")
    if given.steps and not scripts and python is None and context.invoked_subcommand != "test":
        raise click.UsageError("--step is for files: -c, --python, or test")
    wanted = given._replace(
        read_only="started with --read-only" if refuses_writes else "",
        evidence=given.evidence._replace(record=record),
        plan_hash=(planned or "").strip().lower(),
    )
    context.obj = wanted
    if context.invoked_subcommand is not None:
        return
    wanted.check()
    from zb_mom_ww_mxgateway_shell.app.main import run_python, run_statements

    context.exit(run_statements(wanted, scripts, lines) if python is None else run_python(wanted, python))


mark_missing_help(command)


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    try:
        # Given, so that they stay as they were typed: on Windows click would replace *, ~ and $NAME in them.
        return command.main([*arguments], "mxgw-shell", standalone_mode=False) or 0
    except click.ClickException as error:
        return _end(error.format_message(), ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _end("interrupted", ExitCode.INTERRUPTED)
    except Exception as error:
        from zb_mom_ww_mxgateway_shell.app.main import report_failed_start

        return report_failed_start(error, sys.argv)


def _end(message: str, code: ExitCode) -> ExitCode:
    sys.stderr.write(f"mxgw-shell: {redact(one_line(message))}\n")
    return code
