"""Parsing of a line: its command and arguments, or its mistakes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError, closest
from zb_mom_ww_mxgateway_shell.language.argument_types import Flag, RestOfLine
from zb_mom_ww_mxgateway_shell.language.commands import Command, Parameter
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, ValueNotYetKnown, expanded

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.output.results import Feed, Result

Assigned = tuple[Parameter, Token | None]
"""A parameter and its word; None for a flag."""


class Invocation(NamedTuple):
    """A parsed line, ready to run."""

    command: Command
    positional: tuple[Any, ...]
    options: dict[str, Any]
    words: tuple[Assigned, ...]
    """Every word after the command's name, expanded, in the order of the line."""

    async def run(self, context: Scope) -> "Result | Feed":
        """Run it; return its result, or a feed to follow."""
        return await self.command.run(context, *self.positional, **self.command.grouped(self.options))


@dataclass(slots=True)
class ParsedLine:
    """What a line says, as far as it can be parsed; a line that is being typed may not be finished."""

    line: str
    words: Sequence[Token] = ()
    """Empty where the line cannot be split into words."""
    command: Command | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    """By their Python names, without those that cannot be parsed."""
    invocation: Invocation | None = None
    """None for an empty line, and for one with a mistake."""
    foreseen: Invocation | None = None
    """What is known of a line before it runs, with NotYetKnown in the place of each argument that only the run knows;
    None for one with a mistake."""
    error: ShellError | ValueNotYetKnown | None = None
    """The first mistake."""


