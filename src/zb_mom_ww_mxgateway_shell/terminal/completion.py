"""Completion at the prompt: from the registry and from what the context holds. Never waits for the network."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe, width
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.argument_types import OFFERS, Flag, Suggestion
from zb_mom_ww_mxgateway_shell.language.parser import current_parameter, given_by
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split
from zb_mom_ww_mxgateway_shell.language.variables import is_plain, plain_text
from zb_mom_ww_mxgateway_shell.scripts.executor import command_of
from zb_mom_ww_mxgateway_shell.state.context import Context


class ShellCompleter(Completer):
    """Offers what may stand at the cursor."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        line = document.current_line_before_cursor
        if "\n" in document.text and not line:
            return []  # What was pasted ended with its line; nobody begins another one.
        prefix, offers = self._offers(line)
        return [
            Completion(offer.text, start_position=-len(prefix), display=safe(offer.text), display_meta=safe(offer.meta))
            for offer in offers[:OFFERS]
        ]

    def _offers(self, line: str) -> tuple[str, Sequence[Suggestion]]:
        typed = "" if not line or line[-1].isspace() else line.split()[-1]
        try:
            words = split(line[: len(line) - len(typed)])
        except InputError:
            return typed, ()
        registry = self._context.registry
        if not words:
            names = [Suggestion(c.name, c.summary) for c in registry.commands.values() if c.name.startswith(typed)]
            aliases = [Suggestion(name, text) for name, text in self._context.aliases.items() if name.startswith(typed)]
            return typed, names + aliases
        if alias := self._context.aliases.get(words[0].text):
            words = [*split(alias), *words[1:]]
        command = registry.commands.get(words[0].text)
        if command is None:
            return typed, ()
        parameter = current_parameter(command, words)
        used = {word.text for word in words}
        options = [
            Suggestion(name, "" if isinstance(option.kind, Flag) else f"<{option.kind.name}>")
            for name, option in command.options.items()
            if name not in used and name.startswith(typed) and (parameter is None or option.clause is None)
        ]
        if typed.startswith("$"):
            return typed, _names(typed, self._context)
        if typed.startswith("--"):
            return typed, options
        if parameter is None:
            return typed, options
        kind = parameter.kind.refined_by(given_by(command, words, self._context), self._context)
        found = list(kind.offers(typed, self._context))
        return typed, found if found or typed else options


def _names(typed: str, context: Context) -> list[Suggestion]:
    """Names that stand for values, as ``$name``."""
    names = context.all_names.items()
    plain = {f"${name}": plain_text(value) for name, value in names if is_plain(value)}
    return [Suggestion(name, cut(safe(value[:40]), 40)) for name, value in plain.items() if name.startswith(typed)]


def usage_of(context: Context, line: str, room: int) -> str:
    """The usage of the command being typed, with what the line says so far of the rest, or a hint; in `room` columns.

    Where it is too long, what is typed next stays in view.
    """
    command = command_of(context, line)
    if command is None:
        return cut("help lists the commands; Tab completes", room)
    words: list[Token] = []
    given: dict[str, Any] = {}
    with suppress(InputError), unfolded(context, line) as unfolded_line:
        words = split(unfolded_line)
        given = given_by(command, words, context)
    is_typing = bool(words) and not line[-1:].isspace()
    next_one = current_parameter(command, words[:-1] if is_typing and len(words) > 1 else words)
    text, start, end = command.name, 0, 0
    for parameter in command.parameters:
        shown = safe(parameter.usage_as(parameter.kind.refined_by(given, context)))
        if parameter is next_one:
            start, end = len(text) + 1, width(f"{text} {shown}")
        text += f" {shown}"
    is_in_view = width(text) <= room or end < room
    return cut(text if is_in_view else f"… {text[start:]}", room)
