"""The commands of ``mxgw-shell``. What they do with their options is in other modules."""

import click

from zb_mom_ww_mxgateway_shell.app.demo_options import DemoOptions
from zb_mom_ww_mxgateway_shell.app.file_arguments import many_files
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
from zb_mom_ww_mxgateway_shell.app.report_options import report
from zb_mom_ww_mxgateway_shell.app.statement_options import form_options, run_options, statement_options


@click.command()
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


@click.command()
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


@click.command()
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


@click.command()
@click.argument("endpoint", metavar="HOST:PORT")
@click.option("--fingerprint", metavar="SHA256", help="Trust only this certificate; asks nothing.")
@click.option("--known-gateways", metavar="FILE", help="Remembered certificates; or set MXGATEWAY_KNOWN_GATEWAYS.")
def trust(endpoint: str, fingerprint: str | None, known_gateways: str | None) -> None:
    """Trust the certificate that a gateway shows now, instead of the remembered one."""
    from zb_mom_ww_mxgateway_shell.app.trust import trust_now

    click.get_current_context().exit(int(trust_now(endpoint, fingerprint, known_gateways)))


@click.command()
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


SUBCOMMANDS = (lint, plan, test, trust, mcp, report)
