"""A terminal that does not show what is typed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":
    import ctypes

    _ECHO = 0x0004
    _STANDARD_INPUT = -10

    @contextmanager
    def unseen() -> Iterator[None]:
        """Have the terminal of standard input show nothing of what is typed while this is open."""
        kernel = ctypes.windll.kernel32
        handle, mode = kernel.GetStdHandle(_STANDARD_INPUT), ctypes.c_uint32()
        if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            raise OSError("standard input is no console")
        kernel.SetConsoleMode(handle, mode.value & ~_ECHO)
        try:
            yield
        finally:
            kernel.SetConsoleMode(handle, mode.value)

else:
    import termios

    @contextmanager
    def unseen() -> Iterator[None]:
        """Have the terminal of standard input show nothing of what is typed while this is open."""
        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
        hidden = [*before]
        hidden[3] &= ~termios.ECHO
        termios.tcsetattr(number, termios.TCSAFLUSH, hidden)
        try:
            yield
        finally:
            termios.tcsetattr(number, termios.TCSAFLUSH, before)
