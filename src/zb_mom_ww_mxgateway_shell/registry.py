"""The commands: each declared once, as an annotated ``async def``.

From the declaration come parsing with exact places of errors, completion, the usage line and help.
Positional parameters are positional words, keyword-only ones are ``--options``, ``*names`` takes the
rest. An annotation carries the argument kind: ``Annotated[type, Kind()]``.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from zb_mom_ww_mxgateway_shell.problems import Mistake, closest
from zb_mom_ww_mxgateway_shell.words import Word, split

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.context import Context
    from zb_mom_ww_mxgateway_shell.results import Feed, Result

    Body = Callable[..., Awaitable[Result | Feed]]


@dataclass(frozen=True, slots=True)
class Offer:
    """One completion: the text, and what is said beside it."""

    text: str
    meta: str = ""


class Kind:
    """How one kind of argument is read and completed."""

    name = "text"
    """In the usage line, between angle brackets."""

    def parse(self, word: Word, context: "Context") -> Any:
        """The argument's value; raises ``word.mistake(...)``. Never waits for the network."""
        return word.value

    def offers(self, prefix: str, context: "Context") -> Sequence[Offer]:
        """What may be typed here, best first, at most a few dozen. Never waits for the network."""
        return ()


class Flag(Kind):
    """An option without a value."""


class Rest(Kind):
    """All that is left of the line, as it was typed."""

    name = "line"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command."""

    name: str
    """The Python name."""
    kind: Kind
    is_option: bool
    is_variadic: bool
    is_required: bool

    @property
    def spelled(self) -> str:
        """As typed: ``--for``; the plain name for a positional one."""
        plain = self.name.rstrip("_").replace("_", "-")
        return f"--{plain}" if self.is_option else plain

    @property
    def usage(self) -> str:
        if isinstance(self.kind, Flag):
            return f"[{self.spelled}]"
        shown = f"<{self.kind.name}>"
        if self.is_option:
            return f"[{self.spelled} {shown}]"
        if self.is_variadic:
            shown += "…"
        return shown if self.is_required else f"[{shown}]"


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the shell."""

    name: str
    run: "Body"
    parameters: tuple[Parameter, ...]
    summary: str
    """One line."""
    details: str
    example: str
    """A line that works on the demo."""
    mutating: bool
    needs_session: bool
    stands_alone: bool = False
    """Works the same without a connection: a run of nothing else does not connect first."""

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
    name: str, *, example: str, mutating: bool = False, needs_session: bool = True, stands_alone: bool = False
) -> Callable[["Body"], Command]:
    """Declares a command: ``async def`` of a Context and annotated parameters, its docstring the help."""

    def declare(function: "Body") -> Command:
        hints = get_type_hints(function, include_extras=True)
        parameters = []
        for parameter in list(inspect.signature(function).parameters.values())[1:]:
            is_variadic = parameter.kind is parameter.VAR_POSITIONAL
            parameters.append(
                Parameter(
                    name=parameter.name,
                    kind=hints[parameter.name].__metadata__[0],
                    is_option=parameter.kind is parameter.KEYWORD_ONLY,
                    is_variadic=is_variadic,
                    # `*names: T` needs at least one, `*names: T | None` may have none.
                    is_required=parameter.default is parameter.empty and not _may_be_none(hints[parameter.name]),
                )
            )
        summary, _, details = (inspect.getdoc(function) or "").partition("\n\n")
        return Command(
            name,
            function,
            tuple(parameters),
            summary,
            details,
            example,
            mutating,
            needs_session,
            stands_alone=stands_alone,
        )

    return declare


def _may_be_none(annotated: Any) -> bool:
    return type(None) in get_args(get_args(annotated)[0])


@dataclass(frozen=True, slots=True)
class Invocation:
    """A parsed line, ready to run."""

    command: Command
    positional: tuple[Any, ...]
    options: dict[str, Any]

    async def run(self, context: "Context") -> "Result | Feed":
        """Runs it; returns what it found, or what is to be watched."""
        return await self.command.run(context, *self.positional, **self.options)


class Registry:
    """All commands of a shell, by name."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.commands = {command.name: command for command in commands}

    def find(self, word: Word, others: Sequence[str] = ()) -> Command:
        """The command of that name; `others` are names that may have been meant too."""
        found = self.commands.get(word.text)
        if found is None:
            names = [*self.commands, *others]
            raise word.mistake(f"no command {word.text}", lambda: closest(word.text, names) or "; help lists them")
        return found

    def parse(self, line: str, context: "Context") -> Invocation | None:
        """A line as an invocation; None for an empty one. Raises Mistake with the place of what is wrong."""
        words = split(line)
        if not words:
            return None
        command = self.find(words[0])
        positional, options, end = _assign(command, words, line)
        values = []
        for parameter, word in positional:
            values.append(parameter.kind.parse(word, context))
        found = {
            parameter.name: True if word is None else parameter.kind.parse(word, context) for parameter, word in options
        }
        given = len(positional)
        missing = [parameter for parameter in command.positional[given:] if parameter.is_required]
        if missing:
            raise Mistake(f"{missing[0].spelled} is missing: {command.usage}", end, end + 1)
        return Invocation(command, tuple(values), found)


def _assign(
    command: Command, words: list[Word], line: str
) -> tuple[list[tuple[Parameter, Word]], list[tuple[Parameter, Word | None]], int]:
    """Gives each word its parameter; a flag has no word."""
    positional: list[tuple[Parameter, Word]] = []
    options: list[tuple[Parameter, Word | None]] = []
    places, known = command.positional, command.options
    end = words[-1].end + 1
    rest = iter(words[1:])
    for word in rest:
        if len(positional) < len(places) and isinstance(places[len(positional)].kind, Rest):
            stop = len(line.rstrip())
            positional.append((places[len(positional)], Word(line[word.start : stop], word.start, stop)))
            break
        if word.text.startswith("--"):
            parameter = known.get(word.text)
            if parameter is None:
                usage = f"; {command.usage}"
                raise word.mistake(
                    f"{command.name} has no option {word.text}{closest(word.text, list(known)) or usage}"
                )
            if any(parameter is seen for seen, _ in options):
                raise word.mistake(f"{word.text} is given twice")
            if isinstance(parameter.kind, Flag):
                options.append((parameter, None))
                continue
            value = next(rest, None)
            if value is None:
                raise Mistake(f"{word.text} needs a value: <{parameter.kind.name}>", end, end + 1)
            options.append((parameter, value))
            continue
        if len(positional) < len(places):
            positional.append((places[len(positional)], word))
        elif places and places[-1].is_variadic:
            positional.append((places[-1], word))
        else:
            raise word.mistake(f"one too many: {command.usage}")
    return positional, options, end


def current_parameter(command: Command, words: list[Word]) -> Parameter | None:
    """The parameter that a word typed next, behind `words`, would belong to; None when there is none."""
    count = 0
    rest = iter(words[1:])
    for word in rest:
        option = command.options.get(word.text)
        if option is None:
            count += not word.text.startswith("--")
        elif not isinstance(option.kind, Flag) and next(rest, None) is None:
            return option
    places = command.positional
    if count < len(places):
        return places[count]
    return places[-1] if places and places[-1].is_variadic else None
