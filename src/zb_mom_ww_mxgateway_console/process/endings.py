"""The signals that end a program, and how to ignore them after the first.

A separate file: each program needs it at its start, and loads nothing else for it.
"""

import signal

INTERRUPT = ("SIGINT",)
"""Ctrl-C."""
CALLED_OFF = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""Requests to end: before a kill, or from a closing terminal; on Windows Ctrl-Break, a closed window, a shutdown."""
ENDING = (*INTERRUPT, *CALLED_OFF)
"""Everything that ends the program."""


# nohup ignores them: the program is meant to go on.
_IGNORED = frozenset(
    name for name in CALLED_OFF if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN
)


def numbers(names: tuple[str, ...]) -> list[signal.Signals]:
    """Return those signals that this system has, except requests to end that were ignored from the start."""
    return [getattr(signal, name) for name in names if hasattr(signal, name) and name not in _IGNORED]


def end_once() -> None:
    """Ignore further signals: a second one would replace the exit code."""
    for number in numbers(ENDING):
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            signal.signal(number, signal.SIG_IGN)
