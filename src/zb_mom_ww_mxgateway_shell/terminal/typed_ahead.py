"""What was typed behind a line before it ran: by someone who is quick, or by a terminal that pastes without a sign."""

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

_ENTER = (Keys.ControlM, Keys.ControlJ)


class TypedAhead:
    """Tells lines that came in one burst, as a paste does, from those that were typed one after the other."""

    def __init__(self, keys: Input) -> None:
        self._input = keys
        self._is_in_burst = False
        self._before_the_end = 0

    def entered(self) -> bool:
        """To be asked when a line has been entered: whether it came in one burst with what is before or behind it."""
        began_in_one = self._is_in_burst
        self._is_in_burst = any(map(_is_typed, self._arrived()))
        return began_in_one or self._is_in_burst

    def _arrived(self) -> list[KeyPress]:
        """All that has come up to now, which stays there."""
        keys = [*get_typeahead(self._input), *self._input.read_keys()]
        store_typeahead(self._input, keys)
        return keys

    def ended(self) -> None:
        """To be told when a line has ended, before anything is shown of it: what comes after that is no part of a
        burst, but an answer to it."""
        self._before_the_end = len(self._arrived())

    def drop(self) -> int:
        """Forgets the lines that had come when one ended; says how many those were. What is no whole line stays, as if
        it were being typed, and so does what came since."""
        keys = get_typeahead(self._input)
        ends = [index for index, key in enumerate(keys[: self._before_the_end]) if key.key in _ENTER]
        refined_by = ends[-1] + 1 if ends else 0
        store_typeahead(self._input, [*(key for key in keys[:refined_by] if not _is_typed(key)), *keys[refined_by:]])
        self._is_in_burst = False
        return len(ends)


def _is_typed(key: KeyPress) -> bool:
    return key.key != Keys.CPRResponse  # A terminal's own answer.
