"""``mxgw-shell report``: makes reports of records of runs, verifies and seals records."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, json_line
from zb_mom_ww_mxgateway_console.text.terminal_text import safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.problems import exit_code_for, message_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.evidence.record_verification import RecordCheck
    from zb_mom_ww_mxgateway_shell.evidence.report import ReportForm


def make_report(records: Sequence[str], form: "ReportForm | None", output: str | None) -> ExitCode:
    """Write the report of one record, or the summary of several, to a file or standard output."""
    from zb_mom_ww_mxgateway_shell.evidence.report import form_of, read_report, report_text
    from zb_mom_ww_mxgateway_shell.process import report_files

    def made() -> ExitCode:
        if output is None and form != "md" and sys.stdout.isatty():
            raise ShellError("a page is no text for a terminal: --output FILE.html names a file, --md shows Markdown")
        reports = [read_report(Path(each)) for each in records]
        text = report_text(reports, form or form_of(Path(output or "")))
        if output is None:
            _write(text)
        else:
            if any(Path(output).resolve() == Path(each).resolve() for each in records):
                raise ShellError(f"{output} is a record: it is never replaced by its report")
            report_files.write(Path(output), text)
        problems = [f"{each.source}: {problem}" for each in reports for problem in each.problems]
        for problem in problems:
            _say(problem)
        return ExitCode.NOT_MET if problems else ExitCode.DONE

    return _run(made)


def _write(text: str) -> None:
    """Write a report to standard output: in UTF-8, as the page says, unless a person reads it there."""
    if sys.stdout.isatty():
        sys.stdout.write(text)
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        raise ShellError(f"cannot write standard output: {error.strerror or error}") from error


def verify_record(record: str, journal: str | None, public_key: str | None, *, as_json: bool) -> ExitCode:
    """Show what holds of a record and what does not; NOT_MET if anything does not."""
    from zb_mom_ww_mxgateway.safety.seal_keys import SealKey
    from zb_mom_ww_mxgateway_shell.evidence.record_verification import verified

    def shown() -> ExitCode:
        if journal is not None and not Path(journal).is_dir():
            raise ShellError(f"--journal {journal}: no such folder")
        key = SealKey.read(Path(public_key)) if public_key else None
        checks = verified(Path(record), Path(journal) if journal else None, key)
        holds = not any(each.holds is False for each in checks)
        if as_json:
            form = {"checks": [each.form() for each in checks], "holds": holds, "record": record}
            click.echo(json_line(form))
        else:
            for each in checks:
                _show(each)
            click.echo(safe(f"{record}: {'all of it holds' if holds else 'NOT ALL OF IT HOLDS'}"))
        return ExitCode.DONE if holds else ExitCode.NOT_MET

    return _run(shown)


def _show(check: "RecordCheck") -> None:
    first, *rest = check.found
    word = {True: "holds: ", False: "DIFFERS: ", None: ""}[check.holds]
    click.echo(safe(f"{check.name:9}{word}{first}"))
    for each in rest:
        click.echo(safe(f"{'':9}{each}"))
    if check.holds:
        click.echo(safe(f"{'':9}proves: {check.proves}"))


def seal_record(record: str, key: str | None, new_key: str | None) -> ExitCode:
    """Seal a record with a key, or make a key."""
    from zb_mom_ww_mxgateway.safety.seal_keys import make_key
    from zb_mom_ww_mxgateway_shell.evidence.record_seal import seal, seal_file, to_seal

    def sealed() -> ExitCode:
        path = key
        to_seal(Path(record))  # Refused before a key is made.
        if new_key is not None:
            public, fingerprint = make_key(Path(new_key), _new_passphrase())
            click.echo(safe(f"{new_key} is your private key: keep it where the record is not"))
            click.echo(safe(f"{public} is its public key, which checks the seals: {fingerprint}"))
            path = new_key
        assert path is not None
        asked: Callable[[], Awaitable[str]] | None = None
        if sys.stdin.isatty():

            async def ask() -> str:
                return str(click.prompt(f"passphrase of {path}", hide_input=True, err=True))

            asked = ask
        made = asyncio.run(seal(Path(record), Path(path), asked))
        click.echo(safe(f"{record} is sealed in {seal_file(Path(record))}: {made}"))
        return ExitCode.DONE

    return _run(sealed)


def _new_passphrase() -> str:
    if not sys.stdin.isatty():
        return ""
    text = "passphrase of the new key (empty for none)"
    return str(click.prompt(text, default="", show_default=False, hide_input=True, confirmation_prompt=True, err=True))


def _run(action: Callable[[], ExitCode]) -> ExitCode:
    try:
        return action()
    except (ShellError, MxGatewayError) as error:
        _say(message_of(error))
        return exit_code_for(error)


def _say(text: str) -> None:
    sys.stderr.write(f"mxgw-shell: {safe(text)}\n")
