"""The console script ``mxgw-shell``: options, and which front end runs."""

import functools
import gc
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_console.connect.options import Connection, connection_options
from zb_mom_ww_mxgateway_console.process.log_options import log_options
from zb_mom_ww_mxgateway_console.process.standard_streams import (
    fill_closed_streams,
    never_fail_on_a_character,
    written_to_the_end,
)
from zb_mom_ww_mxgateway_console.text.help_texts import told_if_without
from zb_mom_ww_mxgateway_shell.output.formats import DEFAULT_FORM, FORMATTERS, Formatter

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter
    from zb_mom_ww_mxgateway_shell.state.context import Context
    from zb_mom_ww_mxgateway_shell.state.profiles import Profile


Decorator = Callable[[Callable[..., None]], Callable[..., None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class LaunchOptions:
    """What the command line asks for."""

    connection: Connection
    demo: bool
    output: str
    """The name of an output form; empty for the setting."""
    profile: str | None
    variables: tuple[str, ...]
    read_only: str
    """Why nothing may be written; empty where it may."""
    assume_yes: bool
    quiet: bool
    junit: str | None
    debug: bool

    @property
    def formatter(self) -> Formatter:
        """The output form of what does not belong to a run."""
        return FORMATTERS[self.output or DEFAULT_FORM]


def form_options(help_of: Callable[[Formatter], str]) -> Decorator:
    """Add an option for each output form that has a help text; the command gets the chosen name, or '', as `output`."""
    names = {f"as_{name.replace('-', '_')}": name for name, form in FORMATTERS.items() if help_of(form)}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def with_form(**arguments: Any) -> None:
            chosen = [name for flag, name in names.items() if arguments.pop(flag)]
            if len(chosen) > 1:
                *others, last = (f"--{name}" for name in names.values())
                raise click.UsageError(f"{', '.join(others)} and {last} exclude each other: name one")
            function(output=chosen[0] if chosen else "", **arguments)

        decorated: Callable[..., None] = with_form
        for flag, name in reversed(names.items()):
            decorated = click.option(f"--{name}", flag, is_flag=True, help=help_of(FORMATTERS[name]))(decorated)
        return decorated

    return decorate


def run_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of whatever runs statements."""
    options: list[Decorator] = [
        connection_options,
        click.option("--demo", is_flag=True, help="Connect to a simulated gateway inside this process."),
        click.option("--profile", metavar="NAME", help="Connect as this profile of the profiles file says."),
        click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="What $NAME stands for."),
        form_options(lambda form: form.option_help),
        click.option("-q", "--quiet", is_flag=True, help="Show only what fails."),
        click.option("--debug", is_flag=True, help="Show tracebacks."),
        log_options("mxgw-shell", lambda log: click.get_current_context().with_resource(log)),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 expectation not met, 2 usage, 3 refused by gateway or MXAccess, "
    "4 cannot connect or authenticate, 5 refused by a local guard, 6 outcome unknown, 70 internal error, "
    "130 interrupted.",
)
@click.version_option(__version__, prog_name="mxgw-shell")
@run_options
@click.option(
    "-c",
    "scripts",
    multiple=True,
    metavar="FILE.mxs",
    help="Run a command file; - for standard input; may be repeated.",
)
@click.option("-e", "lines", multiple=True, metavar="LINE", help="Run a line; may be repeated.")
@click.option("--python", "python", metavar="FILE.py", help="Run a Python file on the live session.")
@click.option("--report-junit", "junit", metavar="FILE", help="Write a JUnit report, with a case for each step.")
@click.option("--yes", "assume_yes", is_flag=True, help="Say yes to every confirm.")
@click.option("--read-only", is_flag=True, help="Refuse everything that would change the plant.")
@click.pass_context
def command(
    context: click.Context,
    connection: Connection,
    demo: bool,
    profile: str | None,
    variables: tuple[str, ...],
    output: str,
    quiet: bool,
    debug: bool,
    scripts: tuple[str, ...],
    lines: tuple[str, ...],
    python: str | None,
    junit: str | None,
    assume_yes: bool,
    read_only: bool,
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
    if junit is not None and python is not None:
        raise click.UsageError("--report-junit is for statements: -c, -e, or standard input")
    wanted = LaunchOptions(
        connection=connection,
        demo=demo,
        output=output,
        profile=profile,
        variables=variables,
        read_only="started with --read-only" if read_only else "",
        assume_yes=assume_yes,
        quiet=quiet,
        junit=junit,
        debug=debug,
    )
    context.obj = wanted
    if context.invoked_subcommand is not None:
        return
    _check(wanted)
    if python is not None:
        context.exit(_run_python(wanted, python))
    context.exit(int(_run(wanted, scripts, lines)))


def _check(wanted: LaunchOptions) -> None:
    if wanted.demo and wanted.connection.endpoint:
        raise click.UsageError("--demo has a gateway of its own: leave --endpoint out")
    if wanted.profile and (wanted.demo or wanted.connection.endpoint):
        raise click.UsageError("--profile names its own endpoint: leave --endpoint and --demo out")


@command.command()
@click.argument("files", metavar="FILE.mxs…", nargs=-1, required=True)
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="What $NAME stands for.")
@form_options(lambda form: form.finding_help)
@click.pass_obj
def lint(outer: LaunchOptions, files: tuple[str, ...], variables: tuple[str, ...], output: str) -> None:
    """Check command files without a gateway: everything that can be known is found, all of it.

    Exits with 2 when something is wrong; a warning alone is none.
    """
    from zb_mom_ww_mxgateway_shell.scripts.entry import lint_files

    given = (*outer.variables, *variables)
    click.get_current_context().exit(int(lint_files(files, given, FORMATTERS[output] if output else outer.formatter)))


@command.command()
@click.argument("file", metavar="FILE.mxs")
@run_options
@click.pass_obj
def plan(
    outer: LaunchOptions,
    file: str,
    connection: Connection,
    demo: bool,
    profile: str | None,
    variables: tuple[str, ...],
    output: str,
    quiet: bool,
    debug: bool,
) -> None:
    """Connect, read and evaluate a command file, and say what it would write. Writes nothing.

    What a wait, an expect or a capture asks for is looked at as it is now.
    """
    if outer.junit is not None:
        raise click.UsageError("--report-junit is for runs: nothing is proved by a plan")
    wanted = replace(
        outer,
        connection=connection if connection != Connection() else outer.connection,
        demo=demo or outer.demo,
        profile=profile or outer.profile,
        variables=(*outer.variables, *variables),
        output=output or outer.output,
        quiet=quiet or outer.quiet,
        debug=debug or outer.debug,
        read_only="a plan writes nothing",
    )
    _check(wanted)
    click.get_current_context().exit(int(_run(wanted, (file,), (), plans=True)))


@command.command()
@click.argument("endpoint", metavar="HOST:PORT")
@click.option("--fingerprint", metavar="SHA256", help="Trust only this certificate; asks nothing.")
@click.option("--known-gateways", metavar="FILE", help="Remembered certificates; or set MXGATEWAY_KNOWN_GATEWAYS.")
def trust(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> None:
    """Trust the certificate that a gateway shows now, in place of the remembered one."""
    from zb_mom_ww_mxgateway_shell.app.trust import trust_now

    click.get_current_context().exit(int(trust_now(endpoint, fingerprint, known_gateways)))


def _run(wanted: LaunchOptions, scripts: tuple[str, ...], lines: tuple[str, ...], *, plans: bool = False) -> int:
    import asyncio

    # Its errors come as ours; what gRPC logs besides would stand between the lines.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    has_statements = scripts or lines or wanted.output or wanted.quiet or wanted.junit
    if not has_statements and sys.stdin.isatty() and sys.stdout.isatty():
        from zb_mom_ww_mxgateway_shell.terminal.prompt import at_prompt, why_no_prompt

        if not (trouble := why_no_prompt()):
            return asyncio.run(
                _connected(wanted, lambda context: at_prompt(context, debug=wanted.debug), interactive=True)
            )
        _hint(trouble)
    elif not has_statements and sys.stdin.isatty():
        _hint("standard output is no terminal")
    elif not has_statements and sys.platform == "win32" and "MSYSTEM" in os.environ:
        _hint("this window is no console to Windows programs; winpty mxgw-shell gives the prompt")

    from zb_mom_ww_mxgateway_shell.scripts.entry import RunOptions, ScriptJob

    # Read and checked before anything is connected: a file with a mistake has not half run.
    runner = ScriptJob.of(
        scripts,
        lines,
        RunOptions(
            variables=wanted.variables,
            formatter=wanted.formatter,
            quiet=wanted.quiet,
            debug=wanted.debug,
            plans=plans,
            junit=wanted.junit,
        ),
    )
    if isinstance(runner, int):
        return runner
    return asyncio.run(
        _connected(
            wanted,
            runner.run,
            interactive=False,
            connects=not runner.stands_alone,
            never_began=runner.report_unfinished,
        )
    )


def _hint(why: str) -> None:
    from zb_mom_ww_mxgateway_console.render.forms import one_line

    sys.stderr.write(
        f"mxgw-shell: {one_line(why).rstrip('.')}. Lines are read without a prompt; exit, or the end of them, leaves\n"
    )


def _run_python(wanted: LaunchOptions, file: str) -> int:
    import asyncio

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from zb_mom_ww_mxgateway_shell.python.file_runner import PythonFile

    program = PythonFile.read(file, quiet=wanted.quiet, debug=wanted.debug)
    return int(asyncio.run(_connected(wanted, program.run, interactive=False)))


async def _connected(
    wanted: LaunchOptions,
    front_end: "Callable[[Context], Awaitable[int]]",
    *,
    interactive: bool,
    connects: bool = True,
    never_began: "Callable[[list[str]], None] | None" = None,
) -> int:
    """Connects where that is asked for and `connects`, runs the front end, and lets go of everything. What goes wrong
    before the front end runs is given to `never_began`, too."""
    from zb_mom_ww_mxgateway_console.connect.options import ENDPOINT_VARIABLE
    from zb_mom_ww_mxgateway_console.process.endings import ENDING
    from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe
    from zb_mom_ww_mxgateway_shell.commands import all_commands
    from zb_mom_ww_mxgateway_shell.errors import ShellError
    from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, problem_form, problem_lines
    from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, interruptible, on_signals
    from zb_mom_ww_mxgateway_shell.state.context import Context

    connection = wanted.connection
    context = Context(all_commands(), interactive=interactive)
    context.connection = connection
    context.read_only = wanted.read_only
    context.hurries = not interactive
    context.assume_yes = wanted.assume_yes
    context.give_names(wanted.variables)

    async def connect_by_profile(profile: "Profile") -> None:
        from zb_mom_ww_mxgateway_shell.state.profile_connections import connect_profile

        if interactive:
            from zb_mom_ww_mxgateway_shell.terminal.dialogs import ask_secret

            context.ask_secret = ask_secret
        await connect_profile(context, profile)
        if interactive and profile.watch:
            from zb_mom_ww_mxgateway_shell.commands.watches import watch_list

            try:
                await watch_list(context, profile.watch)
            except ShellError as error:
                context.notice(str(error))

    code: int | None = None
    may_have_written = is_over = False

    async def work() -> int:
        nonlocal code, connection, may_have_written, is_over
        if connection.api_key_file and _gives_once(connection.api_key_file):
            from zb_mom_ww_mxgateway_shell.process.unwaited import unwaited
            from zb_mom_ww_mxgateway_shell.state.profiles import with_key

            # A pipe gives its key once, when somebody writes it.
            context.connection = connection = with_key(connection, await unwaited(connection.api_key, "key"))
        context.load_profiles()
        if wanted.output:
            context.settings.change("output", wanted.output)
        async with AsyncExitStack() as stack:
            stack.callback(context.spool.stop)
            if wanted.demo:
                from zb_mom_ww_mxgateway_shell.app.demo import simulated

                await stack.enter_async_context(simulated(context))
            else:
                stack.push_async_callback(context.disconnect)
                if wanted.profile:
                    await connect_by_profile(context.profiles.named(wanted.profile))
                elif (connection.endpoint or os.environ.get(ENDPOINT_VARIABLE)) and connects:
                    await context.connect(connection)
            context.started_for.append(
                replace(connection, endpoint=connection.endpoint or os.environ.get(ENDPOINT_VARIABLE))
            )
            context.started_for += [each.connection for each in context.connections.values()]
            # What is there now stays: the collector need not look at it again.
            gc.freeze()
            gc.enable()
            code = ExitCode.DONE
            try:
                code = await front_end(context)
                is_over = True
            finally:
                may_have_written = any(each.arming.asked_at for each in context.connections.values())
        return code

    def leave_reader() -> None:
        # A pager may be read for hours, and nothing waits for what only looks.
        if context.writer.pending:
            context.writer.give_up()

    ended: int
    # Around the work's own: in no moment does a signal end it without its code.
    with on_signals(ENDING, leave_reader):
        try:
            ended = await interruptible(work(), ENDING, leave_reader)
        except Interrupted:
            if is_over:
                leave_reader()
            ended = (code or 0) if is_over else _graver(code, ExitCode.INTERRUPTED)
        except Exception as error:
            fields = {"command": "connect", "error": problem_form(error), "line": 0, "ok": False}
            if record := wanted.formatter.record(fields):
                context.writer.out(f"{record}\n")
            else:
                for line in problem_lines(error, Statement("", 0), debug=wanted.debug):
                    context.writer.err(f"{safe(line)}\n")
            if code is None and never_began is not None:
                try:
                    never_began(problem_lines(error, Statement("", 0)))
                except ShellError as problem:
                    # It changes nothing about why the run did not begin.
                    context.writer.err(f"mxgw-shell: no report: {safe(str(problem))}\n")
            # What failed first counts, not that it could not be closed either.
            ended = code or exit_code_for(error)
        return await _shown(context.writer, ended, _PATIENCE_SECONDS if may_have_written else None)


def _gives_once(path: str) -> bool:
    file = Path(path)
    return file.is_fifo() or file.is_char_device()


def _graver(code: int | None, other: int) -> int:
    from zb_mom_ww_mxgateway_console.render.forms import ExitCode, gravest

    known = set(ExitCode)
    return other if not code else gravest(ExitCode(code), ExitCode(other)) if code in known else code


_PATIENCE_SECONDS = 15.0
"""So long the reader of a run that may have changed something may take nothing, before its exit code is due."""


async def _shown(writer: "OutputWriter", code: int, patience: float | None) -> int:
    """Waits until what was said is read; the code, or another where it is not. Everything else is over by now."""
    from zb_mom_ww_mxgateway_console.render.forms import ExitCode

    await writer.drained(patience)
    if not writer.problem:
        return code
    if not writer.is_problem_said:
        writer.err(f"mxgw-shell: {writer.problem}: not all of it was shown\n")
        await writer.drained(None)
    return code or ExitCode.NOT_MET


def main() -> NoReturn:
    """Runs ``mxgw-shell`` and exits with its code."""
    # Of what is loaded now nothing is garbage, and looking for it would take a fifth of the start.
    gc.disable()
    fill_closed_streams()
    never_fail_on_a_character()
    for each in (command, *command.commands.values()):
        told_if_without(each)
    try:
        code = command.main(prog_name="mxgw-shell", standalone_mode=False)
    except click.ClickException as error:
        code = _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("interrupted", 130)
    except Exception as error:
        from zb_mom_ww_mxgateway_console.render.forms import safe
        from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, problem_form, problem_lines

        lines = problem_lines(error, Statement("", 0), debug="--debug" in sys.argv)
        code = exit_code_for(error)
        named = next((form for name, form in FORMATTERS.items() if f"--{name}" in sys.argv), FORMATTERS[DEFAULT_FORM])
        if record := named.record({"command": "", "error": problem_form(error), "line": 0, "ok": False}):
            sys.stdout.write(f"{record}\n")
        else:
            sys.stderr.write("".join(f"{safe(line)}\n" for line in [*lines[:-1], f"mxgw-shell: {lines[-1]}"]))
    if not written_to_the_end():
        code = code or 1
    # Python's own end collects several times, what is about to go anyway.
    gc.freeze()
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    from zb_mom_ww_mxgateway.auth import redact
    from zb_mom_ww_mxgateway_console.render.forms import one_line

    sys.stderr.write(f"mxgw-shell: {redact(one_line(message))}\n")
    return code


if __name__ == "__main__":
    main()
