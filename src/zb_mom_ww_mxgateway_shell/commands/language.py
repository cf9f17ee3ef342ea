"""let, step, remarks, confirm, sleep, source, lines for files alone (include, tags, finally, on-error, time-limit)."""

import os
import re
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

from zb_mom_ww_mxgateway.kept_secrets import without_kept
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe, value_form, value_text
from zb_mom_ww_mxgateway_console.render.text_values import duration_text
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    ArgumentType,
    Duration,
    FileName,
    NewName,
    OneWord,
    Sign,
    Suggestion,
    TextArgument,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, FileRole
from zb_mom_ww_mxgateway_shell.language.commands import Clause, command
from zb_mom_ww_mxgateway_shell.language.given_names import GivenName, NameAndValue
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import VariableWord, literal_text, value_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of
from zb_mom_ww_mxgateway_shell.state.remarks import keep_remark

if TYPE_CHECKING:
    pass


class RequirementIds(ArgumentType):
    """Ids of requirements, separated by commas."""

    name = "id"

    def parse(self, word: Token, context: Scope) -> Sequence[str]:
        # Whole: a part of a secret is none that could be found.
        return without_kept(word.value).replace(",", " ").split()


class PlainValue(ArgumentType):
    """Value of a name."""

    name = "value"

    def parse(self, word: Token, context: Scope) -> VariableWord:
        return VariableWord.of(word)


def _set_name(scope: Scope, given: Sequence[Any]) -> None:
    context = context_of(scope)
    if given[0] not in context.given_names:
        context.names[given[0]] = given[2]


@command(
    "let",
    example="let limit = 70",
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(checked_effect=_set_name, sets_name=True, defines=True, recorded=True),
)
async def let(
    context: Context,
    name: Annotated[str, NewName()],
    equals: Annotated[str, Sign("=")],
    value: Annotated[VariableWord, PlainValue()],
) -> Result:
    """Give a value a name: from then on `$limit` stands for it; in Python the name is limit.

    A value is a number, true or false, a text, a tag, or an array [1, 2, 3]. It is kept as typed and read where it
    is used: 01 in a tag's name is 01. Before a letter or digit write `${limit}`. Double quotes replace names by
    their values, single quotes do not. A value given by --var NAME=VALUE wins over let.
    """
    given = name in context.given_names
    if not given:
        context.names[name] = value
    kept = context.names[name]
    held = value_of(kept)
    shown = safe(literal_text(kept)) if isinstance(kept, VariableWord) else value_text(kept)
    return TextResult(f"{name} = {shown}{' (--var)' if given else ''}", {"name": name, "value": value_form(held)}, held)


@command(
    "step",
    example='step "fill the tank" req URS-12, URS-13',
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(begins_step=True, recorded=True),
)
async def step(
    context: Context,
    title: TextArgument,
    *,
    req: Annotated[Sequence[Sequence[str]] | None, RequirementIds(), Clause(many=True)] = None,
) -> Result:
    """Begin a step: the lines up to the next step or finally belong to it.

    A run reports how many steps passed, and --report-junit has a case for each. `req URS-12, URS-13` names the
    requirements that it is about; a record and its report show each with its result.
    """
    context.file.standing.close()  # A run has looked at them already; at a prompt they have told what they saw.
    context.file.step = title
    context.file.requirements = tuple(dict.fromkeys(each for word in req or () for each in word))
    named = ", ".join(context.file.requirements)
    fields = {"requirements": list(context.file.requirements), "title": title}
    return TextResult(f"for {named}" if named else "", fields)


@command(
    "note", example='note "the tank is full"', needs_session=False, in_plan=True, traits=CommandTraits(recorded=True)
)
async def note(context: Context, text: TextArgument) -> Result:
    """Add a remark to the output, the reports, the journal and the summary of the shift (handover)."""
    keep_remark(context, "note", text)
    return TextResult(text, {"text": text})


@command(
    "comment",
    example='comment "the pump was replaced last week"',
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(recorded=True),
)
async def comment(context: Context, text: TextArgument) -> Result:
    """Record an observation about the step: it passes with an observation.

    The exit code stays as it is. `deviation` is for what differs from what was expected, and note for a remark about
    the run that is no observation.
    """
    keep_remark(context, "comment", text)
    return TextResult(f"comment: {text}", {"observation": "comment", "text": text})


