"""Runs statements without a prompt: a file, ``-e`` lines, or standard input. It needs no terminal library."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal, TypeVar

from zb_mom_ww_mxgateway_console.process.slow_answers import told_while_slow
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.command_traits import FileRole
from zb_mom_ww_mxgateway_shell.language.tokens import has_words
from zb_mom_ww_mxgateway_shell.output.problems import Statement, message_of
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.process.signals import InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.process.stdin import CancelSafeReader
from zb_mom_ww_mxgateway_shell.scripts.connection_news import news_reported
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun, command_of
from zb_mom_ww_mxgateway_shell.scripts.line_performer import LinePerformer, Perform
from zb_mom_ww_mxgateway_shell.scripts.loader import Block, file_role
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.run_log import FINALLY, RunLog
from zb_mom_ww_mxgateway_shell.scripts.run_signals import RunSignals
from zb_mom_ww_mxgateway_shell.scripts.run_verdict import RunVerdict
from zb_mom_ww_mxgateway_shell.scripts.step_selection import StepSelection
from zb_mom_ww_mxgateway_shell.scripts.time_limit import TimeLimit, TimeLimits
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.scripts.first_contact import FirstContact
    from zb_mom_ww_mxgateway_shell.state.ending_scope import EndingScope

_REST_SECONDS = 2.0
"""How long an ending run waits for the next line of a pipe: ``finally`` may be among those left."""

_Answer = TypeVar("_Answer")


class ScriptRun:
    """One run of statements.

    It stops at the first that fails, unless ``on-error`` says otherwise. Whatever ended it, the lines after ``finally``
    run. Ctrl-C lets the statement in flight end and goes to ``finally``; a second one ends that statement at once; a
    third leaves everything as it is. A key that is held down is not a third one, nor is a terminal that closes.
    SIGTERM, SIGHUP and their like end a wait at once, also one after ``finally``: a kill may follow soon.
    """

    def __init__(
        self,
        context: Context,
        output: RunReporter,
        log: RunLog,
        *,
        debug: bool,
        perform: Perform = LineRun.run,
        goes_on: bool = False,
        looks_on: bool = False,
        time_limit: float | None = None,
        selection: StepSelection | None = None,
        within: Literal["process", "suite", "prompt"] = "process",
        ending_scope: "EndingScope | None" = None,
    ) -> None:
        """With `goes_on` or `looks_on` a failure does not stop the run. With `goes_on` it does not count either: a
        person sees it, and types the next line. With `looks_on` it counts, and the later lines are checked, too.
        `time_limit`, in seconds, bounds a file that does not bound itself. Of the steps those of the `selection` run.
        `within` is what runs it: a process alone; a suite, which passes on the signals that come; or a prompt, which
        hears those that end it, and reports what happens to the connections. The `ending_scope` arms the lines after
        ``finally`` where a person has armed; without one the scope of the run does."""
        self._context = context
        self._output = output
        self._log = log
        self._goes_on = goes_on
        self._looks_on = looks_on
        self._selection = selection or StepSelection()
        self._within = within
        self._time_limit = time_limit
        self._ending_scope = ending_scope
        self._in_ending = False
        self._depth = 0
        self._verdict = verdict = RunVerdict(context, output, log, debug=debug, goes_on=goes_on, looks_on=looks_on)
        self._signals = RunSignals(output.problem, verdict.stop)
        self._limits = TimeLimits(self._end_in_time)
        self._performer = LinePerformer(context, output, self._signals, verdict.failed_in_background, perform)
        self._first_contact: FirstContact | None = None

    async def run(self, block: Block, *, is_file: bool = False) -> ExitCode:
        """Run the statements; return the exit code of the gravest failure. An interruption counts as one.

        All tags of a file are advised before its first line.
        """
        if is_file:
            from zb_mom_ww_mxgateway_shell.scripts.first_contact import FirstContact  # Lazy: lines of -e have none.

            self._first_contact = FirstContact(self._context, list(block.statements()))
        self._context.set_outputs(self._output.notice, self._output.alert)
        try:
            with self._signals_heard():
                async with self._news(), self._alarms():
                    await self._block(block)
                    await self._end_standing()
        finally:
            self._context.file.standing.close()
            if self._signals.came:
                self._log.broken_off = "interrupted"
            elif self._output.closed:
                self._log.broken_off = self._output.closed
            self._log.end(block, self._context)
        if self._signals.came:
            self._verdict.worsen(ExitCode.INTERRUPTED)
        elif self._output.closed:
            self._output.report_closed()
            self._verdict.worsen(ExitCode.NOT_MET)
        return self._verdict.code

    def _signals_heard(self) -> AbstractContextManager[None]:
        if self._within == "suite":
            return nullcontext()
        return self._signals.heard() if self._within == "process" else self._signals.interrupts_heard()

    def _news(self) -> AbstractAsyncContextManager[None]:
        if self._within == "prompt":
            return nullcontext()
        return news_reported(self._context, self._report_news, self._verdict.failed_in_background)

    def _alarms(self) -> AbstractAsyncContextManager[None]:
        """Return what keeps the alarms of the run, if a record or a report of it is wanted."""
        if self._looks_on or not self._log.keeps_alarms(self._context):
            return nullcontext()
        from zb_mom_ww_mxgateway_shell.scripts.alarm_entries import alarms_kept  # Lazy: most runs keep none.

        return alarms_kept(self._context, self._log)

    def interrupt(self) -> None:
        """End it as Ctrl-C does."""
        self._signals.interrupt()

    def call_off(self) -> None:
        """End it as a request to end does: a wait at once; the lines after ``finally`` run."""
        self._signals.call_off()

    @property
    def is_final(self) -> bool:
        """Whether later files must not run either."""
        return self._verdict.is_final or self._signals.came or bool(self._output.closed)

    def let_ask(self) -> None:
        """Let lines ask the person at the terminal; a signal ends a question at once."""
        context, output = self._context, self._output
        context.ask = self._ended_by_signals(output.ask)
        context.ask_value = self._ended_by_signals(output.ask_value)
        context.ask_unseen = self._ended_by_signals(output.ask_unseen)

    def _ended_by_signals(self, ask: Callable[[str], Awaitable[_Answer]]) -> Callable[[str], Awaitable[_Answer]]:
        async def asked(question: str) -> _Answer:
            self._signals.is_looking = True
            try:
                return await ask(question)
            finally:
                self._signals.is_looking = False

        return asked

    async def _report_news(self, text: str, is_bad: bool) -> None:
        self._output.alert(text)

    async def _block(self, block: Block) -> None:
        self._depth += 1
        file, limit = self._context.file, self._limits.begin()
        outer = file.on_error, file.limit
        file.on_error, file.limit = "stop", self._bound_by(limit)
        if self._depth == 1 and self._time_limit is not None:
            file.limit(self._time_limit)
        try:
            if block.stream is not None:
                await self._each_of_stream(block.stream)
            await self._each(block.body)
        except Exception as error:
            self._verdict.broke(error)
        finally:
            limit.stop()
            # Whatever ended it.
            if block.ending:
                with self._ending():
                    await self._each(block.ending)
        file.on_error, file.limit = outer
        self._depth -= 1
        self._end_block(limit)

    def _bound_by(self, limit: TimeLimit) -> Callable[[float], None]:
        """Return what bounds a file by this limit; a plan takes no time."""
        return (lambda seconds: None) if self._looks_on else limit.start

    def _end_block(self, limit: TimeLimit) -> None:
        self._limits.end()
        if limit.is_over:
            self._verdict.worsen(ExitCode.NOT_MET)
            self._log.broken_off = self._log.broken_off or message_of(limit.error())
            if not limit.is_told:
                self._output.problem([message_of(limit.error())])
        self._verdict.skips = False
        policy = self._context.file.on_error
        if self._verdict.stopping and policy != "stop" and not (self._verdict.is_final or self._limits.passed):
            # A file that stopped is one failed line of the file that includes it.
            self._verdict.stopping, self._verdict.skips = False, policy == "next-step"

    def _end_in_time(self) -> None:
        """End what a file waits for, because its time limit has passed."""
        self._verdict.stopping = True
        if not self._in_ending:
            self._signals.end_in_flight()

    def _is_ended_here(self) -> bool:
        """Return whether what was cancelled was ended by a signal or a time limit, and not with the whole run."""
        current = asyncio.current_task()
        is_cancelled = current is not None and current.cancelling() > 0
        return not is_cancelled and (self._signals.came or self._limits.passed is not None)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Run lines after ``finally`` while this is open: they are armed once more if only a session was lost."""
        was_in_ending, self._in_ending = self._in_ending, True
        scope = self._ending_scope or self._context.write_terms.run
        if scope is not None and not was_in_ending:
            scope.begin_ending(self._context.connections.values())
        try:
            yield
        finally:
            self._in_ending = was_in_ending
            if scope is not None and not was_in_ending:
                scope.end_ending()

    async def _each(self, items: Iterable[Statement | Block]) -> None:
        items = list(items)
        for index, item in enumerate(items):
            if self._is_over:
                self._leave_out(items[index:])
                return
            if self._verdict.skips and not self._in_ending:
                if not self._leads_to_step(item):
                    continue
                self._verdict.skips = False
            self._context.file.lines_ahead = [each.text for each in items[index + 1 :] if isinstance(each, Statement)]
            try:
                await self._item(item)
            except Exception as error:
                self._verdict.broke(error)

    def _leads_to_step(self, item: Statement | Block) -> bool:
        """Return whether a line begins a step, or includes a file with one."""
        each = item.statements() if isinstance(item, Block) else [item]
        commands = (command_of(self._context, statement.text) for statement in each)
        return any(command is not None and command.traits.begins_step for command in commands)

    def _leave_out(self, items: Sequence[Statement | Block]) -> None:
        """In a plan, show the lines behind exit: a run leaves them out without a word."""
        if not (self._looks_on and self._context.leaving) or self._signals.came:
            return
        for item in items:
            for each in item.statements() if isinstance(item, Block) else [item]:
                self._verdict.passes(each, TextResult("would not run: it is behind exit"))

    async def _item(self, item: Statement | Block) -> None:
        if isinstance(item, Block):
            await self._included(item)
        elif file_role(item) is FileRole.FINALLY:
            if self._depth == 1:
                await self._end_standing()
                file = self._context.file
                file.step, file.step_id, file.requirements = FINALLY, self._log.begin_ending(item).id, ()
            self._verdict.passes(item)
        elif file_role(item) is not FileRole.DECLARATION:  # It was read before anything ran.
            await self._one(item)
        elif self._looks_on:
            self._verdict.passes(item)

    async def _included(self, block: Block) -> None:
        assert block.head is not None
        with ExitStack() as scope:
            try:
                scope.enter_context(block.names.in_scope(self._context))
            except InputError as error:
                self._output.begin(block.head)
                self._verdict.fail(block.head, error)
                return
            self._verdict.passes(block.head, block.names.result())
            await self._block(block)

    async def _each_of_stream(self, stream: AsyncIterator[Statement]) -> None:
        """Run lines as they come. As in a file, the lines after ``finally`` always run: a run that is over searches the
        lines that are left for it."""
        lines, ending = CancelSafeReader(stream), ExitStack()
        try:
            while not (self._is_over and (self._goes_on or self._signals.gives_up)):
                try:
                    statement = await self._next_line(lines)
                except ShellError as error:
                    self._verdict.broke(error)
                    continue
                if statement is None:
                    return
                if file_role(statement) is FileRole.FINALLY and not (self._goes_on or self._in_ending):
                    self._limits.stop()
                    ending.enter_context(self._ending())
                    await self._item(statement)
                elif not self._is_over and has_words(statement.text):
                    self._verdict.skips &= not self._leads_to_step(statement)
                    if self._in_ending or not self._verdict.skips:
                        await self._one(statement)
        finally:
            ending.close()
            lines.close()

    async def _next_line(self, lines: CancelSafeReader[Statement]) -> Statement | None:
        """Return the next line; None at the end, or if an ending run has waited long enough."""
        while not (self._is_over and (self._goes_on or self._signals.gives_up)):
            self._output.prompt()
            patience = _REST_SECONDS if self._is_over or self._signals.came else None
            self._signals.in_flight = waiting = asyncio.ensure_future(lines.next(patience))
            self._signals.is_looking = True  # There is nothing to end while it waits for a line.
            try:
                return await waiting
            except asyncio.CancelledError:
                if not self._is_ended_here():
                    raise
            finally:
                self._signals.in_flight, self._signals.is_looking = None, False
        return None

    @property
    def _is_over(self) -> bool:
        if self._signals.gives_up:
            return True
        return not self._in_ending and (self._verdict.stopping or self._context.leaving or bool(self._output.closed))

    async def _one(self, statement: Statement) -> None:
        if not self._in_ending:
            await self._output.has_room(lambda: self._is_over)
            if self._is_over:
                return
            if self._selection.leaves_out(statement, self._context):
                self._log.not_selected.add(id(statement))
                return
        command = command_of(self._context, statement.text)
        if command is not None and command.traits.begins_step:
            await self._end_standing()
            self._verdict.skips = False  # A check that is broken failed the step before.
            if self._is_over:
                return
        self._context.file.standing.statement = statement
        heard = None
        if self._first_contact is not None and self._first_contact.is_due(statement):
            with told_while_slow("first values of the file's tags", lambda text: self._output.problem([text])):
                heard = await self._signals.ending(self._first_contact.before(statement))
            if self._is_over:
                return  # A signal came meanwhile.
        self._output.begin(statement)
        for text in heard or ():
            self._output.notice(text)
        line = LineRun(self._context, statement.text, statement)
        # A separate task: a signal ends it alone.
        self._signals.in_flight = task = asyncio.ensure_future(
            self._performer.performed(line, is_ending=self._in_ending)
        )
        self._signals.line = line
        try:
            outcome = await task
        except asyncio.CancelledError:
            self._verdict.fail(statement, self._interruption(line))
            if not self._is_ended_here():
                raise
        except Exception as error:
            self._verdict.fail(statement, error)
        else:
            self._verdict.end(statement, outcome)
        finally:
            self._signals.in_flight = self._signals.line = None
        self._verdict.tell(self._context.file.standing.look())

    def _interruption(self, line: LineRun) -> Exception:
        """Return the error of a line that was ended: by a signal, or in time."""
        interruption, limit = line.interruption(), self._limits.passed
        if limit is None or self._signals.came or isinstance(interruption, InterruptedInDoubt):
            return interruption
        limit.is_told = True
        return limit.error()

    async def _end_standing(self) -> None:
        """End the checks that stand until the step ends, and report each: it held, or is broken."""
        self._verdict.tell(await self._context.file.standing.end(settles=not self._signals.came))
