"""The commands: each declared once, as an annotated ``async def``.

From the declaration come parsing with exact places of errors, completion, the usage line and help.
Positional parameters are positional words, keyword-only ones are ``--options``, ``*names`` takes the
rest. An annotation carries the argument kind: ``Annotated[type, ArgumentType()]``. A keyword-only one with a Clause
beside its kind is spelled as a plain word behind the positional ones: ``timeout 10s``.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints

from zb_mom_ww_mxgateway_console.text.help_texts import WITHOUT_TEXTS
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError, closest
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown, as_typed, expanded

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.output.results import Feed, Result

    Body = Callable[..., Awaitable[Result | Feed]]
    Check = Callable[[Sequence[Any], dict[str, Any]], None]
    Unending = Callable[[Collection[str]], str]


class Suggestion(NamedTuple):
    """One completion: the text, and what is said beside it."""

    text: str
    meta: str = ""


class ArgumentType:
    """How one kind of argument is read and completed."""

    name = "text"
    """In the usage line, between angle brackets."""

    is_first = False
    """Whether an option of this kind is read before all other words: it says what they mean."""

    expands = True
    """Whether the values of ``$names`` are put in their place before the word is read."""

    def parse(self, word: Token, context: Scope) -> Any:
        """The argument's value; raises ``word.mistake(...)``. Never waits for the network."""
        return word.value

    def check(self, word: Token, context: Scope) -> None:
        """Raises what is wrong with the word whatever the gateway has: the context is connected to none."""
        self.parse(word, context)

    def foreseen(self, word: Token, context: Scope) -> Any:
        """The argument's value as far as it is known whatever the gateway has."""
        return self.parse(word, context)

    def lasting(self, word: Token, context: Scope) -> str:
        """The word as it can stand in a file: by name where it is a handle; empty to be left out."""
        return as_typed(word)

    def offers(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        """What may be typed here, best first, at most a few dozen. Never waits for the network."""
        return ()

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> "ArgumentType":
        """The kind as it is where these arguments stand before it, by their Python names: they may say more of it.
        Never waits for the network."""
        return self


class Flag(ArgumentType):
    """An option without a value."""


class Rest(ArgumentType):
    """All that is left of the line, as it was typed."""

    name = "line"
    expands = False


class Sign(ArgumentType):
    """A word that is always the same, such as ``=``."""

    def __init__(self, sign: str) -> None:
        self.name = sign

    def parse(self, word: Token, context: Scope) -> str:
        if word.text != self.name:
            raise word.mistake(f"{self.name} is expected here, with spaces around it")
        return word.text

    def offers(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(self.name)] if self.name.startswith(prefix) else []


class Clause(NamedTuple):
    """Marks an option that is spelled as a plain word behind the positional ones."""

    between: str = ""
    """What stands between the word and its value: the ``<`` of ``age < 5s``."""


class Parameter(NamedTuple):
    """One parameter of a command."""

    name: str
    """The Python name."""
    kind: ArgumentType
    is_option: bool
    is_variadic: bool
    is_required: bool
    clause: Clause | None = None

    @property
    def spelled(self) -> str:
        """As typed: ``--for``; the plain name for a positional one and for a clause."""
        plain = self.name.rstrip("_").replace("_", "-")
        return f"--{plain}" if self.is_option and self.clause is None else plain

    @property
    def usage(self) -> str:
        return self.usage_as(self.kind)

    def usage_as(self, kind: ArgumentType) -> str:
        """The usage where the argument is of this kind."""
        if isinstance(kind, Flag):
            return f"[{self.spelled}]"
        if isinstance(kind, Sign):
            return kind.name
        shown = f"<{kind.name}>"
        if self.is_option:
            between = f"{self.clause.between} " if self.clause and self.clause.between else ""
            shown = f"{self.spelled} {between}{shown}"
            return shown if self.is_required else f"[{shown}]"
        if self.is_variadic:
            shown += "…"
        return shown if self.is_required else f"[{shown}]"


_ORDINARY = CommandTraits()


@dataclass(frozen=True)
class Command:
    """One command of the shell. What follows from its declaration is worked out when it is first asked for."""

    name: str
    run: "Body"
    example: str
    """A line that works on the demo."""
    mutating: bool
    needs_session: bool
    stands_alone: bool = False
    """Works the same without a connection: a run of nothing else does not connect first."""

    check: "Check | None" = None
    """Raises InputError or ShellError for arguments that do not go together, whatever the gateway has."""
    unending: "Unending | None" = None
    """Why a line with these options has no end where nobody is to end it; empty for one that has."""
    preview: "Body | None" = None
    """Takes its place in a plan: says what it would do, and does nothing of it."""
    stream: bool | None = None
    """Whether it waits until the event stream is known to be read; None for as it needs a session."""
    in_plan: bool | None = None
    """Whether a plan runs it: its effects stay in the shell and the session. None: where it needs one, and does not
    write."""
    traits: CommandTraits = _ORDINARY
    """What lint, plans, runs and recordings know about it."""

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of the declaration."""
        hints = get_type_hints(self.run, include_extras=True)
        return tuple(
            _parameter(parameter, hints[parameter.name])
            for parameter in list(inspect.signature(self.run).parameters.values())[1:]
        )

    @cached_property
    def summary(self) -> str:
        """One line."""
        return " ".join(self._doc.partition("\n\n")[0].split())

    @property
    def details(self) -> str:
        return self._doc.partition("\n\n")[2]

    @cached_property
    def _doc(self) -> str:
        return inspect.getdoc(self.run) or WITHOUT_TEXTS

    @property
    def group(self) -> str:
        """What it belongs to: the name of the module that declares it."""
        return self.run.__module__.rpartition(".")[2]

    @property
    def usage(self) -> str:
        return " ".join([self.name, *(parameter.usage for parameter in self.parameters)])

    @property
    def positional(self) -> list[Parameter]:
        return [parameter for parameter in self.parameters if not parameter.is_option]

    @property
    def options(self) -> dict[str, Parameter]:
        return {parameter.spelled: parameter for parameter in self.parameters if parameter.is_option}


def command(
    name: str,
    *,
    example: str,
    mutating: bool = False,
    needs_session: bool = True,
    stands_alone: bool = False,
    check: "Check | None" = None,
    unending: "Unending | None" = None,
    preview: "Body | None" = None,
    stream: bool | None = None,
    in_plan: bool | None = None,
    traits: CommandTraits = _ORDINARY,
) -> Callable[["Body"], Command]:
    """Declares a command: ``async def`` of a Context and annotated parameters, its docstring the help."""

    def declare(function: "Body") -> Command:
        return Command(
            name=name,
            run=function,
            example=example,
            mutating=mutating,
            needs_session=needs_session,
            stands_alone=stands_alone,
            check=check,
            unending=unending,
            preview=preview,
            stream=stream,
            in_plan=in_plan,
            traits=traits,
        )

    return declare


def _parameter(declared: inspect.Parameter, hint: Any) -> Parameter:
    marks = hint.__metadata__
    return Parameter(
        name=declared.name,
        kind=marks[0],
        is_option=declared.kind is declared.KEYWORD_ONLY,
        is_variadic=declared.kind is declared.VAR_POSITIONAL,
        # `*names: T` needs at least one, `*names: T | None` may have none.
        is_required=declared.default is declared.empty and not _may_be_none(hint),
        clause=next((mark for mark in marks if isinstance(mark, Clause)), None),
    )


def _may_be_none(annotated: Any) -> bool:
    return type(None) in get_args(get_args(annotated)[0])


Assigned = tuple[Parameter, Token | None]
"""A parameter and the word that is for it; None for a flag."""


class Invocation(NamedTuple):
    """A parsed line, ready to run."""

    command: Command
    positional: tuple[Any, ...]
    options: dict[str, Any]
    words: tuple[Assigned, ...]
    """Every word behind the command's name, expanded, in the order of the line."""

    async def run(self, context: Scope) -> "Result | Feed":
        """Runs it; returns what it found, or what is to be watched."""
        return await self.command.run(context, *self.positional, **self.options)


class Registry:
    """All commands of a shell, by name."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.commands = commands

    def find(self, word: Token, others: Sequence[str] = ()) -> Command:
        """The command of that name; `others` are names that may have been meant too."""
        found = self.commands.get(word.text)
        if found is None:
            names = [*self.commands, *others]
            raise word.mistake(f"no command {word.text}", lambda: closest(word.text, names) or "; help lists them")
        return found

    def parse(self, line: str, context: Scope, *, ahead: bool = False) -> Invocation | None:
        """A line as an invocation; None for an empty one. Raises InputError with the place of what is wrong: `ahead`
        only what is wrong whatever the gateway has."""
        words = split(line)
        if not words:
            return None
        command = self.find(words[0])
        assigned, missing = assign(command, words, line)
        words_of: dict[int, Token | None] = {}
        values: dict[int, Any] = {}
        read: dict[str, Any] = {}
        for place, (parameter, given) in sorted(enumerate(assigned), key=lambda each: not _is_first(each[1][0])):
            word = expanded(given, context.all_names) if given and parameter.kind.expands else given
            kind = parameter.kind.refined_by(read, context)
            value = True if word is None else (kind.foreseen if ahead else kind.parse)(word, context)
            words_of[place], values[place] = word, value
            read[parameter.name] = value
        positional = [values[place] for place, (parameter, _) in enumerate(assigned) if not parameter.is_option]
        options = {parameter.name: values[at] for at, (parameter, _) in enumerate(assigned) if parameter.is_option}
        kept = [(parameter, words_of[place]) for place, (parameter, _) in enumerate(assigned)]
        if missing is not None:
            raise missing
        if endless := _endless(command, words[0], options, context):
            raise endless
        if command.check is not None:
            command.check(positional, options)
        return Invocation(command, tuple(positional), options, tuple(kept))

    def check(self, line: str, context: Scope) -> list[InputError]:
        """Everything in a line that is wrong whatever the gateway has: the context is connected to none."""
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
                is_known = False  # What a run captures is known in the run.
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
    """What is wrong with a line that goes on for ever where there is neither a person nor a screen."""
    if command.unending is None or context.interactive or context.has_screen:
        return None
    why = command.unending(options)
    return word.mistake(why) if why else None


def assign(command: Command, words: list[Token], line: str) -> tuple[list[Assigned], InputError | None]:
    """Gives each word its parameter, in the order of the line; beside them the mistake where that ends too early."""
    assigned: list[Assigned] = []
    places, known = command.positional, command.options
    end = words[-1].end + 1
    count = 0
    rest = iter(words[1:])
    for word in rest:
        if count < len(places) and isinstance(places[count].kind, Rest):
            stop = len(line.rstrip())
            assigned.append((places[count], Token(line[word.start : stop], word.start, stop)))
            count += 1
            break
        option = known.get(word.text)
        if option is not None and option.clause is not None and count < len(places):
            option = None  # A clause stands behind all positional words.
        if option is None and word.text.startswith("--"):
            hint = closest(word.text, list(known)) or f"; {command.usage}"
            return assigned, word.mistake(f"{command.name} has no option {word.text}{hint}")
        if option is not None:
            if any(option is seen for seen, _ in assigned):
                return assigned, word.mistake(f"{word.text} is given twice")
            try:
                assigned.append((option, None if isinstance(option.kind, Flag) else _value_of(option, rest, end)))
            except InputError as error:
                return assigned, error
            continue
        if count < len(places):
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


def _value_of(option: Parameter, rest: Iterator[Token], end: int) -> Token:
    """The word behind an option, or behind what stands between."""
    word = next(rest, None)
    if option.clause is not None and option.clause.between and word is not None:
        if word.text != option.clause.between:
            raise word.mistake(f"{option.usage.strip('[]')}: {option.clause.between} is expected here")
        word = next(rest, None)
    if word is None:
        raise InputError(f"{option.spelled} needs a value: <{option.kind.name}>", end, end + 1)
    return word
