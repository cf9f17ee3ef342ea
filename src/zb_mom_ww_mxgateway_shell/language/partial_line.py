"""What a line says that is still being typed: the arguments it gives so far, and which one comes next."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.commands import Command, Flag, Parameter, Rest, assign
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown, expanded


def given_by(command: Command, words: list[Token], context: Scope) -> dict[str, Any]:
    """The arguments that a line's words give so far, by their Python names, but for what cannot be read."""
    assigned, _ = assign(command, words, "")
    read: dict[str, Any] = {}
    for parameter, given in assigned:
        if given is None or isinstance(parameter.kind, Rest):
            continue
        with suppress(ShellError, ValueNotYetKnown):
            word = expanded(given, context.all_names) if parameter.kind.expands else given
            read[parameter.name] = parameter.kind.refined_by(read, context).parse(word, context)
    return read


def current_parameter(command: Command, words: list[Token]) -> Parameter | None:
    """The parameter that a word typed next, behind `words`, would belong to; None when there is none."""
    count = 0
    places = command.positional
    rest = iter(words[1:])
    for word in rest:
        option = command.options.get(word.text)
        if option is None or (option.clause is not None and count < len(places)):
            count += not word.text.startswith("--")
        elif not isinstance(option.kind, Flag) and _is_open(option, rest):
            return option
    if count < len(places):
        return places[count]
    return places[-1] if places and places[-1].is_variadic else None


def _is_open(option: Parameter, rest: Iterator[Token]) -> bool:
    """Whether the value of an option is still to come."""
    word = next(rest, None)
    if option.clause is not None and option.clause.between and word is not None:
        word = next(rest, None)
    return word is None
