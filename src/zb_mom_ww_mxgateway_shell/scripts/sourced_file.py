"""A command file that runs inside a shell with a prompt: on its connections, with its names, armed as it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.write_note import given
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.scripts import lint, loader
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.scripts.line_performer import Perform
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.run_consent import RunConsent
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.scripts.runner import ScriptRun
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.ending_scope import EndingScope
from zb_mom_ww_mxgateway_shell.state.file_state import FileState
from zb_mom_ww_mxgateway_shell.state.run_scope import uncovered

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
    from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow


@dataclass(frozen=True, slots=True)
class SourcedFile:
    """A command file, read and checked as a run checks it before its first line.

    Names, aliases, settings, watches and connections that its lines set stay, as if they were typed. Its steps and
    checks that stand, and what ``on-error`` and ``time-limit`` set, end with it, and ``exit`` ends it alone.
    """

    path: str
    block: loader.Block
    findings: Sequence[loader.LintFinding]
    """Why it must not run."""

    @classmethod
    def read(cls, context: Context, path: str) -> "SourcedFile":
        """Read and check a file; raise ShellError if it cannot be read."""
        block, found = loader.read(path, waits=False)
        arming = context.current.arming if context.current else None
        is_open = arming is not None and arming.open_for_all
        findings = lint.check(
            block, [*found, *loader.nothing_in(block, path)], _as_here(context), must_declare=not is_open, warns=False
        )
        wrong = [each for each in findings if not (each.is_warning or each.is_consent)]
        consent = RunConsent(
            WriteConsent(arm=tuple(map(str, arming.globs)) if arming else ()),
            opens_all=is_open,
            forbidden=arming is None or bool(arming.for_good),
            is_typed=True,
        )
        return cls(path, block, wrong or consent.refusals(block, findings))

    @property
    def declared(self) -> tuple[TagGlob, ...]:
        """The globs that it declares to write."""
        return tuple(glob for _, _, glob in self.block.declarations())

    def refusal(self) -> Result:
        """Return what it must not run for."""
        shown = [line for finding in self.findings for line in lint.lines(finding)]
        problem = self.findings[0].problem
        is_wrong = any(not finding.is_consent for finding in self.findings)
        return TextResult(
            "\n".join([*shown, f"{safe(self.path)}: nothing was run"]),
            {"file": self.path, "findings": [lint.form(finding) for finding in self.findings]},
            exit_code=ExitCode.USAGE if is_wrong else ExitCode.GUARDED,
            error=problem,
        )

    async def run(
        self, context: Context, output: RunReporter, *, record: str | None, debug: bool, perform: Perform = LineRun.run
    ) -> Result:
        """Run it; return how it went. A person is asked once for all that it writes; raise ShellError without consent.

        The first Ctrl-C lets its present line end and goes to the lines after ``finally``, as in any run.
        """
        problems: list[str] = []
        with _as_file(context):  # First: while a person is asked, no other file must begin.
            agreed_under = await self._agreed(context)
            keeping = RecordKeeping(RecordOptions(record=record), may_show=False, is_within=True)
            keeping.check([source.name for source in self.block.sources], None)
            keeping.files = self.block.sources
            log, began = RunLog(self.path), clock.monotonic()
            with given(declared=self.declared, agreed_under=agreed_under):
                await keeping.begin(context)
                ending = EndingScope(self.declared, output.alert)
                script = ScriptRun(
                    context, output, log, debug=debug, perform=perform, within="prompt", ending_scope=ending
                )
                code = ExitCode.INTERRUPTED
                try:
                    with ending.following(context.connections.values()):
                        code = await script.run(self.block, is_file=True)
                finally:
                    keeping.outcome([log], await _left_changed(context, began) if record is not None else ())
                    await keeping.take_journals(context)
                    code = ExitCode(keeping.end(code, problems.append))
        titled = [step for step in log.titled if step.failure is None]
        return TextResult(
            "\n".join([*problems, f"{safe(self.path)}: {log.summary()}"]),
            {
                "exit_code": int(code),
                "file": self.path,
                "steps": {
                    "failed": len(log.titled) - len(titled),
                    "passed": len(titled),
                    "skipped": len(log.not_run),
                },
                "broken_off": log.broken_off or None,
                "problems": problems,
                "seconds": round(log.seconds, 3),
            },
            exit_code=code,
        )

    async def _agreed(self, context: Context) -> "WriteRules | None":
        """Ask for all that the file writes, where each typed write asks; return the rules for which that counts."""
        current, declared = context.current, self.declared
        if current is None or not declared or current.desk.rules.level != "yes" or context.assume_yes:
            return None
        if current.arming.for_good:
            return None  # Nothing can be written anyway.
        named = ", ".join(safe(str(glob)) for glob in declared)
        question = f"run {safe(self.path)}? It writes {named} at {current.client.options.endpoint}, as it declares"
        if context.ask is None:
            raise ShellError("not run: it writes, and nobody can be asked; --yes says yes to all", ExitCode.GUARDED)
        if not await context.ask(question):
            raise ShellError("not confirmed; nothing was run", ExitCode.GUARDED)
        if missing := uncovered(declared, current.arming.globs):
            why = current.arming.refusal(missing[0].text)
            raise ShellError(f"the arming ended before the answer: {why}; nothing was run", ExitCode.GUARDED)
        return current.desk.rules


def _as_here(context: Context) -> Context:
    """Return a context without a connection, with what the lines of a file can use of this one."""
    offline = Context(context.registry, interactive=False)
    offline.names, offline.given_names, offline.last = dict(context.names), context.given_names, context.last
    offline.aliases, offline.profiles, offline.focus_ahead = dict(context.aliases), context.profiles, context.focus
    return offline


@contextmanager
def _as_file(context: Context) -> Iterator[None]:
    """Have the lines of a file run while this is open."""
    kept = context.file, context.notice, context.alert
    context.file, context.runs_file = FileState(former_servers=context.registered()), True
    try:
        yield
    finally:
        context.file, context.notice, context.alert = kept
        context.runs_file = context.leaving = False
        context.record, context.departure.tells_all = None, False


async def _left_changed(context: Context, since: float) -> "list[ChangeNow]":
    """Return what a run that began at a moment (monotonic seconds) has changed and not put back."""
    rows = await context.departure.changed(context.connections.values())
    return [row for row in rows if row.change.last.sent_at >= since]


async def source_file(
    context: Context,
    path: str,
    output: RunReporter,
    *,
    record: str | None,
    debug: bool,
    perform: Perform,
    begin: Callable[[loader.Block], object],
) -> Result:
    """Read, check and run a file; raise ShellError if it cannot be read, or nobody agrees to what it writes.

    `begin` takes the lines that run.
    """
    if context.runs_file:
        raise ShellError("a file runs already: source another one when it has ended", ExitCode.GUARDED)
    file = SourcedFile.read(context, path)
    if file.findings:
        return file.refusal()
    begin(file.block)
    return await file.run(context, output, record=record, debug=debug, perform=perform)
