"""Whether the lines of a file write only what the file declares, as far as that is known without a gateway."""

from collections.abc import Iterator, Sequence

from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.command_traits import Written
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.scripts.loader import LintFinding
from zb_mom_ww_mxgateway_shell.state.context import Context


def undeclared(statement: Statement, line: str, context: Context, declared: Sequence[TagGlob]) -> Iterator[LintFinding]:
    """Yield what a line without mistakes writes beside the declaration; a warning where only the run can tell.

    `line` is the statement with its alias unfolded.
    """
    command = context.registry.commands.get(line.split(maxsplit=1)[0])
    if command is None or not command.mutating:
        return
    word = InputError("", len(line) - len(line.lstrip()), len(line.rstrip()))
    try:
        invocation = context.registry.parse(line, context, ahead=True)
    except ValueNotYetKnown as error:
        yield _unknown(statement, word, f"${error} is known in the run only", declared)
        return
    assert invocation is not None
    writes = _written(context, invocation)
    if writes is None:
        yield _unknown(statement, word, "what it writes is known in the run only", declared)
        return
    for each in writes:
        place = InputError("", each.word.start, each.word.end)
        if not each.names:
            yield _unknown(statement, place, f"what {each.word.value} means is known in the run only", declared)
        elif not any(glob.matches(name) for glob in declared for name in each.names):
            where = f"{each.place}: " if each.place else ""
            yield _finding(statement, place, f"{where}{each.names[-1]} is not declared: {_remedy(each.names[-1])}")


def _written(context: Context, invocation: Invocation) -> Sequence[Written] | None:
    writes = invocation.command.traits.writes
    return None if writes is None else writes(context, invocation)


def _unknown(statement: Statement, place: InputError, why: str, declared: Sequence[TagGlob]) -> LintFinding:
    if not declared:
        return _finding(statement, place, f"the file declares no writes: {_remedy('TAG')}")
    return _finding(statement, place, f"not checked against the declaration: {why}", is_warning=True)


def _remedy(tag: str) -> str:
    return f'requires write "{tag}" at the beginning of the file lets it write that'


def _finding(statement: Statement, place: InputError, message: str, *, is_warning: bool = False) -> LintFinding:
    problem = InputError(message, place.start, place.end)
    return LintFinding(statement, problem, is_warning=is_warning, is_consent=True)
