"""What was typed behind a line before it ran: by someone who is quick, or by a terminal that pastes without a sign."""

import asyncio

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

_MOMENT_SECONDS = 0.05
_ENTER = (Keys.ControlM, Keys.ControlJ)


class TypedAhead:
    """Tells lines that came in one burst, as a paste does, from those that were typed one after the other."""

    def __init__(self, keys: Input) -> None:
        self._input = keys
        self._is_in_burst = False

    def entered(self) -> bool:
        """To be asked when a line has been entered: whether it came in one burst with what is before or behind it."""
        began_in_one = self._is_in_burst
        self._is_in_burst = bool(self._arrived())
        return began_in_one or self._is_in_burst

    def _arrived(self) -> list[KeyPress]:
        """All that has come up to now, which stays there."""
        keys = [*get_typeahead(self._input), *self._input.read_keys()]
        store_typeahead(self._input, keys)
        return [key for key in keys if key.key != Keys.CPRResponse]

    async def drop(self) -> int:
        """Forgets the lines that came with one, also what is still coming of them; says how many those were. What is
        no whole line stays, as if it were being typed."""
        count = -1
        while len(self._arrived()) != count:
            count = len(self._arrived())
            await asyncio.sleep(_MOMENT_SECONDS)
        keys = get_typeahead(self._input)
        ends = [index for index, key in enumerate(keys) if key.key in _ENTER]
        store_typeahead(self._input, keys[ends[-1] + 1 :] if ends else keys)
        self._is_in_burst = False
        return len(ends)
