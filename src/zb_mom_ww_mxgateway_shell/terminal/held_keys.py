"""The keyboard while a command runs: what arrives is held, and stands at the next prompt, where Enter runs it."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

_ENTER = (Keys.ControlM, Keys.ControlJ)
_BACKSPACE = (Keys.ControlH, Keys.Backspace)

Take = Callable[[KeyPress], bool]


class HeldKeys:
    """Text that arrives while no prompt can take it. Nothing of it runs: the next prompt gets it as one paste."""

    def __init__(self, keys: Input) -> None:
        self._input = keys
        self._later: list[KeyPress] = []
        self._is_running = self._is_attached = False
        self._leaves = False
        self.text: str = ""
        """What is held; each Enter is a line end."""
        self.take: Take = lambda key: False
        """Takes a key that is no text; returns whether it did."""
        self.cursor_row: Callable[[int], object] = lambda row: None
        """Takes the row of the cursor, which a terminal answers between the keys."""
        self.changed: Callable[[], object] = lambda: None
        """Called when the text may have changed."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Read the keyboard while this is open; applications within may read it themselves meanwhile.

        At the end the next prompt gets what was held. Keep the terminal quiet around it.
        """
        self._is_running = self._is_attached = True
        with self._input.attach(self._read):
            try:
                yield
            finally:
                self.settle()
                self._is_attached = False
        self.hand_over()

    def resume(self) -> None:
        """Hold what arrives from now on, and what has arrived: a command begins."""
        self._is_running = True
        later, self._later = self._later, []
        self._hold(later)
        self._read()

    def settle(self) -> None:
        """Hold what has arrived; a command has ended. What comes later answers its result, and is as if typed there."""
        self._read()
        self._is_running = False

    def keep(self, text: str) -> None:
        """Hold a text that a view took for the next prompt, and all that was typed behind it."""
        self.text += text
        self.resume()
        self.settle()

    def hand_over(self) -> None:
        """Give the next prompt what was held."""
        self._read()
        later, self._later = self._later, []
        # What was typed since, unseen, must not lengthen a line that was entered.
        text = self.text if later else self.text.removesuffix("\n")
        keys = [KeyPress(Keys.BracketedPaste, text)] if text else []
        if self._leaves and not text:
            keys.append(KeyPress(Keys.ControlD, "\x04"))
        self.text, self._leaves = "", False
        store_typeahead(self._input, [*keys, *later])

    def stay(self) -> None:
        """Forget a Ctrl-D that has arrived: what ran was ended instead."""
        self._leaves = False

    def withhold(self) -> None:
        """Take what has arrived from a question that comes now; nothing while no command has the keyboard."""
        if self._is_attached:
            self._read()

    def drop(self) -> bool:
        """Forget what is held and what has arrived; return whether there was something."""
        self._read()
        dropped = bool(self.text or self._later)
        self.text, self._later = "", []
        return dropped

    def _read(self) -> None:
        """Take all keys that have arrived, also those that another application left."""
        self._hold([*get_typeahead(self._input), *self._input.read_keys()])

    def _hold(self, keys: Sequence[KeyPress]) -> None:
        for key in keys:
            if key.key == Keys.ControlC:
                signal.raise_signal(signal.SIGINT)  # As a terminal does whose keys are signals.
            elif key.key == Keys.CPRResponse:
                self.cursor_row(int(key.data[2:].partition(";")[0]))
            elif not self._is_running:
                self._later.append(key)
            elif not self.take(key):
                self._edit(key)
                self.changed()

    def _edit(self, key: KeyPress) -> None:
        if key.key in _ENTER:
            self.text += "\n" if self.text and not self.text.endswith("\n") else ""
        elif key.key == Keys.BracketedPaste:
            self.text += key.data.replace("\r\n", "\n").replace("\r", "\n")
        elif key.key in _BACKSPACE:
            self.text = self.text[:-1]
        elif key.key == Keys.ControlU:
            self.text = ""
        elif key.key == Keys.ControlD:
            self._leaves = True
        elif key.data.isprintable() and len(key.data) == 1:
            self.text += key.data
