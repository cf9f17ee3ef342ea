"""Command files that run at the prompt: what their lines show is printed above what is typed meanwhile."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_shell.output.results import Pending, Result
from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow, LineRun, Outcome
from zb_mom_ww_mxgateway_shell.scripts.loader import Block
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.sourced_file import source_file
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.console import Console
from zb_mom_ww_mxgateway_shell.terminal.early_secrets import EarlySecrets


class SourcedFiles:
    """Runs one file after the other, and knows what the present one waits for."""

    def __init__(self, context: Context, console: Console, secrets: EarlySecrets, *, debug: bool) -> None:
        self._context = context
        self._console = console
        self._secrets = secrets
        self._debug = debug
        self._line: LineRun | None = None
        """The line that runs; None between lines, and where no file runs."""
        self._reporter: _Reporter | None = None

    async def run(self, path: str, record: str | None) -> Result:
        """Run a file, as :class:`SourceFile` promises."""
        writer = _ConsoleWriter(self._console, lambda: self._context.settings.formatter.for_people)
        self._reporter = reporter = _Reporter(self._context, quiet=False, source=path, debug=self._debug, writer=writer)
        try:
            return await source_file(
                self._context,
                path,
                reporter,
                record=record,
                debug=self._debug,
                perform=self._perform,
                begin=self._begin,
            )
        finally:
            self._reporter = None

    def _begin(self, block: Block) -> None:
        self._secrets.begin_file(LineRun(self._context, each.text) for each in block.statements())

    async def _perform(self, line: LineRun, follow: Follow) -> Outcome:
        self._line = line
        try:
            return await line.run(follow)
        finally:
            self._line = None
            self._secrets.end_of_file_line(line)

    def progress(self, typed: LineRun) -> str:
        """Return what a typed line waits for: that of the file that it runs, with its place."""
        line, reporter = self._line, self._reporter
        if line is None or reporter is None or line.statement is None:
            return typed.progress()
        place = f"{safe(Path(line.statement.source or '').name)}:{line.statement.line}"
        return f"{place}  {reporter.pending.progress() if reporter.pending else line.progress()}"


class _Reporter(RunReporter):
    """Shows a run, and leaves it to the view of the running command to say what it waits for."""

    pending: Pending | None = None
    """The feed that the present line waits for."""

    async def tell_wait(self, progress: Callable[[], str]) -> None:
        """Leave it to the view."""

    async def follow_progress(self, feed: Pending) -> None:
        self.pending = feed
        try:
            await asyncio.Event().wait()
        finally:
            self.pending = None


class _ConsoleWriter(OutputWriter):
    """The console in the place of both standard streams, a line at a time."""

    def __init__(self, console: Console, folds: Callable[[], bool]) -> None:
        super().__init__()
        self._console = console
        self._folds = folds

    @property
    def is_terminal(self) -> bool:
        """True: lines fit the screen."""
        return True

    @property
    def can_overwrite(self) -> bool:
        """False: it shows whole lines."""
        return False

    @property
    def columns(self) -> int:
        """Columns of the screen."""
        return self._console.columns

    def out(self, text: str) -> None:
        """Show lines."""
        self._show(text, "")

    def err(self, text: str) -> None:
        """Show lines about what went wrong."""
        self._show(text, "class:problem")

    def _show(self, text: str, style: str) -> None:
        for line in text.removesuffix("\n").split("\n"):
            self._console.show(line, style, fold=self._folds())
