"""Running statements without a prompt: a file, ``-e`` lines, or standard input. Imports no terminal library."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from zb_mom_ww_mxgateway import clock
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_cli.output import ExitCode
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.files import Block
from zb_mom_ww_mxgateway_shell.interrupts import ENDING, on_signals
from zb_mom_ww_mxgateway_shell.journal import FINALLY, Entry, Journal
from zb_mom_ww_mxgateway_shell.results import Feed, Pending, Result, Said
from zb_mom_ww_mxgateway_shell.run_output import RunOutput
from zb_mom_ww_mxgateway_shell.showing import lines_of
from zb_mom_ww_mxgateway_shell.statements import (
    Follow,
    Statement,
    command_of,
    exit_code_for,
    interruption,
    message_of,
    problem_form,
    problem_lines,
    run,
)
from zb_mom_ww_mxgateway_shell.stream_news import news_told
from zb_mom_ww_mxgateway_shell.words import has_words

_HELD_SECONDS = 1.0
"""Within this time another signal is the same key, held down: what always runs is not given up by that."""

_NEXT_SESSION_SECONDS, _NEXT_SESSION_LOOK = 30.0, 0.2
"""So long what always runs waits for a session in the place of one that was lost, and so often it looks."""

Perform = Callable[[Context, str, Follow], Awaitable[Result | None]]
"""How a line is carried out."""


class ScriptRun:
    """One run of statements.

    It stops at the first that fails, unless ``on-error continue``, and then does what stands behind
    ``finally``. A signal lets the statement in flight end and goes to ``finally``; a second one ends that statement
    at once; a third leaves everything as it is. A key that is held down is no third, nor is a terminal that closes.
    """

    def __init__(
        self,
        context: Context,
        output: RunOutput,
        journal: Journal,
        *,
        debug: bool,
        perform: Perform = run,
        goes_on: bool = False,
        looks_on: bool = False,
    ) -> None:
        """With `goes_on` a failure stops nothing: a person sees it, and types the next line. With `looks_on` nor does
        it: what is behind it is to be found out too; but it counts."""
        self._context = context
        self._output = output
        self._journal = journal
        self._debug = debug
        self._perform = perform
        self._goes_on = goes_on
        self._looks_on = looks_on
        self._code = ExitCode.DONE
        self._stopping = False
        self._is_final = False
        """Whether what stops it stops all of it, whatever on-error says."""
        self._in_ending = False
        self._depth = 0
        self._signals = 0
        self._signalled_at = 0.0
        self._in_flight: asyncio.Future[Any] | None = None
        self._is_looking = False

    async def run(self, block: Block) -> ExitCode:
        """Runs them; the exit code is that of the first failure, or that of an interruption."""
        self._context.say_by(self._output.notice, self._output.alert)
        try:
            with on_signals(ENDING, self._signalled), on_signals(("SIGHUP",), self._hung_up):
                async with news_told(self._context, self._tell):
                    await self._block(block)
        finally:
            if self._signals:
                self._journal.broken_off = "interrupted"
            elif self._output.is_closed:
                self._journal.broken_off = "standard output was closed"
            self._journal.end(block, self._context)
        if self._output.is_closed and self._code is ExitCode.DONE and not self._signals:
            self._output.problem(["standard output was closed: stopped there"])
            return ExitCode.NOT_MET
        return ExitCode.INTERRUPTED if self._signals else self._code

    async def ask(self, question: str) -> bool:
        """Asks the person at the terminal; a signal ends the question at once."""
        self._is_looking = True
        try:
            return await self._output.ask(question)
        finally:
            self._is_looking = False

    async def _tell(self, text: str, is_bad: bool) -> None:
        self._output.alert(text)

    async def _block(self, block: Block) -> None:
        self._depth += 1
        on_error = self._context.on_error
        self._context.on_error = "stop"
        if block.stream is not None:
            await self._each_of_stream(block.stream)
        await self._each(block.body)
        if block.ending:
            was_in_ending, self._in_ending = self._in_ending, True
            await self._each(block.ending)
            self._in_ending = was_in_ending
        self._context.on_error = on_error
        self._depth -= 1
        if on_error == "continue" and not self._is_final:
            # A file that stopped is one failed line of the file that includes it.
            self._stopping = False

    async def _each(self, items: Iterable[Statement | Block]) -> None:
        for item in items:
            if self._is_over:
                return
            if isinstance(item, Block):
                assert item.head is not None
                self._passes(item.head)
                await self._block(item)
            elif item.command == "finally":
                if self._depth == 1:
                    self._context.step = FINALLY
                    self._journal.begin(FINALLY)
                self._passes(item)
            else:
                await self._one(item)

    async def _each_of_stream(self, stream: AsyncIterator[Statement]) -> None:
        async def following() -> Statement | None:
            return await anext(stream, None)

        while not self._is_over:
            self._output.prompt()
            self._in_flight = line = asyncio.ensure_future(following())
            self._is_looking = True  # Waiting for a line has nothing to end.
            try:
                statement = await line
            except asyncio.CancelledError:
                if self._signals:
                    return
                raise
            finally:
                self._in_flight, self._is_looking = None, False
            if statement is None:
                return
            if has_words(statement.text):
                await self._one(statement)

    @property
    def _is_over(self) -> bool:
        if self._signals > 2:
            return True
        return not self._in_ending and (self._stopping or self._context.leaving or self._output.is_closed)

    def _passes(self, statement: Statement) -> None:
        """A line that only says how the others run."""
        self._output.begin(statement)
        self._output.done([], result={})
        self._journal.add(Entry(statement, ExitCode.DONE, self._output.seconds, ()))

    async def _one(self, statement: Statement) -> None:
        self._output.begin(statement)
        # A task of its own: a signal ends it alone.
        self._in_flight = task = asyncio.ensure_future(self._performed(statement))
        try:
            result = await task
        except asyncio.CancelledError:
            error = interruption(self._context, statement.text)
            self._fail(statement, error)
            current = asyncio.current_task()
            if not self._signals or (current is not None and current.cancelling()):
                raise
        except Exception as error:
            self._fail(statement, error)
        else:
            self._end(statement, result)
        finally:
            self._in_flight = None

    async def _performed(self, statement: Statement) -> Result | None:
        """Behind ``finally`` a write that surely was not carried out, as its session or connection had just been lost,
        is tried again on the next one; what may have happened is not."""
        until, is_said = clock.monotonic() + _NEXT_SESSION_SECONDS, False
        while True:
            try:
                return await self._perform(self._context, statement.text, self._follow)
            except MxGatewayError as error:
                command = command_of(self._context, statement.text)
                is_write = command is not None and command.name == "write"
                live = self._context.live
                is_lost = error.never_reached and live is not None and live.state.value != "closed"
                if not (self._in_ending and is_write and is_lost) or clock.monotonic() > until:
                    raise
                if not is_said:
                    self._output.alert(f"surely not carried out, tried again: {message_of(error)}")
                    is_said = True
            await asyncio.sleep(_NEXT_SESSION_LOOK)

    def _end(self, statement: Statement, result: Result | None) -> None:
        command = command_of(self._context, statement.text)
        if command is not None and command.name == "step":
            self._journal.begin(self._context.step)
        code = ExitCode.DONE if result is None else result.exit_code
        lines = [] if result is None else lines_of(result, self._context.settings.output)
        form = None if result is None else result.form()
        brief = result.brief if isinstance(result, Said) and code is ExitCode.DONE else ""
        self._journal.add(Entry(statement, code, self._output.seconds, (*lines, *self._output.alerts)))
        self._output.done(lines, brief=brief, ok=code is ExitCode.DONE, result=form)
        self._count(code)

    def _fail(self, statement: Statement, error: Exception) -> None:
        problem = problem_lines(error, statement, debug=self._debug)
        code = exit_code_for(error)
        said = (message_of(error), *problem[1:]) if not self._debug else (message_of(error),)
        told = (*said, *self._output.alerts)
        self._journal.add(Entry(statement, code, self._output.seconds, told, type(error).__name__))
        self._output.failed(problem, problem_form(error), also_lines=self._debug)
        self._count(code)

    def _count(self, code: ExitCode) -> None:
        if code is ExitCode.DONE or self._goes_on:
            return
        if self._code is ExitCode.DONE:
            self._code = code
        # What cannot be known better in the next line ends it whatever on-error says.
        self._is_final |= code in (ExitCode.CANNOT_CONNECT, ExitCode.UNKNOWN, ExitCode.INTERRUPTED)
        self._stopping |= (self._context.on_error == "stop" and not self._looks_on) or self._is_final

    async def _follow(self, feed: Feed) -> Result:
        if isinstance(feed, Pending):
            showing = asyncio.create_task(self._output.follow_progress(feed), name="progress")
            try:
                return await feed.follow(self._output.live)
            finally:
                showing.cancel()
                with suppress(asyncio.CancelledError):
                    await showing
        self._is_looking = True
        try:
            return await feed.follow(self._output.live)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._signals == 0 or task is None:
                raise
            # Ctrl-C is how an endless feed ends: what it has seen is its result.
            task.uncancel()
            return feed.result()
        finally:
            self._is_looking = False

    def _hung_up(self) -> None:
        # The shell that this was started from says it once more.
        if not self._signals:
            self._signalled()

    def _signalled(self) -> None:
        now = clock.monotonic()
        is_held, self._signalled_at = now - self._signalled_at < _HELD_SECONDS, now
        if self._signals > 1 and is_held:
            return
        self._signals += 1
        self._stopping = self._is_final = True
        if self._in_flight is not None and (self._signals > 1 or self._is_looking):
            self._in_flight.cancel()
        elif self._signals == 1:
            self._output.problem(["interrupted: ends after this statement; once more ends it at once"])
        if self._signals > 1:
            left = "what stands behind finally still runs; once more leaves that, too"
            self._output.problem([left if self._signals == 2 else "interrupted: everything is left as it is"])
