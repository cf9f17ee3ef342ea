"""The console script ``mxgw-shell``: options, and which front end runs."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import click

from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_cli.connection import Connection, connection_options
from zb_mom_ww_mxgateway_cli.standard_streams import never_fail_on_a_character

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_cli.output import ExitCode
    from zb_mom_ww_mxgateway_shell.context import Context
    from zb_mom_ww_mxgateway_shell.profiles import Profile
    from zb_mom_ww_mxgateway_shell.scripts import Statements


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the command line asks for."""

    connection: Connection
    demo: bool
    script: str | None
    lines: tuple[str, ...]
    output: str
    """``table``, ``json`` or ``csv``; empty for the setting."""
    profile: str | None
    read_only: bool
    debug: bool

    @property
    def as_json(self) -> bool:
        return self.output == "json"


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
@click.option("--csv", "as_csv", is_flag=True, help="Results as CSV, with headings.")
@click.option("--profile", metavar="NAME", help="Connect as this profile of the profiles file says.")
@click.option("--read-only", is_flag=True, help="Refuse everything that would change the plant.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def command(
    context: click.Context,
    connection: Connection,
    demo: bool,
    script: str | None,
    lines: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    profile: str | None,
    read_only: bool,
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
    if profile and (demo or connection.endpoint):
        raise click.UsageError("--profile names its own endpoint: leave --endpoint and --demo out")
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    if script and lines:
        raise click.UsageError("-c and -e exclude each other")
    wanted = Wanted(
        connection=connection,
        demo=demo,
        script=script,
        lines=lines,
        output="json" if as_json else "csv" if as_csv else "",
        profile=profile,
        read_only=read_only,
        debug=debug,
    )
    context.exit(int(_run(wanted)))


@command.command()
@click.argument("endpoint", metavar="HOST:PORT")
@click.option("--fingerprint", metavar="SHA256", help="Trust only this certificate; asks nothing.")
@click.option("--known-gateways", metavar="FILE", help="Remembered certificates; or set MXGATEWAY_KNOWN_GATEWAYS.")
def trust(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> None:
    """Trust the certificate that a gateway shows now, in place of the remembered one."""
    from zb_mom_ww_mxgateway_shell.trusting import trust_now

    click.get_current_context().exit(int(trust_now(endpoint, fingerprint, known_gateways)))


def _run(wanted: Wanted) -> "ExitCode":
    # Its errors come as ours; what gRPC logs besides would stand between the lines.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    has_statements = wanted.script is not None or wanted.lines or wanted.output
    if not has_statements and sys.stdin.isatty() and sys.stdout.isatty():
        from zb_mom_ww_mxgateway_shell.terminal.session import at_prompt

        return asyncio.run(_connected(wanted, lambda context: at_prompt(context, debug=wanted.debug), interactive=True))

    from zb_mom_ww_mxgateway_shell import scripts

    # Read before anything is connected: a file that is not there has not half run.
    statements: Statements
    if wanted.script is not None:
        statements = scripts.file_statements(wanted.script)
    elif wanted.lines:
        statements = scripts.given_statements(wanted.lines)
    else:
        statements = scripts.standard_input_statements()

    def run(context: "Context") -> "Awaitable[ExitCode]":
        return scripts.ScriptRun(context, debug=wanted.debug).run(statements)

    return asyncio.run(_connected(wanted, run, interactive=False))


async def _connected(
    wanted: Wanted, front_end: "Callable[[Context], Awaitable[ExitCode]]", *, interactive: bool
) -> "ExitCode":
    """Connects where that is asked for, runs the front end, and lets go of everything."""
    from zb_mom_ww_mxgateway_cli.connection import ENDPOINT_VARIABLE
    from zb_mom_ww_mxgateway_cli.output import ExitCode, json_line
    from zb_mom_ww_mxgateway_shell import profiles
    from zb_mom_ww_mxgateway_shell.commands import all_commands
    from zb_mom_ww_mxgateway_shell.commands.watches import watch_list
    from zb_mom_ww_mxgateway_shell.context import Context
    from zb_mom_ww_mxgateway_shell.interrupts import ENDING, Interrupted, interruptible
    from zb_mom_ww_mxgateway_shell.problems import ShellError
    from zb_mom_ww_mxgateway_shell.statements import Statement, exit_code_for, problem_form, problem_lines

    context = Context(all_commands(), interactive=interactive)
    context.connection = wanted.connection
    context.read_only = "started with --read-only" if wanted.read_only else ""

    def stands_alone() -> bool:
        found = [context.registry.commands.get(line.split()[0]) for line in wanted.lines if line.strip()]
        return bool(found) and all(each is not None and each.stands_alone for each in found)

    async def connect_by_profile(profile: "Profile") -> None:
        if interactive:
            from zb_mom_ww_mxgateway_shell.terminal.asking import ask_secret

            context.ask_secret = ask_secret
        await context.connect_profile(profile)
        if interactive and profile.watch:
            try:
                await watch_list(context, profile.watch)
            except ShellError as error:
                context.notice(str(error))

    async def work() -> ExitCode:
        context.take_profiles(profiles.load())
        if wanted.output:
            context.settings.change("output", wanted.output)
        async with AsyncExitStack() as stack:
            stack.callback(context.spool.stop)
            if wanted.demo:
                from zb_mom_ww_mxgateway_shell.demo import simulated

                await stack.enter_async_context(simulated(context))
            else:
                stack.push_async_callback(context.disconnect)
                if wanted.profile:
                    await connect_by_profile(context.profiles.named(wanted.profile))
                elif (wanted.connection.endpoint or os.environ.get(ENDPOINT_VARIABLE)) and not stands_alone():
                    await context.connect(wanted.connection)
            return await front_end(context)

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


def main() -> NoReturn:
    """Runs ``mxgw-shell`` and exits with its code."""
    never_fail_on_a_character()
    try:
        code = command.main(prog_name="mxgw-shell", standalone_mode=False)
    except click.ClickException as error:
        code = _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("interrupted", 130)
    except Exception as error:
        from zb_mom_ww_mxgateway_shell.statements import exit_code_for, message_of

        if "--debug" in sys.argv:
            raise
        code = _fail(message_of(error), exit_code_for(error))
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    from zb_mom_ww_mxgateway_cli.output import one_line

    sys.stderr.write(f"mxgw-shell: {one_line(message)}\n")
    return code


if __name__ == "__main__":
    main()
