"""A terminal that hands each key over as it is typed, shows none of it, and still sends Ctrl-C as a signal.

The signal also ends code that keeps the event loop from reading keys. Ctrl-Z stops nothing, as at the prompt: a shell
that is stopped puts nothing back, and its terminal would show what is typed once it goes on.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

if sys.platform == "win32":

    @contextmanager
    def quiet_terminal(number: int) -> Iterator[None]:
        """Do nothing: a console shows only what is read from it as lines."""
        yield

else:
    import termios

    _INPUT, _LOCAL, _CHARACTERS = 0, 3, 6

    @contextmanager
    def quiet_terminal(number: int) -> Iterator[None]:
        """Have the terminal of this file number so while this is open; nothing if it is no terminal."""
        if not os.isatty(number):
            yield
            return
        before = termios.tcgetattr(number)
        quiet = [*before[:_CHARACTERS], [*before[_CHARACTERS]]]
        quiet[_INPUT] = (before[_INPUT] | termios.ICRNL) & ~(termios.IXON | termios.IXOFF)
        quiet[_LOCAL] = (before[_LOCAL] | termios.ISIG | termios.NOFLSH) & ~(termios.ECHO | termios.ICANON)
        quiet[_CHARACTERS][termios.VMIN] = 1
        quiet[_CHARACTERS][termios.VSUSP] = bytes([os.fpathconf(number, "PC_VDISABLE")])
        termios.tcsetattr(number, termios.TCSANOW, quiet)
        try:
            yield
        finally:
            with suppress(termios.error):  # The terminal is gone.
                termios.tcsetattr(number, termios.TCSANOW, before)
