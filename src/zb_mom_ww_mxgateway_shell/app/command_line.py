"""The options of ``mxgw-shell``. What it does with them is in other modules, which are loaded when they are needed."""

import functools
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_console.connect.options import connection_options
from zb_mom_ww_mxgateway_console.connect.write_options import write_options
from zb_mom_ww_mxgateway_console.process.log_options import log_options
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, one_line
from zb_mom_ww_mxgateway_console.text.wording import mark_missing_help
from zb_mom_ww_mxgateway_shell.app.demo_options import DemoOptions, demo_options
from zb_mom_ww_mxgateway_shell.app.file_arguments import many_files
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
from zb_mom_ww_mxgateway_shell.app.report_options import report
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.formats import FORMATTERS, Formatter

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


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


def _as_given(*options: Decorator) -> Decorator:
    """Return a decorator that adds options. A command gets all that are added so as one LaunchOptions, `given`."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def with_given(given: LaunchOptions | None = None, **arguments: Any) -> None:
            own = {name: arguments.pop(name) for name in LaunchOptions._fields if name in arguments}
            function(given=(given or LaunchOptions())._replace(**own), **arguments)

        decorated: Callable[..., None] = with_given
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def _report_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--report`` and ``--about``; the command gets them as one `evidence` argument."""

    @functools.wraps(function)
    def with_evidence(report: str | None, about: tuple[str, ...], **arguments: Any) -> None:
        function(evidence=RecordOptions(report=report, about=about), **arguments)

    about = click.option("--about", multiple=True, metavar="NAME=TEXT", help="What a record is about; may be repeated.")
    report = click.option("--report", metavar="FILE.html|.md", help="Write a report at the end.")
    return report(about(with_evidence))


statement_options = _as_given(
    connection_options,
    demo_options,
    click.option("--profile", metavar="NAME", help="Connect with this profile of the profiles file."),
    click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value of $NAME."),
    form_options(lambda form: form.option_help),
    click.option("-q", "--quiet", is_flag=True, help="Show only what fails."),
    click.option("--debug", is_flag=True, help="Show tracebacks."),
    log_options("mxgw-shell", lambda log: click.get_current_context().with_resource(log)),
)
"""Options of commands that take statements."""
run_options = _as_given(
    write_options,
    click.option(
        "--step", "steps", multiple=True, metavar="GLOB", help="Run the steps with such titles; may be repeated."
    ),
    click.option("--report-junit", "junit", metavar="FILE", help="Write a JUnit report."),
    _report_options,
    click.option("--yes", "assume_yes", is_flag=True, help="Answer yes to every confirm, and to commands that ask."),
    click.option("--leave-clean", is_flag=True, help="Exit with 7 if something is left changed."),
)
"""Options of commands that run them: what may be written, what is run, and what becomes of its outcome."""


