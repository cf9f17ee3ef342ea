"""Looks at a command file that the shell made, and runs it at once, in a session of its own at the same gateway."""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, gravest, safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, message_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.scripts import lint, loader
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.scripts.loader import Block, file_role
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.file_state import FileState
from zb_mom_ww_mxgateway_shell.state.made_files import Replayed

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_NAME = "replay"


class MadeFileCheck:
    """Looks at the files that one shell makes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._failed: list[tuple[Statement, Exception]] = []
        """The lines that did not pass: the first, and those after ``finally``."""

    def findings(self, path: Path) -> list[str]:
        """Return what lint finds, for a person; raise ShellError where the file cannot be read."""
        block, found = loader.read(str(path))
        offline = Context(self._context.registry, interactive=False)
        findings = lint.check(block, [*found, *loader.nothing_in(block, str(path))], offline)
        return [line for finding in findings for line in lint.lines(finding)]

    async def replay(self, path: Path) -> Replayed:
        """Run a file, after a person agreed; raise ShellError where that is refused."""
        context, self._failed = self._context, []
        block, _ = loader.read(str(path))
        former = context.connected
        globs = [glob for _, _, glob in block.declarations()]
        await self._agree(former, globs)
        async with self._session(former, globs):
            with self._own_names():
                count = await self._run(block)
        if not self._failed:
            return Replayed(ExitCode.DONE, [f"replayed: {counted(count, 'line')}, all passed"])
        said: list[str] = []
        for statement, error in self._failed:
            said += [
                f"replayed: line {statement.line} does not pass: {safe(statement.text.strip())}",
                f"  {message_of(error)}",
            ]
        code = gravest(*(exit_code_for(error) for _, error in self._failed))
        statement, error = self._failed[0]
        return Replayed(code, said, statement.line, message_of(error))

    async def _agree(self, former: "GatewayConnection", globs: Sequence[TagGlob]) -> None:
        """Return if a person agrees to the writes of a replay; raise ShellError if not."""
        context, arming = self._context, former.arming
        if not globs:
            return
        if refused := next((why for glob in globs if (why := arming.refusal(str(glob)))), ""):
            raise ShellError(f"not replayed: {refused}", ExitCode.GUARDED)
        if context.assume_yes:
            return
        names = ", ".join(safe(str(glob)) for glob in globs)
        question = f"replay it now? It writes {names} at {former.client.options.endpoint}, as the file says"
        if context.ask is None:
            raise ShellError(
                "not replayed: it writes, and nobody can be asked; --yes says yes to all", ExitCode.GUARDED
            )
        if not await context.ask(question):
            raise ShellError("not replayed", ExitCode.GUARDED)

    @asynccontextmanager
    async def _session(self, former: "GatewayConnection", globs: Sequence[TagGlob]) -> AsyncIterator[None]:
        """Have a session of its own while this is open, armed for what the former one is, and the file declares."""
        context = self._context
        name = next(name for number in range(1, 1000) if (name := f"{_NAME}{number}") not in context.connections)
        # A limits file of the command line is added to the terms of each connection.
        limits = "" if context.write_terms.consent.limits else former.terms.limits
        try:
            await context.connect(former.connection, name, terms=former.terms._replace(limits=limits))
            made = context.connected
            if globs and context.write_terms.run is None and (scope := former.arming.scope) is not None:
                left = former.arming.seconds_left
                made.arming.arm(globs, None if math.isinf(left) else left, scope.reason)
            elif not former.arming.is_armed:
                made.arming.disarm("the connection that is replayed is not armed")
            yield
        finally:
            if name in context.connections:
                try:
                    await context.disconnect(name)
                except MxGatewayError as error:
                    context.alert(f"the session of the replay could not be closed and will expire: {message_of(error)}")
            if former in context.connections.values():
                context.current = former

    @contextmanager
    def _own_names(self) -> Iterator[None]:
        """Keep what the lines of the file set apart from what was typed."""
        context = self._context
        kept = context.names, context.file, context.last, context.failure, context.settings
        context.names, context.file, context.replays = {}, FileState(), True
        context.settings = replace(context.settings)
        try:
            yield
        finally:
            context.replays = False
            context.names, context.file, context.last, context.failure, context.settings = kept

    async def _run(self, block: Block) -> int:
        """Run the lines up to the first that does not pass, and in any case those after ``finally``; return how many
        ran."""
        count = 0
        try:
            count += await self._each(block.body)
            await self._standing_ended()
        finally:
            count += await self._each(block.ending, goes_on=True)
        return count

    async def _each(self, items: Sequence[Statement | Block], *, goes_on: bool = False) -> int:
        statements = [each for each in items if isinstance(each, Statement)]
        file, count = self._context.file, 0
        for number, statement in enumerate(statements, start=1):
            if file_role(statement) is not None:
                continue
            if self._failed and not goes_on:
                break
            file.lines_ahead = [each.text for each in statements[number:]]
            file.standing.statement = statement
            line = LineRun(self._context, statement.text)
            outcome = await line.run(self._follow)
            count += 1
            if outcome.error is not None:
                self._note(statement, outcome.error)
            elif outcome.result is not None and outcome.result.exit_code is not ExitCode.DONE:
                self._note(statement, ShellError(str(outcome.result), outcome.result.exit_code))
            for verdict in file.standing.look():
                if verdict.error is not None:
                    self._note(verdict.statement, verdict.error)
        return count

    async def _standing_ended(self) -> None:
        for verdict in await self._context.file.standing.end():
            if verdict.error is not None:
                self._note(verdict.statement, verdict.error)

    def _note(self, statement: Statement, error: Exception) -> None:
        self._failed.append((statement, error))

    async def _follow(self, feed: Feed) -> Result:
        return await feed.follow(lambda line: None)
