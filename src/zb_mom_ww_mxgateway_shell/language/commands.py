"""The commands: each declared once, as an annotated ``async def``.

From the declaration come parsing with exact places of errors, completion, the usage line and help.
Positional parameters are positional words, keyword-only ones are ``--options``, ``*names`` takes the
rest. An annotation carries the argument kind: ``Annotated[type, ArgumentType()]``. A keyword-only one with a Clause
beside its kind is spelled as a plain word behind the positional ones: ``timeout 10s``, or with several words:
``req URS-12, URS-13``. Options that several commands
share are an option group: a keyword-only parameter whose type is a dataclass of keyword-only fields.
"""

import inspect
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints

from zb_mom_ww_mxgateway_console.text.wording import WITHOUT_HELP
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Flag, Sign
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.output.results import Feed, Result

    Body = Callable[..., Awaitable[Result | Feed]]
    Check = Callable[[Sequence[Any], dict[str, Any]], None]
    Unending = Callable[[Collection[str]], str]


class Clause(NamedTuple):
    """Marks an option that is written as a plain word after the positional ones."""

    between: str = ""
    """What is between the word and its value: the ``<`` of ``age < 5s``."""
    many: bool = False
    """Whether it takes all words up to the next clause; its value is their list."""
    leads: bool = False
    """Whether it comes before the positional words instead, as ``every`` in ``expect every …``."""


class Parameter(NamedTuple):
    """One parameter of a command."""

    name: str
    """Its Python name."""
    kind: ArgumentType
    is_option: bool
    is_variadic: bool
    is_required: bool
    clause: Clause | None = None

    @property
    def leads(self) -> bool:
        """Whether it is a clause that comes before the positional words."""
        return self.clause is not None and self.clause.leads

    @property
    def spelled(self) -> str:
        """Its name as typed: ``--for``; without dashes for a positional parameter and for a clause."""
        plain = self.name.rstrip("_").replace("_", "-")
        return f"--{plain}" if self.is_option and self.clause is None else plain

    @property
    def takes_many(self) -> bool:
        """Whether it is a clause, or an option, of several words."""
        return (self.is_option and self.kind.takes_several) or (self.clause is not None and self.clause.many)

    @property
    def usage(self) -> str:
        return self.usage_as(self.kind)

    def usage_as(self, kind: ArgumentType) -> str:
        """Return the usage with an argument of this type."""
        if isinstance(kind, Flag):
            return f"[{self.spelled}]"
        if isinstance(kind, Sign):
            return kind.name
        shown = f"<{kind.name}>"
        if self.is_option:
            between = f"{self.clause.between} " if self.clause and self.clause.between else ""
            shown = f"{self.spelled} {between}{f'[{shown}]' if kind.is_optional else shown}"
            shown += "…" if self.takes_many else ""
            return shown if self.is_required else f"[{shown}]"
        if self.is_variadic:
            shown += "…"
        return shown if self.is_required else f"[{shown}]"


_ORDINARY = CommandTraits()


@dataclass(frozen=True)
class Command:
    """One command of the shell. Properties are derived from the declaration at first use."""

    name: str
    run: "Body"
    example: str
    """A line that works on the demo."""
    mutating: bool
    needs_session: bool
    stands_alone: bool = False
    """Whether it works the same without a connection: a run of such commands alone does not connect."""

    check: "Check | None" = None
    """Raises InputError or ShellError for arguments that exclude each other, whatever the gateway has."""
    unending: "Unending | None" = None
    """Returns why a line with these options never ends without a person; empty where it does."""
    preview: "Body | None" = None
    """Replaces it in a plan: reports what it would do, and does nothing."""
    stream: bool | None = None
    """Whether it waits until the event stream is known to be read; None: where it needs a session."""
    in_plan: bool | None = None
    """Whether a plan runs it, because it only affects the shell and the session; None: where it needs a session and
    does not write."""
    traits: CommandTraits = _ORDINARY
    """Its traits for lint, plans, runs and recordings."""

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of the declaration, with the fields of an option group in its place."""
        return tuple(
            parameter
            for declared, hint in _declared(self.run)
            for parameter in (_options_of(hint) if is_dataclass(hint) else [_parameter(declared, hint)])
        )

    @cached_property
    def _groups(self) -> dict[str, Any]:
        return {declared.name: hint for declared, hint in _declared(self.run) if is_dataclass(hint)}

    def grouped(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a line as `run` and `preview` take them: those of an option group as one."""
        grouped = dict(options)
        for name, group in self._groups.items():
            given = {field.name: grouped.pop(field.name) for field in fields(group) if field.name in grouped}
            grouped[name] = group(**given)
        return grouped

    @cached_property
    def summary(self) -> str:
        """The first line of its help."""
        return " ".join(self._doc.partition("\n\n")[0].split())

    @property
    def details(self) -> str:
        return self._doc.partition("\n\n")[2]

    @cached_property
    def _doc(self) -> str:
        return inspect.getdoc(self.run) or WITHOUT_HELP

    @property
    def group(self) -> str:
        """Its group in help: the ``GROUP`` that its module names, or the name of the module."""
        module = self.run.__module__
        return getattr(sys.modules.get(module), "GROUP", "") or module.rpartition(".")[2]

    @property
    def usage(self) -> str:
        leading = [each for each in self.parameters if each.leads]
        return " ".join(
            [self.name, *(each.usage for each in (*leading, *(each for each in self.parameters if not each.leads)))]
        )

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
    """Declare a command: ``async def`` with a Context and annotated parameters; its docstring is the help."""

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


def _declared(function: "Body") -> list[tuple[inspect.Parameter, Any]]:
    """Return the parameters of a command behind its context, with their annotations."""
    hints = get_type_hints(function, include_extras=True)
    return [(each, hints[each.name]) for each in list(inspect.signature(function).parameters.values())[1:]]


def _options_of(group: Any) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_parameter(each, hints[each.name]) for each in inspect.signature(group).parameters.values()]


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
