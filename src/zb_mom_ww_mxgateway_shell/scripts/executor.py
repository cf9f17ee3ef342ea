"""Runs one line and returns its outcome: the same for the prompt, files and Python."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.live.followed_writes import FollowedCall, followed_writes
from zb_mom_ww_mxgateway.safety.write_note import given
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted
from zb_mom_ww_mxgateway_console.render.write_results import NOTHING_WRITTEN
from zb_mom_ww_mxgateway_shell.errors import Failure
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.output.problems import Statement, message_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedAccepted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.state.bound_context import BoundContext
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.recorded_lines import RecordedLine

Follow = Callable[[Feed], Awaitable[Result]]
"""Shows a feed until it ends, in the way of a front end."""

UNSURE = "a write was sent, and its outcome is UNKNOWN"
"""Reported when a line that writes was interrupted."""


class Outcome(NamedTuple):
    """The outcome of a line: its invocation, and either its result or its error."""

    invocation: Invocation | None
    """None for a line that is empty or cannot be parsed."""
    result: Result | None = None
    """None for an empty line, and for a line that raised."""
    error: Exception | None = None

    @property
    def command(self) -> Command | None:
        return self.invocation.command if self.invocation else None

    def unwrap(self) -> Result | None:
        """Return the result, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.result


class LineRun:
    """One line that runs: parsed once, so that everything that follows it knows its command."""

    def __init__(self, context: Context, text: str, statement: Statement | None = None) -> None:
        """`statement` is where the line stands, if it is one of a run."""
        self.context = context
        self.text = text
        self.statement = statement
        self.invocation: Invocation | None = None
        """None before it is parsed, and for a line that is empty or cannot be parsed."""
        self.writes: Sequence[FollowedCall] = ()
        """The calls that it has made to write."""
        self._started = clock.monotonic()

    @property
    def command(self) -> Command | None:
        return self.invocation.command if self.invocation else None

    @property
    def is_mutating(self) -> bool:
        """Whether it changes the plant."""
        return self.invocation is not None and self.invocation.command.mutating

    @property
    def asks_secret(self) -> bool:
        """Whether it may ask for a secret, or might once it is parsed: then what is typed ahead may be one."""
        command = self.command or command_of(self.context, self.text)
        asks = command.traits.asks_secret if command else None
        return asks is not None and (self.invocation is None or asks(self.context, self.invocation))

    @contextmanager
    def parsed(self, context: Context | None = None) -> Iterator[Invocation | None]:
        """Yield the line as an invocation. A mistake inside this block gets its place in the line as typed."""
        context = context or self.context
        with unfolded(context, self.text) as line:
            if self.invocation is None:
                self.invocation = context.registry.parse(line, context)
            yield self.invocation

    async def run(self, follow: Follow) -> Outcome:
        """Run it on the connection that is current now, whatever becomes current meanwhile.

        An error is kept in the context, too, for ``last-error``.
        """
        context = BoundContext(self.context)
        context.refresh()
        began_on = context.current
        try:
            with given(command=self.text.strip()), followed_writes() as self.writes:
                result = await self._run(context, follow)
        except Exception as error:
            if context.current is began_on:
                self._leave_unchosen(context)
            context.failure = Failure(error, self.text)
            return Outcome(self.invocation, error=error)
        except asyncio.CancelledError:
            if context.current is began_on:
                self._leave_unchosen(context)
            if self.is_mutating:
                context.failure = Failure(self.interruption(), self.text)
            raise
        return Outcome(self.invocation, result)

    def _leave_unchosen(self, context: Context) -> None:
        """Leave nothing chosen where this line of a file was to choose another connection or object, and could not.

        The lines after it, such as those after ``finally``, are not about the one before.
        """
        current, command = context.current, self.command or command_of(self.context, self.text)
        if current is None or command is None or not context.runs_file or command.traits.leaves_none:
            return
        # None is the one in use, of connect alone; a line with a mistake may mean any.
        meant = next(iter(self.invocation.positional), None) if self.invocation else ""
        subject, same = command.traits.changes_subject, (None, current.name, current.client.options.endpoint)
        if subject == "connection" and meant not in same:
            context.choose_none()
        elif subject == "object" and getattr(meant, "value", "") != current.focus:
            current.focus = ""

    async def _run(self, context: Context, follow: Follow) -> Result | None:
        with self.parsed(context) as invocation:
            if invocation is None:
                return None
            if invocation.command.needs_session:
                _ = context.live_session  # raises when there is none
            command = invocation.command
            if (command.needs_session if command.stream is None else command.stream) and context.current is not None:
                await context.current.settled()
            if command.needs_session and not context.is_typed and context.current is not None:
                # At the prompt a person sees that the session is lost, and decides.
                await context.current.reconnected()
            recorded_line = context.recorded_line(invocation)
            result: Result | Feed | None = None
            try:
                result = await invocation.run(context)
                if isinstance(result, Feed):
                    result = await follow(result)
            finally:
                if recorded_line:
                    _keep(context, recorded_line, None if isinstance(result, Feed) else result)
        if (problem := getattr(result, "error", None)) is not None:
            context.failure = Failure(problem, self.text)
        if result.value is not None:
            context.last = result.value
        if not command.traits.about_last:
            context.last_result = result
        return result

    def progress(self) -> str:
        """Return what it waits for, in one line: the outcome of a write, first values, or its end."""
        from zb_mom_ww_mxgateway_shell.feeds.write_progress import progress_text  # Lazy: most lines end at once.

        texts = [text for call in self.writes if (text := progress_text(call))]
        name = self.command.name if self.command else self.text
        awaited = self.context.awaited_values() or name
        return texts[-1] if texts else f"{awaited}, {age_text(clock.monotonic() - self._started)}"

    def interruption(self) -> Interrupted:
        """Return the error for this line, interrupted. It is in doubt if a write was sent since the line began."""
        if not self.is_mutating:
            return Interrupted("interrupted")
        sent = [call for call in self.writes if call.is_sent]
        if sent and all(call.results is not None for call in sent):
            return self._interruption_after_answers(sent)
        # The calls of its own, too: their connection may have been closed since.
        was_sent = sent or any(each.desk.records.has_sent(self._started) for each in self.context.connections.values())
        return InterruptedInDoubt(f"interrupted; {UNSURE}") if was_sent else Interrupted(NOTHING_WRITTEN)

    def _interruption_after_answers(self, sent: Sequence[FollowedCall]) -> Interrupted:
        """Return the error for this line, interrupted after each of its calls that were sent was answered."""
        from zb_mom_ww_mxgateway_shell.feeds.write_progress import interrupted_text  # Lazy: few lines are interrupted.

        outcomes = {result.outcome.value for call in sent for result in call.results or ()}
        if any(call.is_interrupted for call in sent):
            kind: type[Interrupted] = InterruptedAccepted
        else:
            kind = Interrupted if outcomes <= {"completed", "refused"} else InterruptedInDoubt
        others = sum(len(call.keys) for call in self.writes) - sum(len(call.keys) for call in sent)
        texts = [interrupted_text(self.context, call) for call in sent]
        return kind("; ".join(["interrupted", *texts, *([f"{counted(others, 'write')} not sent"] if others else ())]))


def _keep(context: Context, line: "RecordedLine", result: Result | None) -> None:
    """Give a line that ran to record-script. A failure there is reported, and does not change the outcome."""
    try:
        context.recorder.keep(context, line, result)
    except Exception as error:
        context.alert(f"record-script: {message_of(error)}")


def command_of(context: Context, text: str) -> Command | None:
    """Return the command with which a line begins, itself or through an alias; None if there is none."""
    name = text.split(maxsplit=1)[0] if text.strip() else ""
    found = context.registry.commands.get(name)
    if found is None and name in context.aliases:
        found = context.registry.commands.get(context.aliases[name].split(maxsplit=1)[0])
    return found
