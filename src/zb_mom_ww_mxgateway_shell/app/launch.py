"""One run of the shell: connects, runs a front end, and closes everything, however it ends."""

import gc
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from dataclasses import replace
from pathlib import Path

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError
from zb_mom_ww_mxgateway.safety.journal_chain import JournalError
from zb_mom_ww_mxgateway_console.connect.options import ENDPOINT_VARIABLE
from zb_mom_ww_mxgateway_console.process.endings import ENDING
from zb_mom_ww_mxgateway_console.process.slow_answers import told_while_slow
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, gravest, safe
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, message_of, problem_form, problem_lines
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, interruptible, on_signals
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.state.context import Context

_PATIENCE_SECONDS = 15.0
"""How long the reader of a run that may have changed something may take nothing before its exit code is due."""


class Launch:
    """A front end with its context, from the connection to the exit code."""

    def __init__(
        self,
        wanted: LaunchOptions,
        front_end: Callable[[Context], Awaitable[int]],
        *,
        interactive: bool = False,
        connects: bool = True,
        never_began: Callable[[list[str]], None] | None = None,
        ended_badly: Callable[[str, Callable[[str], object]], None] | None = None,
        keeping: RecordKeeping | None = None,
    ) -> None:
        """Without `connects` it connects to nothing. `never_began` takes what went wrong before the front end ran, and
        `ended_badly` what went wrong after it; `keeping` keeps the record of a run."""
        self._wanted = wanted
        self._front_end = front_end
        self._connects = connects
        self._never_began = never_began
        self._tells_bad_end = ended_badly
        self._keeping = keeping
        self._connection = wanted.connection
        self._context = Context(all_commands(), interactive=interactive)
        self._context.connection = wanted.connection
        self._context.is_demo = wanted.demo
        self._context.read_only = wanted.read_only
        self._context.settles_later = not interactive
        self._context.assume_yes = wanted.assume_yes
        self._context.write_terms.consent = wanted.consent
        self._context.departure.must_be_clean = wanted.leave_clean
        self._context.give_names(wanted.variables)
        self._code: int | None = None
        """Exit code so far; None before the front end runs."""
        self._is_over = False
        """Whether the front end has ended by itself."""
        self._may_have_written = False

    async def run(self) -> int:
        """Connect if that is asked for, run the front end and close everything; return the exit code."""
        # Around the work's own handlers: at no moment does a signal end it without its code.
        with on_signals(ENDING, self._leave_reader):
            try:
                code = await interruptible(self._work(), ENDING, self._leave_reader, first_came=self._tell_interrupted)
            except Interrupted:
                code = self._interrupted()
            except Exception as error:
                code = self._failed(error)
            if tags := self._context.departure.not_put_back:
                code = _with(code, ExitCode.UNKNOWN)
                self._ended_badly(f"not put back: {tags}")
            if (files := self._context.departure.failed_recordings) and not self._context.interactive:
                # As `record stop` tells it.
                code = code or ExitCode.NOT_MET
                self._ended_badly(f"not recorded to the end: {', '.join(files)}")
            if self._keeping is not None:
                code = self._keeping.end(code, lambda text: self._context.writer.err(f"mxgw-shell: {safe(text)}\n"))
            return await self._shown(code)

    async def _work(self) -> int:
        context = self._context
        await self._take_key()
        context.load_profiles()
        context.settings.change_by_environment(with_theme=context.interactive)
        if self._wanted.output:
            context.settings.change("output", self._wanted.output)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close_journals)
            stack.callback(context.spool.stop)
            await self._connect(stack)
            context.start_connections.append(replace(self._connection, endpoint=self._endpoint))
            context.start_connections += [each.connection for each in context.connections.values()]
            # What is there now stays: the collector need not look at it again.
            gc.freeze()
            gc.enable()
            if self._keeping is not None:
                await self._keeping.begin(context)
            self._code = ExitCode.DONE
            try:
                self._code = await self._front_end(context)
                self._is_over = True
            finally:
                self._may_have_written = context.has_written
        return self._code

    async def _close_journals(self) -> None:
        if self._keeping is not None:
            await self._keeping.take_journals(self._context)
        try:
            await self._context.journals.aclose()
        except JournalError:
            # Whoever only looks needs no journal.
            if self._may_have_written:
                raise

    @property
    def _endpoint(self) -> str | None:
        return self._connection.endpoint or os.environ.get(ENDPOINT_VARIABLE)

    async def _take_key(self) -> None:
        """Read the key from a pipe, which gives it once, when somebody writes it."""
        if not _gives_once(self._connection.api_key_file):
            return
        from zb_mom_ww_mxgateway_shell.process.unwaited import unwaited  # Lazy: most runs never need it.
        from zb_mom_ww_mxgateway_shell.state.profiles import with_key

        key = await unwaited(self._connection.api_key, "key")
        self._context.connection = self._connection = with_key(self._connection, key)

    async def _connect(self, stack: AsyncExitStack) -> None:
        context = self._context
        if self._wanted.demo:
            from zb_mom_ww_mxgateway_shell.app.demo import simulated  # Lazy: it loads the simulator.

            await stack.enter_async_context(simulated(context, self._wanted.demo_plant))
            return
        stack.push_async_callback(self._disconnect)
        context.told_while_opening = lambda each: self._told(f"connecting to {each.endpoint or self._endpoint}")
        if self._wanted.profile:
            await self._connect_profile(self._wanted.profile)
        elif self._endpoint and self._connects:
            await context.connect(self._connection)
        # From here on whatever runs a line tells what that waits for.
        context.told_while_opening = lambda each: nullcontext()

    def _told(self, what: str) -> AbstractContextManager[None]:
        """Tell on standard error what takes long."""
        return told_while_slow(what, lambda text: self._context.writer.err(f"{safe(text)}\n"))

    async def _disconnect(self) -> None:
        """Close all connections. A run fails if a gateway does not answer then; a person who leaves is told."""
        try:
            with self._told("closing the session"):
                await self._context.disconnect()
        except MxGatewayTransportError as error:
            if not self._context.interactive:
                raise
            self._context.writer.err(f"the session was not closed, and expires by itself: {safe(message_of(error))}\n")

    async def _connect_profile(self, name: str) -> None:
        from zb_mom_ww_mxgateway_shell.state.profile_connections import connect_profile  # Lazy: most runs name none.

        context = self._context
        profile = context.profiles.named(name)
        if context.interactive:
            from zb_mom_ww_mxgateway_shell.terminal.dialogs import ask_secret  # Lazy: runs have no terminal.

            context.ask_secret = ask_secret
        await connect_profile(context, profile)
        if context.interactive and profile.watch:
            from zb_mom_ww_mxgateway_shell.feeds.watch_targets import watch_list

            try:
                await watch_list(context, profile.watch)
            except ShellError as error:
                context.notice(str(error))

    def _leave_reader(self) -> None:
        # A pager may be read for hours, and nothing waits for what only looks.
        if self._context.writer.pending:
            self._context.writer.give_up()

    def _tell_interrupted(self) -> None:
        """Tell at once that it ends before anything ran: a session that is being opened is closed first."""
        if self._code is None:
            self._context.writer.err("interrupted: nothing was run; once more ends it at once\n")

    def _interrupted(self) -> int:
        if self._is_over:
            self._leave_reader()
            return self._code or 0
        return _with(self._code or ExitCode.DONE, ExitCode.INTERRUPTED)

    def _failed(self, error: Exception) -> int:
        writer = self._context.writer
        fields = {"command": "connect", "error": problem_form(error), "line": 0, "ok": False}
        is_shown = self._keeping is not None and self._keeping.add_problem(
            self._context, fields, self._wanted.formatter
        )
        if is_shown:
            pass  # Its record says it.
        elif record := self._wanted.formatter.record(fields):
            writer.out(f"{record}\n")
        else:
            for line in problem_lines(error, Statement("", 0), debug=self._wanted.debug):
                writer.err(f"{safe(line)}\n")
        if self._code is None and self._never_began is not None:
            try:
                self._never_began(problem_lines(error, Statement("", 0)))
            except ShellError as problem:
                # It changes nothing about why the run did not begin.
                writer.err(f"mxgw-shell: no report: {safe(str(problem))}\n")
        if self._code is not None:
            self._ended_badly(message_of(error))
        # What failed first counts, not that it could not be closed either.
        return self._code or exit_code_for(error)

    def _ended_badly(self, why: str) -> None:
        if self._tells_bad_end is not None:
            self._tells_bad_end(why, lambda text: self._context.writer.err(f"mxgw-shell: {safe(text)}\n"))

    async def _shown(self, code: int) -> int:
        """Wait until the output is read; return the code, or another if it is not. Everything else is over by now."""
        writer = self._context.writer
        await writer.drained(_PATIENCE_SECONDS if self._may_have_written else None)
        if not writer.problem:
            return code
        if not writer.is_problem_reported:
            writer.err(f"mxgw-shell: {writer.problem}: not all of it was shown\n")
            await writer.drained(None)
        return code or ExitCode.NOT_MET


def _with(code: int, other: ExitCode) -> int:
    """Return the graver one; a code that a program of a person chose stays."""
    return gravest(ExitCode(code), other) if code in set(ExitCode) else code


def _gives_once(path: str | None) -> bool:
    return path is not None and (Path(path).is_fifo() or Path(path).is_char_device())