@command(
    "deviation",
    example='deviation "the level was read at the gauge: the transmitter is in repair"',
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(recorded=True),
)
async def deviation(context: Context, text: TextArgument) -> Result:
    """Record that something differs from what was expected or planned, although the step goes on.

    It never changes the exit code. A record and its report list it, and the step passes with an observation.
    """
    keep_remark(context, "deviation", text)
    return TextResult(f"deviation: {text}", {"observation": "deviation", "text": text})


@command(
    "confirm",
    example='confirm "is the valve free?"',
    needs_session=False,
    traits=CommandTraits(recorded=True, asks_person=True),
)
async def confirm(context: Context, question: TextArgument) -> Result:
    """Continue only if a person says yes. With --yes no question is asked.

    Without a person to ask, and without --yes, it is refused.
    """
    if context.assume_yes:
        return TextResult("yes (--yes)", {"by": "--yes", "confirmed": True})
    if context.ask is None:
        raise ShellError(f"not confirmed: nobody to ask “{question}”; --yes says yes to all", ExitCode.GUARDED)
    if not await context.ask(question):
        raise ShellError("not confirmed", ExitCode.GUARDED)
    return TextResult("yes", {"by": "a person", "confirmed": True})


_SLEEP_WARNING = (
    "sleep waits a fixed time, which may be too short: wait ends when its condition is met; for an intended fixed "
    "time write sleep 5s # meant"
)


@command(
    "sleep",
    example="sleep 100ms",
    needs_session=False,
    traits=CommandTraits(
        lint_warning=_SLEEP_WARNING, recorded=True, takes=lambda arguments: float(arguments.positional[0])
    ),
)
async def sleep(context: Context, duration: Annotated[float, Duration()]) -> Result | Feed:
    """Wait for a fixed time. To wait for a condition, `wait` is quicker and certain.

    lint warns of it, except for `sleep 5s # meant`: the remark says that the fixed time is intended.
    """
    from zb_mom_ww_mxgateway_shell.feeds.wait import SleepFeed

    return SleepFeed(duration)


def _refuse_twice(positional: Sequence[Any], options: dict[str, Any]) -> None:
    seen: set[str] = set()
    for each in options.get("with_", ()):
        if each.name in seen:
            raise each.word.mistake(f"{each.name} is given twice")
        seen.add(each.name)


@command(
    "include",
    example="include loop.mxs with area=Plant each loops.csv",
    needs_session=False,
    check=_refuse_twice,
    traits=CommandTraits(file_role=FileRole.INCLUDE),
)
async def include(
    context: Context,
    file: Annotated[str, FileName()],
    *,
    with_: Annotated[Sequence[GivenName] | None, NameAndValue(), Clause(many=True)] = None,
    each: Annotated[str | None, FileName(), Clause()] = None,
) -> Result:
    """Run another file in place of this line; a relative name starts at the folder of this line's file.

    `with pump=01` gives names to the lines of that file, and of those that it includes: `$pump`. `each rows.csv`
    runs it once for each row: the first line of a CSV file, with commas or semicolons, names the columns. Values are
    read as those of --var, exactly as they stand. The file is put together before anything runs, so lint, plan and
    every message know each row: `row 7 of rows.csv, parts/loop.mxs:3`. After the include the names are as before.
    """
    _only_in_a_file("include", context)


class CommandFile(FileName):
    """A command file; those of the folder that is typed are offered, and its folders."""

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        begin = prefix.rpartition("/")[2]
        folder = prefix.removesuffix(begin)
        try:
            with os.scandir(folder or ".") as entries:
                names = sorted(each.name + "/" * each.is_dir() for each in islice(entries, _MOST_FILES))
        except OSError:
            return []
        wanted = (each for each in names if each.startswith(begin) and each.endswith((".mxs", "/")))
        # Others are typed in quotes, behind which nothing is offered.
        return [Suggestion(folder + each, "") for each in wanted if each[0] != "." and not set(each) & _QUOTED]


_MOST_FILES = 1000
_QUOTED = frozenset(" \t\"'#$\\")


