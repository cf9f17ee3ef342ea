"""Command files from the command line: reads and checks them, then runs or plans them."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, gravest, safe
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError, closest
from zb_mom_ww_mxgateway_shell.language.variables import names_in
from zb_mom_ww_mxgateway_shell.output.formats import Formatter
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, message_of, problem_lines
from zb_mom_ww_mxgateway_shell.scripts import lint, loader
from zb_mom_ww_mxgateway_shell.scripts.replay import MadeFileCheck
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.scripts.run_options import Part, ReadPart, RunOptions
from zb_mom_ww_mxgateway_shell.scripts.runner import ScriptRun
from zb_mom_ww_mxgateway_shell.scripts.step_selection import StepSelection, may_select
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.file_state import FileState
from zb_mom_ww_mxgateway_shell.state.run_scope import RunScope

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.scripts.dry_run import Plan
    from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedWrites
    from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow


class ScriptJob:
    """Statements to run, read and checked; made by :meth:`of`."""

    def __init__(self, parts: Sequence[Part], how: RunOptions, *, has_mistakes: bool = False) -> None:
        self._parts = parts
        self._how = how
        self._has_mistakes = has_mistakes
        self._left_changed: list[ChangeNow] = []
        """What the run leaves changed, as far as that is to be known."""
        self._plan: Plan | None = None
        """The plan of all files; None before the first, and in a run."""
        self._planned_well = not has_mistakes
        """Whether every line that was planned can pass."""
        self._planned: PlannedWrites | None = None
        """What the run may write; None without a plan."""
        self.logs: list[RunLog] = []
        """What ran, and what was left out: a log for each file."""
        self.script: ScriptRun | None = None
        """The run of the present file; None before the first."""

    @property
    def parts(self) -> Sequence[Part]:
        """The files, or lines, in their order."""
        return self._parts

    @classmethod
    def of(
        cls, scripts: Sequence[str], lines: Iterable[str], how: RunOptions
    ) -> "ScriptJob | Literal[ExitCode.USAGE, ExitCode.GUARDED]":
        """Read and check files in their order, or lines, or standard input if neither is given.

        Return USAGE if something is wrong with them, and GUARDED if they would write what the user does not let them,
        which has been reported. Raise ShellError if they cannot be read.
        """
        lines = list(lines)
        name = ", ".join(_name(script) for script in scripts) or ("lines" if lines else "standard input")
        how.reports.spare(scripts)
        if "-" in scripts or not (scripts or lines):
            how.reports.replace(name)  # Standard input may take long to come.
        if not scripts and not lines and not sys.stdin.seekable():
            # The lines come one by one: later ones are not known yet.
            source = None if sys.stdin.isatty() else "<stdin>"
            return cls([Part(loader.streamed(source), name, source)], how)
        try:
            read = list(cls._read(scripts, lines))
        except ShellError as error:
            how.reports.refuse(name, [message_of(error)], error.exit_code)
            raise
        return cls.checked(read, how, name)

    @classmethod
    def checked(
        cls, read: "Sequence[ReadPart]", how: RunOptions, name: str, others: Sequence[loader.Block] = ()
    ) -> "ScriptJob | Literal[ExitCode.USAGE, ExitCode.GUARDED]":
        """Check files, or lines, that were read, as :meth:`of` does; `name` is for the report of a run that fails.

        The names of ``--var`` may also be those of `others`, which do not run.
        """
        parts, wrong, refused = [], [], []
        how.reports.spare(source.name for part, _ in read for source in part.block.sources)
        for part, found in read:
            parts.append(part)
            findings = lint.check(
                part.block,
                [*found, *loader.nothing_in(part.block, part.name)],
                offline(how.variables),
                must_declare=part.is_file,
                warns=False,
            )
            wrong += [finding for finding in findings if not (finding.is_warning or finding.is_consent)]
            refused += how.consent.refusals(part.block, findings)
        # Checking read the files that lines name.
        sources = {source.name: source for part in parts for source in part.block.sources}
        how.reports.spare(sources)
        how.reports.keeping.files = [*sources.values()]
        how.reports.replace(name)
        if problems := wrong or refused:
            _report_findings(problems, how.formatter, to_error=True)
            code: Literal[ExitCode.USAGE, ExitCode.GUARDED] = ExitCode.USAGE if wrong else ExitCode.GUARDED
            how.reports.refuse(name, [line for finding in problems for line in lint.lines(finding)], code)
            if not how.plans:
                return code
            # A plan checks all the other lines, too.
            for part in parts:
                part.block.leave_out([each for finding in wrong for each in (finding.statement, *finding.also)])
        unused = _unused(offline(how.variables), [*(part.block for part in parts), *others], name)
        if how.steps and not any(may_select(how.steps, part.block, offline(how.variables)) for part in parts):
            unused = ShellError(f"--step {' '.join(how.steps)}: no step of {name} has such a title")
        if unused is not None:
            how.reports.refuse(name, [message_of(unused)], unused.exit_code)
            raise unused
        return cls(parts, how, has_mistakes=bool(wrong))

    @staticmethod
    def _read(scripts: Sequence[str], lines: Sequence[str]) -> "Iterator[ReadPart]":
        for script in scripts:
            block, found = loader.read_standard_input() if script == "-" else loader.read(script)
            yield Part(block, _name(script), "<stdin>" if script == "-" else script, is_file=True), found
        if lines:
            block, found = loader.given(lines)
            yield Part(block, "lines", None), found
        elif not scripts:
            block, found = loader.read_standard_input()
            yield Part(block, "standard input", "<stdin>"), found

    def report_unfinished(self, why: list[str]) -> None:
        """Write the report of a run that could not begin, if a report is wanted."""
        self._how.reports.report_unfinished(", ".join(part.name for part in self._parts), why)

    @property
    def stands_alone(self) -> bool:
        """Whether every statement works the same without a connection."""
        statements = [each for part in self._parts for each in part.block.statements()]
        commands = [all_commands().commands.get(each.command) for each in statements]
        return bool(commands) and all(each is not None and each.stands_alone for each in commands)

    async def run(self, context: Context) -> ExitCode:
        """Run one file after another on the connections of the context; return the gravest exit code.

        Each file starts with its own names, aliases and settings, on the connection on which the first one started. A
        failure in one does not leave out the next, unless it ends everything.
        """
        if self._how.plan_hash and (refused := await self._not_as_planned(context)):
            return refused
        codes: list[ExitCode] = []
        logs = self.logs
        names, aliases, settings = context.names, context.aliases, context.settings
        first = context.current
        context.made_files = MadeFileCheck(context)
        try:
            for part in self._parts:
                context.names, context.leaving = dict(names), False
                context.file = FileState(former_servers=context.registered())
                context.aliases, context.settings = dict(aliases), replace(settings)
                context.last, context.failure, context.focus_ahead = None, None, ""
                if first is not None:
                    # The one of this name that is open now; a file never writes where the file before it went.
                    context.connection, context.connected_as = first.connection, first.name
                    context.current = context.connections.get(first.name)
                for connected in context.connections.values():
                    connected.focus = ""
                logs.append(RunLog(part.name, is_reported=self._how.reports.tells_alarms))
                code, is_over = await self._one(context, part, logs[-1])
                codes.append(code)
                if is_over:
                    break
        finally:
            for part in self._parts[len(logs) :]:
                left_out = RunLog(part.name)
                left_out.leave_out(part.block, context, "not run: a file before it ended the run")
                logs.append(left_out)
            if self._how.steps and not any(log.titled for log in logs):
                tried_nothing = f"--step {' '.join(self._how.steps)}: no step has such a title, so nothing was tried"
                logs[0].broken_off = logs[0].broken_off or tried_nothing
                context.alert(tried_nothing)
                codes.append(ExitCode.USAGE)
            problem = self._how.reports.finish(logs, self._left_changed, context.alert)
        return gravest(*codes, *([ExitCode.USAGE] if problem or self._has_mistakes else []))

    async def _not_as_planned(self, context: Context) -> ExitCode:
        """Return DONE if the run is the one with the given hash; else end it before its first line, and report why."""
        from zb_mom_ww_mxgateway_shell.scripts.plan_check import take_plan  # Lazy: most runs have no plan.

        output = RunReporter(context, quiet=self._how.quiet, source=None, debug=self._how.debug)
        output.begin(Statement("", 0))
        try:
            self._planned = await take_plan(context, [part.block for part in self._parts], self._how.plan_hash)
        except asyncio.CancelledError:
            output.problem(["interrupted before the first line: nothing was run"])
            self._leave_all_out(context, "interrupted")
            raise
        except (ShellError, MxGatewayError) as error:
            output.failure(error, problem_lines(error, Statement("", 0)))
            self._leave_all_out(context, message_of(error))
            return exit_code_for(error)
        return ExitCode.DONE

    def _leave_all_out(self, context: Context, why: str) -> None:
        """Report a run of which no line was run."""
        logs = [RunLog(part.name) for part in self._parts]
        for part, log in zip(self._parts, logs, strict=True):
            log.broken_off = why
            log.leave_out(part.block, context, f"not run: {why}")
        self._how.reports.finish(logs, [], context.alert)

    async def _show_plan(self, context: Context, output: RunReporter) -> None:
        """Show what a plan comes to, and keep it, so that a run can name it by its hash."""
        from zb_mom_ww_mxgateway_shell.scripts.kept_plans import KeptPlans  # Lazy: runs never need it.
        from zb_mom_ww_mxgateway_shell.scripts.plan_set import lines_sha256

        assert self._plan is not None
        made = await self._plan.made(context, lines_sha256(part.block for part in self._parts))
        output.begin(Statement("plan", 0))
        if self._planned_well:
            try:
                KeptPlans().keep(made.content())
            except (OSError, MxGatewayArgumentError) as error:
                output.notice(f"the plan cannot be kept, so no run can name it: {error}")
        output.result(made.result(has_mistakes=not self._planned_well))

    async def _one(self, context: Context, part: Part, log: RunLog) -> tuple[ExitCode, bool]:
        """Run one file; return its exit code, and whether the run ends with it."""
        how = self._how
        is_typed = part.block.stream is not None and part.source is None
        context.runs_file = not is_typed
        scope = RunScope(
            how.consent.given,
            [glob for _, _, glob in part.block.declarations()],
            is_file=part.is_file,
            takes_declarations=part.block.stream is not None,
            planned=self._planned,
        )
        output = RunReporter(context, quiet=how.quiet, source=part.source, is_typed=is_typed, debug=how.debug)
        if how.plans:
            if self._plan is None:
                from zb_mom_ww_mxgateway_shell.scripts.dry_run import Plan  # Lazy: runs never need it.

                self._plan = Plan()
            self._plan.source = part.source
            script = ScriptRun(context, output, log, debug=how.debug, perform=self._plan.preview, looks_on=True)
        else:
            script = ScriptRun(
                context,
                output,
                log,
                debug=how.debug,
                goes_on=is_typed,
                time_limit=how.time_limit,
                selection=StepSelection(how.steps),
                within="suite" if how.is_one_of_many else "process",
            )
        self.script = script
        if part.block.stream is None and sys.stdin.isatty() and not how.is_one_of_many:
            script.let_ask()
        if is_typed:
            code = await script.run(part.block)  # A person arms.
        else:
            with context.write_terms.armed_for_run(scope, context.connections, output.alert):
                code = await script.run(part.block, is_file=part.is_file and part.block.stream is None)
        if part is self._parts[-1] or script.is_final:
            code = gravest(code, await self._leave(context, log))
        log.journal = [str(head) for head in await context.journals.heads()]
        if context.has_written and log.journal:
            output.notice(f"journal: head {', '.join(log.journal)}")
        if how.plans and code in (ExitCode.NOT_MET, ExitCode.REFUSED):
            code = ExitCode.USAGE  # Nothing was tried: the file does not match the plant.
        self._planned_well = self._planned_well and code is ExitCode.DONE
        if how.plans and part is self._parts[-1]:
            await self._show_plan(context, output)
        is_proof = how.reports.junit is not None or (not is_typed and code is ExitCode.DONE)
        if is_proof and part.block.stream is not None and not any(log.entries):
            # No statement came: an empty run or report would pass without proof.
            log.broken_off = "there was no statement"
            output.problem([f"{part.name}: {log.broken_off}"])
            code = gravest(code, ExitCode.USAGE)
        if part.source is not None and part.block.stream is None:
            name = f"{part.name}: " if len(self._parts) > 1 else ""
            output.end(name + ("planned: nothing was written" if how.plans else log.summary()))
        return code, script.is_final

    async def _leave(self, context: Context, log: RunLog) -> ExitCode:
        """Put back what timed writes wait to put back; return whether what the run leaves changed is a failure."""
        self._left_changed = await context.departure.left_changed(context.connections.values())
        lines = context.departure.failures(self._left_changed)
        for line in lines:
            context.alert(f"left changed: {line}")
        if lines:
            log.broken_off = log.broken_off or f"left changed: {'; '.join(lines)}"
        return ExitCode.LEFT_CHANGED if lines else ExitCode.DONE


def _name(script: str) -> str:
    return "standard input" if script == "-" else script


def _unused(context: Context, blocks: Sequence[loader.Block], name: str) -> ShellError | None:
    """Return the error for a name of ``--var`` that nothing uses: with a misspelt one, ``let`` would decide what is
    written."""
    statements = [statement for block in blocks for statement in block.statements()]
    there = {each for text in context.aliases.values() for each in names_in(text)}
    for statement in statements:
        there |= names_in(statement.text)
        command, words = context.registry.commands.get(statement.command), statement.text.split(maxsplit=2)
        if command is not None and command.traits.sets_name and len(words) > 1:
            there.add(words[1])
    for given in sorted(context.given_names - there):
        return ShellError(f"--var {given}: nothing in {name} is called ${given}{closest(given, sorted(there))}")
    return None


def offline(variables: Iterable[str]) -> Context:
    """Return a context without a connection, with the user's aliases and the names of ``--var``."""
    context = Context(all_commands(), interactive=False)
    context.load_profiles()
    context.give_names(variables)
    return context


