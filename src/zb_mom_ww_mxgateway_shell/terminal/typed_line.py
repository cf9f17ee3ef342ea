"""The line that is being typed, parsed once for everything that is shown of it."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe, width
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.parser import ParsedLine, current_parameter
from zb_mom_ww_mxgateway_shell.scripts.executor import command_of
from zb_mom_ww_mxgateway_shell.state.context import Context

T = TypeVar("T")

_MOST = 100
"""Texts that are remembered: more than anything that is shown asks for."""


class TypedLine:
    """What the prompt shows of a line: its mistake, its usage, and what completes it.

    They share one parse of each text. A redraw asks again for the same text: it is parsed again only when the
    connection, or what is known of its items and tags, has changed.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[Hashable, Any] = {}
        self._of: tuple[object, ...] = ()

    def parsed(self, line: str) -> ParsedLine:
        """Return what the line says so far, with an alias unfolded; a mistake has its place in the line as typed."""
        return self._once((line, "parsed"), lambda: self._parse(line))

    def mistake(self, line: str) -> InputError | None:
        """Return what is wrong so far: the word being typed, or a missing one, is not wrong yet."""
        error = self.parsed(line).error
        if not isinstance(error, InputError):
            return None
        return error if error.end < len(line.rstrip()) or (line[-1:].isspace() and error.end <= len(line)) else None

    def usage(self, line: str, room: int) -> str:
        """Return the usage of the command being typed, or a hint, in `room` columns.

        Types are those that the arguments so far lead to. What is typed next stays in view.
        """
        return self._once((line, room), lambda: self._usage(line, room))

    def forget(self) -> None:
        """Forget all texts: a line that ran may have set names, aliases or lists."""
        self._known.clear()

    def _parse(self, line: str) -> ParsedLine:
        parsed = ParsedLine(line)
        try:
            with unfolded(self._context, line) as unfolded_line:
                parsed = self._context.registry.parse_partly(unfolded_line, self._context)
                if isinstance(parsed.error, InputError):
                    raise parsed.error
        except InputError as error:
            parsed.error = error
        return parsed

    def _usage(self, line: str, room: int) -> str:
        context, parsed = self._context, self.parsed(line)
        command = command_of(context, line)
        if command is None:
            return cut("help lists the commands; Tab completes", room)
        words = parsed.words
        is_typing = bool(words) and not line[-1:].isspace()
        next_one = current_parameter(command, words[:-1] if is_typing and len(words) > 1 else words)
        text, start, end = command.name, 0, 0
        for parameter in command.parameters:
            shown = safe(parameter.usage_as(parameter.kind.refined_by(parsed.arguments, context)))
            if parameter is next_one:
                start, end = len(text) + 1, width(f"{text} {shown}")
            text += f" {shown}"
        is_in_view = width(text) <= room or end < room
        return cut(text if is_in_view else f"… {text[start:]}", room)

    def _once(self, what: Hashable, work: Callable[[], T]) -> T:
        context = self._context
        catalogue = context.catalogue
        of: tuple[object, ...] = (
            context.current,
            context.state,
            len(context.servers),
            len(context.items),
            catalogue.galaxy,
            catalogue.is_complete,
            catalogue.earlier.unverified,
        )
        if of != self._of or len(self._known) > _MOST:
            self._of = of
            self._known.clear()
        if what not in self._known:
            self._known[what] = work()
        known: T = self._known[what]
        return known
