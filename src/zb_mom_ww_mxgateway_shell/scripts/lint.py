"""Finds what is wrong with a command file without a gateway."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.command_traits import FileRole
from zb_mom_ww_mxgateway_shell.language.tokens import split
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.output.problems import Statement, problem_form, problem_lines
from zb_mom_ww_mxgateway_shell.scripts.coverage import undeclared
from zb_mom_ww_mxgateway_shell.scripts.doubtful_lines import DoubtfulLines
from zb_mom_ww_mxgateway_shell.scripts.finding_groups import grouped
from zb_mom_ww_mxgateway_shell.scripts.loader import Block, LintFinding
from zb_mom_ww_mxgateway_shell.scripts.name_findings import name_findings
from zb_mom_ww_mxgateway_shell.state.context import Context

_MEANT = re.compile(r"\s#\s*meant\b")
"""A comment after a line that confirms it is intended."""


def check(
    block: Block, found: Iterable[LintFinding], context: Context, *, must_declare: bool = True, warns: bool = True
) -> list[LintFinding]:
    """Return all findings of a block, with those `found` while reading it, in the order of its lines.

    `context` has no connection; names that the lines set are set in it. Without `must_declare` the lines may write
    without a declaration; if they have one, it holds. Without `warns` nothing looks for what is probably not meant.
    """
    findings = list(found)
    declared = [glob for _, _, glob in block.declarations()]
    has_scope = must_declare or bool(declared)
    order = {id(statement): number for number, statement in enumerate(block.statements())}
    doubtful = DoubtfulLines(block, context) if warns else None
    for statement, problem in block.scoped(context):
        if problem is not None:
            findings.append(LintFinding(statement, problem))
            continue
        mistakes = _mistakes(statement, context)
        findings += [LintFinding(statement, mistake) for mistake in mistakes]
        if has_scope and not mistakes:
            findings += _undeclared(statement, context, declared)
        if warns and (warning := _warning(statement, context)):
            findings.append(LintFinding(statement, warning, is_warning=True))
        if doubtful is not None and not mistakes:
            doubts = doubtful.look(statement)
            findings += (each for each in doubts if not _MEANT.search(each.statement.text))
        context.last = NotYetKnown()
    block.sources += [each for each in context.files_read if each not in block.sources]
    findings += doubtful.end() if doubtful is not None else ()
    findings += name_findings(block, context)
    return grouped(sorted(findings, key=lambda finding: order.get(id(finding.statement), len(order))))


def _mistakes(statement: Statement, context: Context) -> Sequence[ShellError]:
    try:
        with unfolded(context, statement.text) as line:
            found = context.registry.check(line, context)
            name = line.split(maxsplit=1)[0]
            if name != statement.command and _is_put_together(context, name):
                found = [
                    InputError(
                        f"{name} does not work through an alias: a file is put together before it runs", 0, len(name)
                    )
                ]
            if line != statement.text and found:
                raise found[0]  # its place becomes that in the line as typed
            if found:
                return found
            _refuse_given(statement, line, context)
            _apply(line, context)
    except InputError as error:
        return [error]
    return []


def _refuse_given(statement: Statement, line: str, context: Context) -> None:
    """Raise InputError at a name to which a line gives a value although an include has given it one."""
    words = split(line)
    command = context.registry.commands.get(words[0].text)
    if command is not None and command.traits.sets_name and words[1].text in statement.given:
        raise words[1].mistake(f"{words[1].text} has its value from an include: take another name")


def _undeclared(statement: Statement, context: Context, declared: Sequence[TagGlob]) -> list[LintFinding]:
    try:
        with unfolded(context, statement.text) as line:
            found = sorted(undeclared(statement, line, context, declared), key=lambda each: each.is_warning)
            if line != statement.text and found:
                raise found[0].problem  # its place becomes that in the line as typed
            return found
    except InputError as error:
        return [found[0]._replace(problem=error)]


def _apply(line: str, context: Context) -> None:
    """Apply what a line sets for the lines after it."""
    name = line.split(maxsplit=1)[0]
    command = context.registry.commands.get(name)
    if command is None:
        return
    traits = command.traits
    if traits.not_in_file:
        raise InputError(traits.not_in_file, 0, len(name))
    if traits.checked_effect is None:
        return
    try:
        invocation = context.registry.parse(line, context)
        assert invocation is not None
        traits.checked_effect(context, invocation.positional)
    except ValueNotYetKnown:
        if traits.sets_name:
            context.names.setdefault(line.split(maxsplit=2)[1], NotYetKnown())


def _is_put_together(context: Context, name: str) -> bool:
    """Return whether lines of this command take effect when the file is put together, before it runs."""
    command = context.registry.commands.get(name)
    return command is not None and command.traits.file_role in (FileRole.INCLUDE, FileRole.FINALLY)


def _warning(statement: Statement, context: Context) -> InputError | None:
    if _MEANT.search(statement.text):
        return None
    command = context.registry.commands.get(statement.command)
    if command is not None and command.traits.lint_warning:
        start = statement.text.index(command.name)
        return InputError(command.traits.lint_warning, start, start + len(command.name))
    try:
        with unfolded(context, statement.text) as line:
            _warn_of_options(line, context)
    except InputError as warning:
        return warning
    return None


def _warn_of_options(line: str, context: Context) -> None:
    """Raise the warning about the first option of a line that has one."""
    name = line.split(maxsplit=1)[0] if line.strip() else ""
    command = context.registry.commands.get(name)
    warnings = command.traits.option_warnings if command is not None else {}
    for word in split(line) if warnings else ():
        if warning := warnings.get(word.text):
            raise InputError(warning, word.start, word.end)


def lines(finding: LintFinding) -> list[str]:
    """Return a finding for a person, with its place and a caret under it."""
    first, *rest = problem_lines(finding.problem, finding.statement)
    return [f"{first}{' (warning)' if finding.is_warning else ''}", *rest]


def form(finding: LintFinding) -> dict[str, Any]:
    """Return a finding for JSON, like a statement that failed."""
    return {
        "command": finding.statement.command,
        "error": problem_form(finding.problem),
        "file": None if finding.statement.source is None else redact(finding.statement.source),
        "line": finding.statement.line,
        "place": redact(finding.statement.place) if finding.statement.origin else None,
        "ok": finding.is_warning,
        "severity": "warning" if finding.is_warning else "error",
    }
