"""Completion at the prompt, from the registry and the context. It never waits for the network."""

from collections.abc import Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe, shortened
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import MOST_SUGGESTIONS, Flag, Suggestion
from zb_mom_ww_mxgateway_shell.language.parser import current_parameter
from zb_mom_ww_mxgateway_shell.language.variables import is_plain, plain_text
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine


class ShellCompleter(Completer):
    """Completions for the word at the cursor."""

    def __init__(self, context: Context, typed: TypedLine) -> None:
        self._context = context
        self._typed = typed

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        line = document.current_line_before_cursor
        if "\n" in document.text and not line:
            return []  # Pasted text ends with its last line; no word is being typed.
        prefix, offers = self._offers(line)
        return [
            Completion(offer.text, start_position=-len(prefix), display=safe(offer.text), display_meta=safe(offer.meta))
            for offer in offers[:MOST_SUGGESTIONS]
        ]

    def _offers(self, line: str) -> tuple[str, Sequence[Suggestion]]:
        context = self._context
        typed = "" if not line or line[-1].isspace() else line.split()[-1]
        if line.strip() == typed:
            names = [
                Suggestion(each.name, each.summary)
                for each in context.registry.commands.values()
                if each.name.startswith(typed)
            ]
            aliases = [Suggestion(name, text) for name, text in context.aliases.items() if name.startswith(typed)]
            return typed, names + aliases
        parsed = self._typed.parsed(line)
        command, words = parsed.command, parsed.words
        if command is None:
            return typed, ()
        if typed:
            if words[-1].text != typed or words[-1].end < len(parsed.line):
                return typed, ()  # In quotes, or in a comment.
            words = words[:-1]
        parameter = current_parameter(command, words)
        used = {word.text for word in words}
        options = [
            Suggestion(name, "" if isinstance(option.kind, Flag) else f"<{option.kind.name}>")
            for name, option in command.options.items()
            if name not in used
            and name.startswith(typed)
            and (option.clause is None or (parameter is None and not option.leads))
        ]
        if typed.startswith("$") and (parameter is None or parameter.kind.expands):
            return typed, _names(typed, context)
        if typed.startswith("--") or parameter is None:
            return typed, options
        given = {name: value for name, value in parsed.arguments.items() if name != parameter.name}
        try:
            found = list(parameter.kind.refined_by(given, context).suggestions(typed, context))
        except ShellError:  # Such as a file with a mistake in it: the toolbar, or the line that runs, says so.
            found = []
        return typed, found if found or typed else options


def _names(typed: str, context: Context) -> list[Suggestion]:
    """Names that stand for values, as ``$name``."""
    names = context.all_names.items()
    plain = {f"${name}": plain_text(value) for name, value in names if is_plain(value)}
    return [
        Suggestion(name, cut(safe(shortened(value)), 40)) for name, value in plain.items() if name.startswith(typed)
    ]
