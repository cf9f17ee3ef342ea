"""Which front end runs: the prompt, statements, a Python file, or the check of files."""

import asyncio
import os
import sys
from collections.abc import Sequence

import click

from zb_mom_ww_mxgateway_console.connect import profiles_path
from zb_mom_ww_mxgateway_console.process.standard_streams import silence_grpc, why_not_written
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, one_line, safe
from zb_mom_ww_mxgateway_shell.app.launch import Launch
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
from zb_mom_ww_mxgateway_shell.output.formats import DEFAULT_FORM, FORMATTERS
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, problem_form, problem_lines
from zb_mom_ww_mxgateway_shell.scripts.entry import ScriptJob, lint_files, offline
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.scripts.run_consent import RunConsent
from zb_mom_ww_mxgateway_shell.scripts.run_options import RunOptions
from zb_mom_ww_mxgateway_shell.scripts.run_reports import RunReports


def run_statements(wanted: LaunchOptions, scripts: Sequence[str], lines: Sequence[str], *, plans: bool = False) -> int:
    """Run files, lines or standard input; with none of them and a terminal, the prompt. Return the exit code."""
    silence_grpc()
    if wanted.consent.arm and not (scripts or lines) and sys.stdin.isatty():
        # Who armed by habit would be armed without knowing it.
        raise click.UsageError("--arm is for runs: who types lines opens writes with arm GLOB")
    if not (
        scripts
        or lines
        or wanted.output
        or wanted.quiet
        or wanted.junit
        or wanted.leave_clean
        or wanted.evidence.is_wanted
    ):
        if _has_terminal():
            from zb_mom_ww_mxgateway_shell.terminal.prompt import at_prompt, why_no_prompt  # Lazy: runs have no prompt.

            if not (trouble := why_no_prompt()):
                prompt = Launch(wanted, lambda context: at_prompt(context, debug=wanted.debug), interactive=True)
                return asyncio.run(prompt.run())
            _hint(trouble)
        elif sys.stdin.isatty():
            _hint("standard output is no terminal")
        elif sys.platform == "win32" and "MSYSTEM" in os.environ:
            _hint("this window is no console to Windows programs; winpty mxgw-shell gives the prompt")
    # Read and checked before anything is connected: a file with a mistake has not half run.
    keeping = RecordKeeping(wanted.evidence, may_show=bool(scripts), is_plan=plans)
    reports = RunReports(wanted.junit, keeping)
    job = ScriptJob.of(scripts, lines, run_options(wanted, reports)._replace(plans=plans, plan_hash=wanted.plan_hash))
    if isinstance(job, int):
        return int(job)
    launch = Launch(
        wanted,
        job.run,
        connects=not job.stands_alone,
        never_began=job.report_unfinished,
        ended_badly=reports.end_badly,
        keeping=keeping,
    )
    return asyncio.run(launch.run())


def run_options(wanted: LaunchOptions, reports: RunReports) -> RunOptions:
    """Return how statements are run."""
    return RunOptions(
        variables=wanted.variables,
        formatter=wanted.formatter,
        quiet=wanted.quiet,
        debug=wanted.debug,
        consent=_consent(wanted),
        reports=reports,
        steps=wanted.steps,
    )


def _consent(wanted: LaunchOptions) -> RunConsent:
    """Return what the user lets a run write."""
    profiles = offline(()).profiles.profiles if profiles_path.is_there() else {}  # Most users have none.
    return RunConsent(
        wanted.consent,
        profiles.get(wanted.profile or ""),
        profiles,
        opens_all=wanted.demo,
        forbidden=bool(wanted.read_only),
    )


def run_python(wanted: LaunchOptions, file: str) -> int:
    """Run a Python file on the live session; return the exit code."""
    from zb_mom_ww_mxgateway_shell.python.file_runner import PythonFile  # Lazy: most runs have no Python.

    silence_grpc()
    keeping = RecordKeeping(wanted.evidence, may_show=True)
    reports = RunReports(wanted.junit, keeping)
    program = PythonFile.read(file, reports, steps=wanted.steps, quiet=wanted.quiet, debug=wanted.debug)

    def never_began(why: list[str]) -> None:
        reports.report_unfinished(file, why)

    launch = Launch(wanted, program.run, never_began=never_began, ended_badly=reports.end_badly, keeping=keeping)
    return asyncio.run(launch.run())


def check_files(wanted: LaunchOptions, files: Sequence[str]) -> int:
    """Report what is wrong with command files; return the exit code."""
    return int(lint_files(files, wanted.variables, wanted.formatter))


def report_failed_start(error: Exception, arguments: Sequence[str]) -> int:
    """Report what kept the program from starting, in the form that the command line asks for; return the exit code."""
    if why := why_not_written(error):
        sys.stderr.write(f"mxgw-shell: cannot write the output: {why}\n")
        return ExitCode.NOT_MET
    named = (form for name, form in FORMATTERS.items() if f"--{name}" in arguments)
    formatter = next(named, FORMATTERS[DEFAULT_FORM])
    if record := formatter.record({"command": "", "error": problem_form(error), "line": 0, "ok": False}):
        sys.stdout.write(f"{record}\n")
    else:
        *details, message = problem_lines(error, Statement("", 0), debug="--debug" in arguments)
        sys.stderr.write("".join(f"{safe(line)}\n" for line in [*details, f"mxgw-shell: {message}"]))
    return exit_code_for(error)


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _hint(why: str) -> None:
    reason = one_line(why).rstrip(".")
    sys.stderr.write(f"mxgw-shell: {reason}. Lines are read without a prompt; exit, or the end of them, leaves\n")
