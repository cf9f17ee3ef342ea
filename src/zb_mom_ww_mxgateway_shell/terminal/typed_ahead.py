"""Lines that arrived before they could run: typed fast, or pasted by a terminal that does not mark a paste."""

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

_ENTER = (Keys.ControlM, Keys.ControlJ)


class TypedAhead:
    """Distinction of lines that came in one burst, as in a paste, from lines typed one by one."""

    def __init__(self, keys: Input) -> None:
        self._input = keys
        self._is_in_burst = False
        self._before_the_end = 0

    def entered(self) -> bool:
        """Return whether the line just entered came in one burst with the text before or behind it."""
        began_in_one = self._is_in_burst
        self._is_in_burst = any(map(_is_typed, self._arrived()))
        return began_in_one or self._is_in_burst

    def _arrived(self) -> list[KeyPress]:
        """Return all keys that have arrived; they stay there."""
        keys = [*get_typeahead(self._input), *self._input.read_keys()]
        store_typeahead(self._input, keys)
        return keys

    def ended(self) -> None:
        """Note that a line has ended, before any of its result is shown.

        Keys that come later are an answer to the result, not a part of the burst.
        """
        self._before_the_end = len(self._arrived())

    def drop(self) -> int:
        """Drop the whole lines that had arrived when the last line ended; return their number.

        An incomplete line, and everything that came later, stays as if it were being typed.
        """
        keys = get_typeahead(self._input)
        ends = [index for index, key in enumerate(keys[: self._before_the_end]) if key.key in _ENTER]
        after = ends[-1] + 1 if ends else 0
        store_typeahead(self._input, [*(key for key in keys[:after] if not _is_typed(key)), *keys[after:]])
        self._is_in_burst = False
        return len(ends)


def _is_typed(key: KeyPress) -> bool:
    return key.key != Keys.CPRResponse  # A terminal's own answer.