class Registry:
    """All commands of a shell, by name."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.commands = commands

    def find(self, word: Token, others: Sequence[str] = ()) -> Command:
        """Return the command of that name; `others` are further names for the hint."""
        found = self.commands.get(word.text)
        if found is None:
            names = [*self.commands, *others]
            raise word.mistake(f"no command {word.text}", lambda: closest(word.text, names) or "; help lists them")
        return found

    def parse(self, line: str, context: Scope, *, ahead: bool = False) -> Invocation | None:
        """Return a line as an invocation; None for an empty one.

        Raises InputError with the place of the first mistake: with `ahead` only what is wrong whatever the gateway has.
        """
        parsed = self.parse_partly(line, context, ahead=ahead)
        if parsed.error is not None:
            raise parsed.error
        return parsed.invocation

    def parse_partly(self, line: str, context: Scope, *, ahead: bool = False) -> ParsedLine:
        """Return what a line says, as far as it can be parsed, with its first mistake."""
        parsed = ParsedLine(line)
        try:
            self._parse(parsed, context, ahead)
        except (ShellError, ValueNotYetKnown) as error:
            parsed.error = error
        return parsed

    def _parse(self, parsed: ParsedLine, context: Scope, ahead: bool) -> None:
        parsed.words = words = split(parsed.line)
        if not words:
            return
        parsed.command = command = self.find(words[0])
        assigned, missing = assign(command, words, parsed.line)
        words_of: dict[int, Token | None] = {}
        values: dict[int, Any] = {}
        first_error: ShellError | ValueNotYetKnown | None = None
        for place, (parameter, given) in sorted(enumerate(assigned), key=lambda each: not _is_first(each[1][0])):
            try:
                word = expanded(given, context.all_names) if given and parameter.kind.expands else given
                kind = parameter.kind.refined_by(parsed.arguments, context)
                value = True if word is None else (kind.parse_ahead if ahead else kind.parse)(word, context)
            except (ShellError, ValueNotYetKnown) as error:
                first_error = first_error or error
                continue
            words_of[place], values[place] = word, value
            parsed.arguments[parameter.name] = value
        mistake = first_error or missing
        if isinstance(mistake, ShellError):
            raise mistake
        for place in range(len(assigned)):
            if place not in values:
                words_of[place], values[place] = None, NotYetKnown()
        positional = [values[place] for place, (parameter, _) in enumerate(assigned) if not parameter.is_option]
        options = {parameter.name: values[at] for at, (parameter, _) in enumerate(assigned) if parameter.is_option}
        options |= {
            many.name: [values[at] for at, (parameter, _) in enumerate(assigned) if parameter is many]
            for many in {parameter for parameter, _ in assigned if parameter.takes_many}
        }
        kept = [(parameter, words_of[place]) for place, (parameter, _) in enumerate(assigned)]
        parsed.foreseen = Invocation(command, tuple(positional), options, tuple(kept))
        if mistake is not None:
            raise mistake
        if endless := _endless(command, words[0], options, context):
            raise endless
        if command.check is not None:
            command.check(positional, options)
        parsed.invocation = parsed.foreseen

    def check(self, line: str, context: Scope) -> list[InputError]:
        """Return everything in a line that is wrong whatever the gateway has; nothing is connected."""
        found: list[InputError] = []
        try:
            words = split(line)
            if not words:
                return []
            command = self.find(words[0])
            assigned, missing = assign(command, words, line)
        except InputError as error:
            return [error]
        is_known = missing is None
        for parameter, given in assigned:
            if given is None:
                continue
            try:
                word = expanded(given, context.all_names) if parameter.kind.expands else given
                parameter.kind.check(word, context)
            except InputError as error:
                found.append(error)
            except ValueNotYetKnown:
                is_known = False  # The value of a captured name is only known in the run.
        if missing is not None:
            return [*found, missing]
        given_options = [parameter.name for parameter, _ in assigned if parameter.is_option]
        if endless := _endless(command, words[0], given_options, context):
            return [endless, *found]
        if (command.check is not None or command.stands_alone) and is_known and not found:
            try:
                self.parse(line, context, ahead=True)
            except InputError as error:
                found.append(error)
            except ShellError as error:
                found.append(words[0].mistake(str(error)))
        return found


def _is_first(parameter: Parameter) -> bool:
    return parameter.is_option and parameter.kind.is_first


def _endless(command: Command, word: Token, options: Collection[str], context: Scope) -> InputError | None:
    """Return the mistake of a line that never ends, where there is neither a person nor a screen."""
    if command.unending is None or context.interactive or context.has_screen:
        return None
    why = command.unending(options)
    return word.mistake(why) if why else None


def assign(command: Command, words: list[Token], line: str) -> tuple[list[Assigned], InputError | None]:
    """Assign each word to its parameter, in the order of the line; return the mistake too where a word is wrong or
    missing."""
    assigned: list[Assigned] = []
    places, known = command.positional, command.options
    end = words[-1].end + 1
    count = 0
    clause: Parameter | None = None
    rest = iter(words[1:])
    for word in rest:
        if count < len(places) and isinstance(places[count].kind, RestOfLine):
            stop = len(line.rstrip())
            assigned.append((places[count], Token(line[word.start : stop], word.start, stop)))
            count += 1
            break
        option = _option_at(known, word, places[count:], assigned)
        if option is None and word.text.startswith("--"):
            hint = closest(word.text, list(known)) or f"; {command.usage}"
            return assigned, word.mistake(f"{command.name} has no option {word.text.partition('=')[0]}{hint}")
        if option is not None:
            if any(option is seen for seen, _ in assigned):
                return assigned, word.mistake(f"{word.text} is given twice")
            try:
                assigned.append((option, None if _is_bare(option, word, words) else _value_of(option, rest, end)))
            except InputError as error:
                return assigned, error
            clause = option if option.takes_many else None
            continue
        if clause is not None:
            assigned.append((clause, word))
        elif count < len(places):
            assigned.append((places[count], word))
            count += not places[count].is_variadic
        else:
            hint = closest(word.text, [name for name, each in known.items() if each.clause]) or f": {command.usage}"
            return assigned, word.mistake(f"one word too many{hint}")
    given = [parameter for parameter, _ in assigned]
    for parameter in command.parameters:
        if parameter.is_required and not any(parameter is each for each in given):
            name = parameter.spelled.removesuffix("s") if parameter.is_variadic else parameter.spelled
            return assigned, InputError(f"{name} is missing: {command.usage}", end, end + 1)
    return assigned, None


def _is_bare(option: Parameter, word: Token, words: Sequence[Token]) -> bool:
    """Return whether an option, given by this word of a line, stands without a value."""
    if isinstance(option.kind, Flag):
        return True
    following = [each for each in words if each.start > word.start]
    return option.kind.is_optional and (not following or following[0].text.startswith("--"))


def _option_at(
    known: Mapping[str, Parameter], word: Token, places: Sequence[Parameter], assigned: Sequence[Assigned]
) -> Parameter | None:
    """Return the option that a word names; None where it is none, or where that option has no place."""
    option = known.get(word.text)
    if option is None or option.clause is None:
        return option
    if option.clause.leads:
        return option if all(parameter.leads for parameter, _ in assigned) else None
    return None if places else option  # Such a clause comes after all positional words.


def _value_of(option: Parameter, rest: Iterator[Token], end: int) -> Token:
    """Return the value of an option: the word after it, or after what is between."""
    word = next(rest, None)
    if option.clause is not None and option.clause.between and word is not None:
        if word.text != option.clause.between:
            raise word.mistake(f"{option.usage.strip('[]')}: {option.clause.between} is expected here")
        word = next(rest, None)
    if word is None:
        raise InputError(f"{option.spelled} needs a value: <{option.kind.name}>", end, end + 1)
    return word


def current_parameter(command: Command, words: Sequence[Token]) -> Parameter | None:
    """Return the parameter to which a word typed next, behind `words`, would belong; None where there is none."""
    count = 0
    places = command.positional
    clause: Parameter | None = None
    rest = iter(words[1:])
    for word in rest:
        option = command.options.get(word.text)
        if option is not None and option.leads and not count:
            continue
        if option is None or (option.clause is not None and count < len(places)):
            count += clause is None and not word.text.startswith("--")
            continue
        if not isinstance(option.kind, Flag) and _takes_next(option, word, words) and _is_open(option, rest):
            return option
        clause = option if option.takes_many else None
    if clause is not None and clause.clause is None:
        return clause  # Behind a clause, the next one may begin.
    if count < len(places):
        return places[count]
    return places[-1] if places and places[-1].is_variadic else None


def _takes_next(option: Parameter, word: Token, words: Sequence[Token]) -> bool:
    """Return whether the word typed behind an option would belong to it."""
    return word is words[-1] or not _is_bare(option, word, words)


def _is_open(option: Parameter, rest: Iterator[Token]) -> bool:
    """Return whether the value of an option is still missing."""
    word = next(rest, None)
    if option.clause is not None and option.clause.between and word is not None:
        word = next(rest, None)
    return word is None
