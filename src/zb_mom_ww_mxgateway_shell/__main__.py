"""The console script ``mxgw-shell``: options, and which front end runs."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_cli.connection import Connection, connection_options

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_cli.output import ExitCode
    from zb_mom_ww_mxgateway_shell.context import Context
    from zb_mom_ww_mxgateway_shell.statements import Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the command line asks for."""

    connection: Connection
    demo: bool
    script: str | None
    lines: tuple[str, ...]
    as_json: bool
    debug: bool


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 expectation not met, 2 usage, 3 refused by gateway or MXAccess, "
    "4 cannot connect or authenticate, 5 refused by a local guard, 6 outcome unknown, 130 interrupted.",
)
@click.version_option(__version__, prog_name="mxgw-shell")
@connection_options
@click.option("--demo", is_flag=True, help="Connect to a simulated gateway inside this process.")
@click.option("-c", "script", metavar="FILE.mxs", help="Run a command file.")
@click.option("-e", "lines", multiple=True, metavar="LINE", help="Run a line; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per statement on standard output.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    connection: Connection,
    demo: bool,
    script: str | None,
    lines: tuple[str, ...],
    as_json: bool,
    debug: bool,
) -> None:
    """Operator shell for the MXAccess Gateway.

    With a terminal: a prompt. With -c, -e or standard input: runs the statements and stops at the
    first that fails.
    """
    if context.invoked_subcommand is not None:
        return
    if demo and connection.endpoint:
        raise click.UsageError("--demo has a gateway of its own: leave --endpoint out")
    if script and lines:
        raise click.UsageError("-c and -e exclude each other")
    wanted = Wanted(connection=connection, demo=demo, script=script, lines=lines, as_json=as_json, debug=debug)
    sys.exit(int(_run(wanted)))


@command.command()
@click.argument("endpoint", metavar="HOST:PORT")
@click.option("--fingerprint", metavar="SHA256", help="Trust only this certificate; asks nothing.")
@click.option("--known-gateways", metavar="FILE", help="Remembered certificates; or set MXGATEWAY_KNOWN_GATEWAYS.")
def trust(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> None:
    """Trust the certificate that a gateway shows now, in place of the remembered one."""
    from zb_mom_ww_mxgateway_shell.trusting import trust_now

    sys.exit(int(trust_now(endpoint, fingerprint, known_gateways)))


def _run(wanted: Wanted) -> "ExitCode":
    # Its errors come as ours; what gRPC logs besides would stand between the lines.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    interactive = wanted.script is None and not wanted.lines and sys.stdin.isatty() and sys.stdout.isatty()
    if interactive and not wanted.as_json:
        from zb_mom_ww_mxgateway_shell.terminal.session import at_prompt

        return asyncio.run(_connected(wanted, at_prompt, interactive=True))
    return asyncio.run(_connected(wanted, _statements, interactive=False))


async def _connected(
    wanted: Wanted, front_end: "Callable[[Context, Wanted], Awaitable[ExitCode]]", *, interactive: bool
) -> "ExitCode":
    """Connects where that is asked for, runs the front end, and lets go of everything."""
    from zb_mom_ww_mxgateway_cli.connection import ENDPOINT_VARIABLE
    from zb_mom_ww_mxgateway_cli.output import ExitCode, json_line
    from zb_mom_ww_mxgateway_shell.commands import all_commands
    from zb_mom_ww_mxgateway_shell.context import Context
    from zb_mom_ww_mxgateway_shell.interrupts import ENDING, Interrupted, interruptible
    from zb_mom_ww_mxgateway_shell.statements import Statement, exit_code_for, problem_form, problem_lines

    context = Context(all_commands(), interactive=interactive)
    context.connection = wanted.connection

    async def work() -> ExitCode:
        async with AsyncExitStack() as stack:
            if wanted.demo:
                from zb_mom_ww_mxgateway_shell.demo import simulated

                await stack.enter_async_context(simulated(context))
            else:
                stack.push_async_callback(context.disconnect)
                if wanted.connection.endpoint or os.environ.get(ENDPOINT_VARIABLE):
                    await context.connect(wanted.connection)
            return await front_end(context, wanted)

    try:
        return await interruptible(work(), ENDING)
    except Interrupted:
        return ExitCode.INTERRUPTED
    except Exception as error:
        if wanted.as_json:
            click.echo(json_line({"command": "connect", "error": problem_form(error), "line": 0, "ok": False}))
        else:
            for line in problem_lines(error, Statement("", 0), debug=wanted.debug):
                click.echo(line, err=True)
        return exit_code_for(error)


async def _statements(context: "Context", wanted: Wanted) -> "ExitCode":
    from zb_mom_ww_mxgateway_shell import scripts

    run = scripts.ScriptRun(context, as_json=wanted.as_json, debug=wanted.debug)
    if wanted.script is None and not wanted.lines:
        return await run.run(scripts.standard_input_statements())
    statements: Iterable[Statement] = (
        scripts.file_statements(wanted.script) if wanted.script else scripts.given_statements(wanted.lines)
    )
    return await run.run(statements)


def main() -> None:
    """Runs ``mxgw-shell``."""
    command(prog_name="mxgw-shell")


if __name__ == "__main__":
    main()