@command(
    "source",
    example="source level.mxs",
    needs_session=False,
    mutating=True,
    traits=CommandTraits(not_in_file="source is for the prompt: in a file, include FILE runs another one in its place"),
)
async def source(
    context: Context, file: Annotated[str, CommandFile()], *, record: Annotated[str | None, FileName()] = None
) -> Result:
    """Run a command file here: on this session, with the names that were set here.

    It is checked first, as lint does. It stops at a line that fails; the lines after finally run, also after Ctrl-C.
    What it writes must be declared in its head (requires write) and armed; where each write asks, one question is for
    all of it. Names, settings and watches that it sets stay, as if typed; its steps, on-error, time-limit and
    standing checks end with it, and so does exit. --record RUN.jsonl keeps its record, as that of a run.
    """
    if context.source_file is None:
        raise ShellError("source is for the prompt: mxgw-shell -c FILE runs a file, and in a file, include FILE does")
    return await context.source_file(file, record)


class FileTag(ArgumentType):
    """A name by which a file is found."""

    name = "tag"
    expands = False

    def parse(self, word: Token, context: Scope) -> str:
        if not _FILE_TAG.fullmatch(word.text):
            raise word.mistake("a tag of a file consists of letters, digits, _, - and .")
        return word.value


_FILE_TAG = re.compile(r"\w[\w.-]*")


@command(
    "tags",
    example="tags smoke pumps",
    needs_session=False,
    traits=CommandTraits(file_role=FileRole.DECLARATION, declares="groups"),
)
async def tags(context: Context, *names: Annotated[str, FileTag()]) -> Result:
    """Name, at the beginning of a file, the groups that it belongs to: mxgw-shell test --tag smoke runs those files.

    The tags of an included file do not count for the file that includes it.
    """
    if not context.runs_file:
        _only_in_a_file("tags", context)
    return TextResult(f"tagged {' '.join(names)}", {"tags": list(names)})


@command("finally", example="finally", needs_session=False, traits=CommandTraits(file_role=FileRole.FINALLY))
async def finally_(context: Context) -> Result:
    """On its own line: everything after it, to the end of the file, always runs.

    It runs after a failure, after exit, and after Ctrl-C. Each line behind it runs, even if others fail.
    """
    _only_in_a_file("finally", context)


_POLICIES = ("stop", "continue", "next-step")


@command(
    "on-error",
    example="on-error continue",
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(file_role=FileRole.POLICY),
)
async def on_error(
    context: Context,
    what: Annotated[Literal["stop", "continue", "next-step"], OneWord("stop|continue|next-step", _POLICIES)],
) -> Result:
    """Set what a file does after a failed line: stop, continue, or leave out the lines up to its next step.

    The run has failed in any case. These end it whatever is set: a confirm that is refused, an unknown outcome, an
    interruption, a lost connection. The next step is the next line of this file that begins one, or includes a file
    with one. The lines after finally run all.
    """
    if context.file.limit is None:  # Nothing runs lines one after another.
        _only_in_a_file("on-error", context)
    context.file.on_error = what
    does = {"stop": "stops", "continue": "goes on", "next-step": "goes on with the next step"}[what]
    return TextResult(f"{does} after a failure", {"on_error": what})


@command(
    "time-limit",
    example="time-limit 10m",
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(file_role=FileRole.LIMIT),
)
async def time_limit(context: Context, duration: Annotated[float, Duration()]) -> Result:
    """Bound the run of this file, at its beginning: after that time, what it waits for ends with a failure.

    The lines after finally still run, however long they take. A write that is on its way gets a moment for its answer.
    In an included file it bounds that file.
    """
    if context.file.limit is None:
        _only_in_a_file("time-limit", context)
    context.file.limit(duration)
    return TextResult(f"ends after {duration_text(duration)}", {"time_limit": duration})


def _only_in_a_file(name: str, context: Context) -> NoReturn:
    how = "mxgw-shell -c FILE.mxs runs one, and -c - one from standard input"
    if context.source_file is not None:
        how = "source FILE.mxs runs one here, mxgw-shell -c FILE.mxs without a prompt"
    raise ShellError(f"{name} works only in a file: {how}")


COMMANDS = (
    let,
    step,
    note,
    comment,
    deviation,
    confirm,
    sleep,
    include,
    source,
    tags,
    finally_,
    on_error,
    time_limit,
)
