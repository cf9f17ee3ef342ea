"""The line that is being typed, parsed once for all who show something of it."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.completion import usage_of

T = TypeVar("T")


def mistake_so_far(context: Context, line: str) -> InputError | None:
    """What is wrong in a line that may not be finished: the word being typed, or one missing, is not wrong yet."""
    try:
        with unfolded(context, line) as unfolded_line:
            context.registry.parse(unfolded_line, context)
    except InputError as error:
        return error if error.end < len(line.rstrip()) or (line[-1:].isspace() and error.end <= len(line)) else None
    except ShellError:
        return None
    return None


class TypedLine:
    """What the prompt shows of a line. A redraw asks again for the same text: it is parsed anew only when the text, the
    connection, or what is known of its items and tags has changed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[Hashable, Any] = {}
        self._of: tuple[object, ...] = ()

    def mistake(self, line: str) -> InputError | None:
        """What is wrong in it so far."""
        return self._once(line, "mistake", lambda: mistake_so_far(self._context, line))

    def usage(self, line: str, room: int) -> str:
        """The usage of its command, in `room` columns."""
        return self._once(line, room, lambda: usage_of(self._context, line, room))

    def forget(self) -> None:
        """Parses anew: a line that ran may have set names, aliases or lists."""
        self._of = ()

    def _once(self, line: str, what: Hashable, work: Callable[[], T]) -> T:
        context = self._context
        catalogue = context.catalogue
        of: tuple[object, ...] = (
            line,
            context.current,
            context.state,
            len(context.servers),
            len(context.items),
            catalogue.galaxy,
            catalogue.is_complete,
        )
        if of != self._of:
            self._of = of
            self._known.clear()
        if what not in self._known:
            self._known[what] = work()
        known: T = self._known[what]
        return known
