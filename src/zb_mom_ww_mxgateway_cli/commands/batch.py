"""Runs command lines from standard input over connections that stay open."""

import gc
import re
import shlex
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import click

from zb_mom_ww_mxgateway_cli.running import CommandRun, consent_options, report_options
from zb_mom_ww_mxgateway_console.connect.options import Connection, connection_options, profile_option
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_console.render.forms import ExpectationNotMet
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.text.text_files import CURLY, LINE_END, describe_curly, describe_line_end

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|\\.', re.DOTALL)
END_OF_RESULT = "__MXGW_BATCH_EOR__"


@click.command(
    epilog="""\b
A line is what follows mxgw-py: words, quoted as in a POSIX shell. Blank
lines, and lines that begin with #, are skipped. Every other line is answered
by its JSON, then by a line __MXGW_BATCH_EOR__. A line that fails is answered
by {"error": {"exit_code": 2, …}, "ok": false}, and the next one runs. Streams
need an end there: --count or --for.

\b
All lines of one endpoint share one connection. The connection options given
here are the defaults of the lines. A line may name another gateway, with
--endpoint or --profile: no setting of a profile applies to another gateway,
and a key that is named here with a gateway is sent to that gateway alone.
Nor may what --arm names here be written at another gateway.

\b
Exit code 0 when the input ends, also if lines failed; 1 when the reader of
the answers has left; 130 when interrupted, after the line's answer."""
)
@profile_option
@connection_options
@consent_options
@report_options
@click.pass_context
def batch(
    context: click.Context, connection: Connection, profile: str | None, consent: WriteConsent, report: Report
) -> None:
    """Run a command for every line of standard input."""
    command_run: CommandRun = context.obj
    if command_run.in_batch:
        raise click.UsageError("a batch does not run in a batch")
    if profile is not None:
        from zb_mom_ww_mxgateway_console.connect.profiles import by_profile

        by_profile(profile, connection)  # A mistake in the profile is not one of a line.
    root = context.find_root().command
    assert isinstance(root, click.Group)
    try:
        Batch(root, command_run, connection, consent, profile).run(_lines())
    except KeyboardInterrupt:
        raise click.Abort from None


def _lines() -> Iterator[bytes]:
    # Bytes: lines do not depend on the locale, and one that is not text does not end the batch.
    if sys.stdin is not None:
        yield from sys.stdin.buffer


class Batch:
    """Runs lines and prints an answer for each."""

    def __init__(
        self,
        commands: click.Group,
        command_run: CommandRun,
        connection: Connection,
        consent: WriteConsent,
        profile: str | None,
    ) -> None:
        self._commands = commands
        self._report = command_run.report
        self._gateways = command_run.gateways
        given = {
            name: value
            for options, plain, names in (
                (connection, Connection(), [each.name for each in fields(connection)]),
                (consent, WriteConsent(), consent._fields),
            )
            for name in names
            if (value := getattr(options, name)) != getattr(plain, name)
        }
        if profile is not None:
            given["profile"] = profile
        # click would take them for defaults of the group's own options.
        own = {option.name for option in commands.params}
        names = set(commands.list_commands(click.get_current_context()))
        self._defaults = dict.fromkeys(names - own, given)

    def run(self, lines: Iterator[bytes]) -> None:
        """Run lines until they end. Raise ExpectationNotMet if there is no reader, click.Abort for Ctrl-C."""
        gc.enable()  # Also for lines that never connect: there may be many.
        for number, line in enumerate(lines, 1):
            # Some programs start a file with a byte-order mark.
            stripped = line.removeprefix(BOM_UTF8).strip()
            if stripped and not _is_comment(stripped):
                self._answer(number, stripped)

    def _answer(self, number: int, line: bytes) -> None:
        report = Report()
        report.choose("jsonl")
        interrupted = False
        try:
            self._run(_words(number, line), report)
        except Exception as error:
            report.error(error)
            interrupted = isinstance(error, click.Abort)
        report.lines([END_OF_RESULT])
        self._report.reader_stuck = report.reader_stuck
        if interrupted or self._gateways.interrupted:
            raise click.Abort
        if report.reader_gone:
            raise ExpectationNotMet(f"the reader of the answers has left: stopped after line {number}")

    def _run(self, words: list[str], report: Report) -> None:
        settings: dict[str, Any] = {
            "obj": CommandRun(report, self._gateways, in_batch=True),
            "default_map": self._defaults,
            # Help is not JSON.
            "help_option_names": [],
        }
        self._commands.main(words, "mxgw-py", standalone_mode=False, **settings)


def _is_comment(line: bytes) -> bool:
    # A comment with a line end in it may hide a line in an editor.
    return line.startswith(b"#") and LINE_END.search(line.decode(errors="replace")) is None


def _words(number: int, line: bytes) -> list[str]:
    try:
        text = line.decode()
        # Quoted text may have any character; blanks keep the columns of the rest.
        bare = _QUOTED.sub(lambda found: " " * len(found[0]), text)
        for mark, describe in ((LINE_END, describe_line_end), (CURLY, describe_curly)):
            if found := mark.search(bare):
                raise click.UsageError(f"line {number}, column {found.start() + 1}: {describe(found[0])}")
        words = shlex.split(text)
    except UnicodeDecodeError:
        raise click.UsageError(f"line {number} is not UTF-8 text") from None
    except ValueError as error:
        raise click.UsageError(f"line {number}: {str(error).lower()}") from None
    if words[0].startswith("-"):
        raise click.UsageError(f"line {number}: a command expected, not {words[0]}")
    return words