@click.group(
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


@command.command()
@many_files("files", "FILE.mxs…")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value of $NAME.")
@form_options(lambda form: form.finding_help)
@click.pass_obj
def lint(outer: LaunchOptions, files: tuple[str, ...], variables: tuple[str, ...], output: str) -> None:
    """Check command files without a gateway, and report all mistakes.

    Exits with 2 if something is wrong; a warning alone is not.
    """
    from zb_mom_ww_mxgateway_shell.app.main import check_files

    wanted = outer.joined(LaunchOptions(variables=variables, output=output))
    click.get_current_context().exit(check_files(wanted, files))


@command.command()
@many_files("files", "FILE.mxs…")
@statement_options
@click.pass_obj
def plan(outer: LaunchOptions, files: tuple[str, ...], given: LaunchOptions) -> None:
    """Connect, read, and show of each line of command files what it would do. Writes nothing.

    What a line reads counts the writes planned before it. Exits with 2 if a line cannot pass: no such tag,
    read-only, nobody to sign, out of limits, a value of another type. Ends with the set of writes and a hash:
    mxgw-shell -c FILE --plan HASH runs exactly that, once.
    """
    if outer.junit is not None or outer.evidence.is_wanted:
        name = "--report-junit" if outer.junit is not None else "--record"
        raise click.UsageError(f"{name} is for runs: a plan proves nothing")
    wanted = outer.joined(given)
    wanted.check()
    from zb_mom_ww_mxgateway_shell.app.main import run_statements

    wanted = wanted._replace(read_only="a plan writes nothing")
    click.get_current_context().exit(run_statements(wanted, files, (), plans=True))


def _seconds(_context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Return a time such as ``10m`` in seconds."""
    if text is None:
        return None
    from zb_mom_ww_mxgateway_console.render.text_values import parse_duration  # Lazy: few suites have a limit.

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


@command.command()
@many_files("files", "FILE|FOLDER…")
@statement_options
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="Run the files with this tag; may be repeated.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, metavar="N", help="Run N files at a time, at most.")
@click.option("--retries", type=click.IntRange(0, 10), default=0, metavar="N", help="Run what failed again, N times.")
@click.option("--vars", "names_file", metavar="FILE.toml", help="Names and values, like --var; no secrets.")
@click.option("--shuffle", "seed", type=int, metavar="SEED", help="Run the files in the order that this seed gives.")
@click.option("--time-limit", metavar="TIME", callback=_seconds, help="Longest time for a file without its own: 10m.")
@click.option("--records", metavar="FOLDER", help="Write the record of each file into this folder.")
@run_options
@click.pass_obj
def test(
    outer: LaunchOptions,
    files: tuple[str, ...],
    given: LaunchOptions,
    tags: tuple[str, ...],
    jobs: int,
    retries: int,
    names_file: str | None,
    seed: int | None,
    time_limit: float | None,
    records: str | None,
) -> None:
    """Run command files as one suite: each in a session of its own, with one table and one report at the end.

    In a folder all *.mxs files are found, sorted; what another file includes is not run by itself.
    """
    wanted = outer.joined(given)
    wanted.check()
    if wanted.read_only and wanted.consent.arm:
        raise click.UsageError("--read-only and --arm exclude each other")
    if wanted.evidence.record is not None:
        raise click.UsageError("--record is for one run: --records FOLDER keeps one of each file")
    if wanted.evidence.about and records is None and wanted.evidence.report is None:
        raise click.UsageError("--about is for records: add --records FOLDER or --report FILE")
    from zb_mom_ww_mxgateway_shell.app.suites import run_suite

    code = run_suite(
        wanted,
        files,
        names_file,
        tags=tags,
        jobs=jobs,
        retries=retries,
        seed=seed,
        records=records,
        time_limit=time_limit,
    )
    click.get_current_context().exit(code)


@command.command()
@click.argument("endpoint", metavar="HOST:PORT")
@click.option("--fingerprint", metavar="SHA256", help="Trust only this certificate; asks nothing.")
@click.option("--known-gateways", metavar="FILE", help="Remembered certificates; or set MXGATEWAY_KNOWN_GATEWAYS.")
def trust(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> None:
    """Trust the certificate that a gateway shows now, instead of the remembered one."""
    from zb_mom_ww_mxgateway_shell.app.trust import trust_now

    click.get_current_context().exit(int(trust_now(endpoint, fingerprint, known_gateways)))


@command.command()
@click.option("--demo", is_flag=True, help="Show an embedded simulated gateway.")
@click.option("--profile", metavar="NAME", help="Connect with this profile, and show what its key mcp names.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_obj
def mcp(outer: LaunchOptions, demo: bool, profile: str | None, debug: bool) -> None:
    """Let a program that speaks the Model Context Protocol look at a plant, on standard input and output.

    Tools browse, find, read, history, alarms and why; nothing that writes. A profile's key mcp = ["Plant.*"] names the
    tags that are shown. Needs the extra mcp.
    """
    wanted = outer.joined(LaunchOptions(demo_plant=DemoOptions(demo=demo), profile=profile, debug=debug))
    wanted.check()
    if not (wanted.demo or wanted.profile):
        raise click.UsageError("--profile NAME names the gateway and what of it is shown; or --demo")
    from zb_mom_ww_mxgateway_shell.app.mcp_server import run_server

    click.get_current_context().exit(run_server(wanted))


command.add_command(report)


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    for each in (command, *command.commands.values()):
        mark_missing_help(each)
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