def lint_files(paths: Iterable[str], variables: Iterable[str], formatter: Formatter) -> ExitCode:
    """Report everything that is wrong with command files; return USAGE if something is."""
    code = ExitCode.DONE
    given, paths = tuple(variables), list(paths)
    blocks: list[loader.Block] = []
    for path in paths:
        try:
            block, found = loader.read(path)
        except ShellError as error:
            code = ExitCode.USAGE
            _report_file(path, error, formatter)
            continue
        blocks.append(block)
        findings = lint.check(block, [*found, *loader.nothing_in(block, path)], offline(given))
        _report_findings(findings, formatter, to_error=False)
        wrong = sum(not finding.is_warning for finding in findings)
        if wrong:
            code = ExitCode.USAGE
        if not formatter.finding_help:
            count = sum(1 for _ in block.statements())
            warned = len(findings) - wrong
            summary = counted(wrong, "mistake") if wrong else "nothing wrong"
            summary += f", {counted(warned, 'warning')}" if warned else ""
            print(safe(f"{path}: {counted(count, 'statement')}, {summary}"), flush=True)
    if len(blocks) == len(paths) and (unused := _unused(offline(given), blocks, " and ".join(paths))):
        code = ExitCode.USAGE
        _report_file(paths[0], unused, formatter)
    return code


def _report_file(path: str, error: ShellError, formatter: Formatter) -> None:
    record = formatter.record(lint.form(loader.LintFinding(Statement("", 0, path), error)))
    print(record or message_of(error), flush=True)


def _report_findings(findings: Iterable[loader.LintFinding], formatter: Formatter, *, to_error: bool) -> None:
    for finding in findings:
        if record := formatter.record(lint.form(finding)):
            print(record, flush=True)
            continue
        for line in lint.lines(finding):
            print(safe(line), file=sys.stderr if to_error else sys.stdout, flush=True)
