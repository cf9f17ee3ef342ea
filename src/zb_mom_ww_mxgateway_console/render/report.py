"""Where results and errors of ``mxgw-py`` go: lines for a person, or one JSON object a line."""

import json
import sys
import traceback
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
    json_line,
    one_line,
    redacted,
    safe,
)
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, for_reader, shortened


class Report:
    """Prints what a command says. Every line is flushed, and safe for a terminal whatever the gateway sent.

    With ``--json`` everything, errors too, is JSON on standard output. Otherwise, and where nobody reads that,
    errors go to standard error.
    """

    def __init__(self) -> None:
        self.json = False
        """Whether it is JSON, in either form."""
        self.output = ""
        """``json``, ``jsonl``, ``csv`` or ``table`` where ``--output`` said so."""
        self.is_list = False
        """Whether a JSON document is a list also of a single result."""
        self._document: list[dict[str, Any]] = []
        self._columns: list[str] = []
        self.debug = False
        self.api_key: str | None = None
        """The key in use, never printed."""
        self.summary: dict[str, Any] = {}
        """What a command has found out so far: part of the error's JSON object, should it fail."""
        self.reader_gone = False
        """True when nobody reads standard output any more (``| head -1``); printing then does nothing."""
        self.reader_stuck = False
        """True when a reader that pauses holds a print in progress: the process cannot end in the ordinary way."""

    @property
    def is_for_people(self) -> bool:
        """Whether results are text, neither JSON nor CSV."""
        return not self.json and self.output != "csv"

    def line(self, form: dict[str, Any], text: str) -> None:
        """Prints one result in the form that was asked for: `form`, or `text`."""
        self.lines(self.rendered(form, text))

    def rendered(self, form: dict[str, Any], text: str) -> list[str]:
        """The lines of one result. Of a JSON document none: it is printed when it is whole, by :meth:`finish`."""
        if self.output == "csv":
            return [for_reader(line, sys.stdout) for line in self._records(form)]
        if not self.json:
            return [safe(shortened(text, LONGEST_LINE))]
        if self.output == "json":
            self._document.append(form)
            return []
        return [json_line(form)]

    def _records(self, form: dict[str, Any]) -> list[str]:
        from zb_mom_ww_mxgateway_console.render.csv_records import csv_record

        columns, heading = sorted(form), []
        if columns != self._columns:
            # Something else than before: with a heading of its own, behind an empty line.
            heading = [*([""] if self._columns else []), csv_record(columns)]
            self._columns = columns
        return [*heading, csv_record(form[column] for column in columns)]

    def finish(self) -> None:
        """Prints a JSON document, which is whole now. Raises as :meth:`lines`."""
        document, self._document = self._document, []
        if document or (self.is_list and self.output == "json"):
            whole = document if self.is_list or len(document) > 1 else document[0]
            self.lines(json.dumps(redacted(whole), sort_keys=True, allow_nan=False, indent=2).splitlines())

    def lines(self, lines: list[str]) -> None:
        """Prints lines that are ready: JSON, or safe text. Raises ExpectationNotMet, but not for a reader that left."""
        if self.reader_gone or self.reader_stuck:
            return
        try:
            _write(sys.stdout, lines)
        except OSError as error:
            self.reader_gone = True
            if not give_up_output(error):
                raise ExpectationNotMet(f"cannot write the output: {error.strerror}") from error

    def error(self, error: BaseException) -> ExitCode:
        """Reports what ended the command and returns the exit code for it."""
        if self.json:
            form = error_form(error)
            form["message"] = self._without_key(form["message"], error)
            with suppress(ExpectationNotMet):
                self.line({**self.summary, "error": form, "ok": False}, "")
                self.finish()
        if not self.json or self.reader_gone or self.reader_stuck:
            self._complain([f"mxgw-py: {shortened(self._without_key(error_message(error), error), LONGEST_LINE)}"])
        if self.debug:
            # Source lines and gRPC's own words: whatever looks like a key goes.
            said = redact("".join(traceback.format_exception(error)), self.api_key)
            self._complain([safe(line) for line in said.expandtabs().splitlines()])
        return exit_code_of(error)

    def notice(self, text: str) -> None:
        """Tells a person something beside the result, on standard error; nothing with ``--json``."""
        if not self.json:
            self._complain([f"mxgw-py: {one_line(text)}"])

    def warning(self, text: str) -> None:
        """Tells what may go wrong, on standard error, with ``--json`` too."""
        self._complain([f"mxgw-py: {one_line(text)}"])

    def _without_key(self, message: str, error: BaseException) -> str:
        # The library's messages have no key in them, and speak of its form; an argument may be one.
        return message if isinstance(error, MxGatewayError) else redact(message, self.api_key)

    def _complain(self, lines: list[str]) -> None:
        try:
            _write(sys.stderr, lines)
        except OSError:
            return  # Nobody listens; the exit code still tells.


def _write(stream: TextIO | None, lines: list[str]) -> None:
    # None: the process was started without that stream.
    if stream is not None:
        stream.write("".join(f"{line}\n" for line in lines))
        stream.flush()
