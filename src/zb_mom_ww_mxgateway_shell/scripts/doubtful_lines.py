"""Lines of a file that are allowed, and probably not what their writer means: lint warns of them."""

import re
from collections.abc import Iterator
from pathlib import Path

from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, duration_text, parse_duration
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, FileRole
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.language.tokens import split
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown, expanded, names_in
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.scripts.loader import Block, LintFinding, file_role, is_structure
from zb_mom_ww_mxgateway_shell.state.context import Context

_IN_SINGLE_QUOTES = re.compile("'[^']*'")


class DoubtfulLines:
    """Looks at the lines of a file in their order, each while its names are set in the context."""

    def __init__(self, block: Block, context: Context) -> None:
        self._context = context
        self._limits = dict(_limits(block, None))
        self._last_part = next((each for each in block.ending if isinstance(each, Statement)), None)
        texts = [*(each.text for each in block.statements()), *context.aliases.values()]
        self._used = {name for text in texts for name in names_in(text)}
        self._connection = _ChosenConnection(block)
        self._titles: dict[str, Statement] = {}
        self._named: dict[str, Statement] = {}
        self._step: Statement | None = None
        """The step that has no line yet."""
        self._written: set[str] | None = None
        """Keys of what the writes just before wrote; None where no write is just before."""

    def look(self, statement: Statement) -> Iterator[LintFinding]:
        """Yield warnings about a line without mistakes, and about the step that it ends."""
        if (statement is self._last_part or self._begins_step(statement)) and self._step is not None:
            yield from self.end()
        try:
            with unfolded(self._context, statement.text) as line:
                for problem in self._problems(statement, line):
                    yield LintFinding(statement, problem, is_warning=True)
        except InputError:
            return  # Its alias hides the words.

    def end(self) -> Iterator[LintFinding]:
        """Yield the warning about the last step, if there is nothing in it."""
        step, self._step = self._step, None
        if step is not None:
            message = "the step is empty: it passes, and proves nothing"
            yield LintFinding(step, _whole(step, message), is_warning=True)

    def _command(self, statement: Statement) -> Command | None:
        with unfolded(self._context, statement.text) as line:
            return self._context.registry.commands.get(line.split(maxsplit=1)[0])

    def _begins_step(self, statement: Statement) -> bool:
        command = self._command(statement)
        return command is not None and command.traits.begins_step

    def _problems(self, statement: Statement, line: str) -> Iterator[InputError]:
        command = self._command(statement)
        if command is None:
            return
        yield from self._of_quotes(line)
        if (problem := self._connection.look(statement, command, line)) is not None:
            yield problem
        traits = command.traits
        if traits.begins_step:
            self._step = statement
            yield from self._of_title(statement, line)
            return
        if not is_structure(statement):
            self._step = None
        if traits.defines:
            yield from self._of_name(statement, line)
        is_told_by_words = traits.lasts or traits.takes or traits.writes or traits.new_file or traits.judges == "now"
        invocation = self._invocation(line) if is_told_by_words else None
        if invocation is not None:
            yield from self._of_time(statement, traits, invocation)
            yield from self._of_effect(line, traits, invocation)
            yield from self._of_file(traits, invocation)
        self._follow(statement, command, invocation)

    def _invocation(self, line: str) -> Invocation | None:
        try:
            return self._context.registry.parse(line, self._context, ahead=True)
        except (ShellError, ValueNotYetKnown):
            return None

    def _of_quotes(self, line: str) -> Iterator[InputError]:
        if "'" not in line or "$" not in line:
            return
        known = {*self._context.names, *self._context.file.given}
        for word in split(line):
            quoted = [] if word.text.startswith('"') else _IN_SINGLE_QUOTES.findall(word.text)
            for name in sorted({name for text in quoted for name in names_in(text)} & known):
                yield word.mistake(f"${name} in single quotes stays as it is: in double quotes it is its value")

    def _of_title(self, statement: Statement, line: str) -> Iterator[InputError]:
        word = split(line)[1]
        try:
            title = expanded(word, self._context.all_names).value
        except (InputError, ValueNotYetKnown):
            return
        first = self._titles.setdefault(title, statement)
        if first is statement:
            return
        if (first.source, first.line) == (statement.source, statement.line):
            yield word.mistake(f'"{title}" is the title of each of these steps: put a name in it that tells them apart')
        else:
            yield word.mistake(f'"{title}" is the title of another step, too: {_place(first)}')

    def _of_name(self, statement: Statement, line: str) -> Iterator[InputError]:
        word = split(line)[1]
        first = self._named.setdefault(word.text, statement)
        if word.text not in self._used:
            yield word.mistake(f"nothing uses ${word.text}")
        elif (first.source, first.line) != (statement.source, statement.line):
            yield word.mistake(f"${word.text} was set before: {_place(first)}")

    def _of_time(self, statement: Statement, traits: CommandTraits, invocation: Invocation) -> Iterator[InputError]:
        limit = self._limits.get(id(statement))
        lasts = traits.lasts or traits.takes
        seconds = lasts(invocation) if lasts is not None else None
        if limit is not None and seconds is not None and seconds > limit:
            yield _whole(
                statement,
                f"it may take {duration_text(seconds)}, and the time limit of its file is {duration_text(limit)}",
            )

    def _of_effect(self, line: str, traits: CommandTraits, invocation: Invocation) -> Iterator[InputError]:
        if traits.judges != "now" or not self._written or traits.advises is None:
            return
        judged = traits.advises(self._context, invocation)
        if any(item_key(tag) not in self._written for tag in judged):
            word = split(line)[0]
            yield word.mistake(
                f"{word.text} checks at once, and the plant may need a moment after the write: wait, or # meant"
            )

    def _of_file(self, traits: CommandTraits, invocation: Invocation) -> Iterator[InputError]:
        file = traits.new_file(invocation) if traits.new_file is not None else None
        if file is not None and Path(file).is_file():
            words = [word for _, word in invocation.words if word is not None and word.value == file]
            yield words[0].mistake(f"{file} exists: this line fails until it is moved away, or another one is named")

    def _follow(self, statement: Statement, command: Command, invocation: Invocation | None) -> None:
        """Keep what the lines so far have just written."""
        traits = command.traits
        if command.mutating and traits.writes is not None and invocation is not None:
            self._written = self._written or set()
            for each in traits.writes(self._context, invocation):
                self._written.update(map(item_key, each.names))
        elif not (is_structure(statement) or traits.judges == "now" or (command.in_plan and not command.needs_session)):
            self._written = None


