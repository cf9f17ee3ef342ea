"""``mxgw-shell test``: many files as one suite."""

import asyncio
from collections.abc import Sequence

from zb_mom_ww_mxgateway_console.process.standard_streams import silence_grpc
from zb_mom_ww_mxgateway_shell.app.launch import Launch
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
from zb_mom_ww_mxgateway_shell.app.main import run_options
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.scripts.run_reports import RunReports
from zb_mom_ww_mxgateway_shell.scripts.suite import Suite, SuiteOptions
from zb_mom_ww_mxgateway_shell.state.files_read import Source


def run_suite(
    wanted: LaunchOptions,
    paths: Sequence[str],
    names_file: str | None,
    *,
    tags: tuple[str, ...],
    jobs: int,
    retries: int,
    seed: int | None,
    records: str | None,
    time_limit: float | None,
) -> int:
    """Run files, and those in folders; return the exit code of the worst. `names_file` has names and values."""
    silence_grpc()
    names: list[Source] = []
    reports = RunReports(wanted.junit, RecordKeeping(RecordOptions(), may_show=False))
    if names_file is not None:
        from zb_mom_ww_mxgateway_shell.language.variables_file import read_variables  # Lazy: most suites have none.

        try:
            given = read_variables(names_file, lambda content, name: names.append(Source.of(content, name)))
            # A name of the command line replaces one of the file.
            wanted = wanted._replace(variables=(*given, *wanted.variables))
        except ShellError as error:
            reports.refuse(names_file, [message_of(error)], error.exit_code)
            raise
    options = SuiteOptions(
        tags=tags,
        jobs=jobs,
        retries=retries,
        seed=seed,
        records=records,
        report=wanted.evidence.report,
        names=names[0] if names else None,
        about=wanted.evidence.about,
    )
    suite = Suite.of(paths, run_options(wanted, reports)._replace(time_limit=time_limit), options)
    if isinstance(suite, int):
        return int(suite)
    launch = Launch(wanted, suite.run, connects=not suite.stands_alone, never_began=suite.report_unfinished)
    return asyncio.run(launch.run())
