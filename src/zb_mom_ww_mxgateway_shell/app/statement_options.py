"""The options that commands of ``mxgw-shell`` share."""

import functools
from collections.abc import Callable
from typing import Any

import click

from zb_mom_ww_mxgateway_console.connect.options import connection_options
from zb_mom_ww_mxgateway_console.connect.write_options import write_options
from zb_mom_ww_mxgateway_console.process.log_options import log_options
from zb_mom_ww_mxgateway_shell.app.demo_options import demo_options
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
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