class _ChosenConnection:
    """Which connection the lines of a file mean, as far as the file alone tells."""

    def __init__(self, block: Block) -> None:
        self._ending = {id(each) for each in block.ending if isinstance(each, Statement)}
        self._changed: Statement | None = None
        """The last line that chose or closed a connection."""
        self._is_none = False
        """Whether that line left none in use."""
        self._is_told = False
        """Whether a line after it has its warning."""

    def look(self, statement: Statement, command: Command, line: str) -> InputError | None:
        """Return the warning about a line that needs a connection where none is in use, or where the file does not
        choose one; the first such line has it."""
        traits = command.traits
        if traits.changes_subject == "connection":
            self._changed, self._is_told = statement, False
            self._is_none = traits.leaves_none and len(split(line)) == 1
            return None
        changed = self._changed
        if changed is None or self._is_told or not command.needs_session:
            return None
        word = split(line)[0]
        if self._is_none:
            self._is_told = True
            return word.mistake(f"no connection is in use after line {changed.line}: use NAME or connect before it")
        if id(statement) in self._ending and id(changed) not in self._ending:
            self._is_told = True
            return word.mistake(
                "which connection is in use here depends on the line that failed: choose one after finally, use NAME"
            )
        return None


def _limits(block: Block, outer: float | None) -> Iterator[tuple[int, float]]:
    """Yield the time limit of each line, by its identity, in seconds; the lines after ``finally`` have none."""
    own = [_limit_of(each) for each in block.body if isinstance(each, Statement)]
    known = [each for each in (*own, outer) if each is not None]
    limit = min(known, default=None)
    for item in block.body:
        if isinstance(item, Block):
            yield from _limits(item, limit)
        elif limit is not None:
            yield id(item), limit


def _limit_of(statement: Statement) -> float | None:
    words = statement.text.split()
    if file_role(statement) is not FileRole.LIMIT or len(words) < 2:
        return None
    try:
        return parse_duration(words[1])
    except TextValueError:
        return None


def _place(statement: Statement) -> str:
    return statement.place or f"line {statement.line}"


def _whole(statement: Statement, message: str) -> InputError:
    start = len(statement.text) - len(statement.text.lstrip())
    return InputError(message, start, len(statement.text.rstrip()))
