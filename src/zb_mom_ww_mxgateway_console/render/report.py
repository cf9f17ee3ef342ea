"""Where results and errors of ``mxgw-py`` go: standard output and standard error."""

import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TextIO

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_console.process.standard_streams import give_up_output
from zb_mom_ww_mxgateway_console.render.forms import (
    ExitCode,
    ExpectationNotMet,
    error_form,
    error_message,
    exit_code_of,
    one_line,
    safe,
)
from zb_mom_ww_mxgateway_console.render.report_formats import REPORT_FORMATTERS, ReportFormatter, TextFormatter
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, shortened


class Report:
    """Prints what a command reports, in its output form. Every line is flushed, and safe for a terminal.

    In forms that report errors, everything is on standard output. In others, and if standard output has no reader,
    errors go to standard error.
    """

    def __init__(self) -> None:
        self.formatter: ReportFormatter = TextFormatter()
        self.output = ""
        """The name of the output form, if one was chosen."""
        self.is_list = False
        """Whether a JSON document is a list also of a single result."""
        self.debug = False
        self.api_key: str | None = None
        """The key in use, never printed."""
        self.summary: dict[str, Any] = {}
        """What a command has found so far: part of its error, if the form reports errors."""
        self.reader_gone = False
        """True after the reader of standard output has left (``| head -1``); printing then does nothing."""
        self.reader_stuck = False
        """True while a reader that pauses holds a print in progress: the process cannot end in the ordinary way."""

    def choose(self, output: str) -> None:
        """Report in this output form from now on."""
        self.output = output
        self.formatter = REPORT_FORMATTERS[output]()

    @property
    def is_for_people(self) -> bool:
        """Whether results are text."""
        return self.formatter.for_people

    def list_of(self, columns: Sequence[str]) -> None:
        """Print what comes before a list of results, which there may be none of. Raises as :meth:`lines`."""
        self.is_list = True
        self.lines(self.formatter.begin(columns))

    def line(self, form: dict[str, Any], text: str) -> None:
        """Print one result: `form`, or `text`. Raises as :meth:`lines`."""
        self.lines(self.formatter.result(form, text))

    def finish(self) -> None:
        """Print what the form holds back until the end. Raises as :meth:`lines`."""
        self.lines(self.formatter.end(is_list=self.is_list))

    def lines(self, lines: list[str]) -> None:
        """Print lines that are ready. Raise ExpectationNotMet if they cannot be written, but not if the reader left."""
        if not lines or self.reader_gone or self.reader_stuck:
            return
        try:
            _write(sys.stdout, lines)
        except OSError as error:
            self.reader_gone = True
            if not give_up_output(error):
                raise ExpectationNotMet(f"cannot write the output: {error.strerror}") from error

    def error(self, error: BaseException) -> ExitCode:
        """Report what ended the command; return the exit code for it."""
        if self.formatter.reports_errors:
            form = error_form(error)
            form["message"] = self._without_key(form["message"], error)
            with suppress(ExpectationNotMet):
                self.line({**self.summary, "error": form, "ok": False}, "")
                self.finish()
        if not self.formatter.reports_errors or self.reader_gone or self.reader_stuck:
            self._complain([f"mxgw-py: {shortened(self._without_key(error_message(error), error), LONGEST_LINE)}"])
        if self.debug:
            # It has source lines and gRPC's own words: whatever looks like a key goes.
            trace = redact("".join(traceback.format_exception(error)), self.api_key)
            self._complain([safe(line) for line in trace.expandtabs().splitlines()])
        return exit_code_of(error)

    def notice(self, text: str) -> None:
        """Tell a person something in addition to the result, on standard error, unless the form reports errors."""
        if not self.formatter.reports_errors:
            self._complain([f"mxgw-py: {one_line(text)}"])

    def warning(self, text: str) -> None:
        """Warn a person on standard error, in every form."""
        self._complain([f"mxgw-py: {one_line(text)}"])

    def _without_key(self, message: str, error: BaseException) -> str:
        # The library's messages contain no key, and describe what one looks like; an argument may be one.
        return message if isinstance(error, MxGatewayError) else redact(message, self.api_key)

    def _complain(self, lines: list[str]) -> None:
        try:
            _write(sys.stderr, lines)
        except OSError:
            return  # It has no reader; the exit code remains.


def _write(stream: TextIO | None, lines: list[str]) -> None:
    # None: the process was started without that stream.
    if stream is not None:
        stream.write("".join(f"{line}\n" for line in lines))
        stream.flush()
