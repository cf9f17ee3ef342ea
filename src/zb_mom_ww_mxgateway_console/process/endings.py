"""The signals that end a program from outside, and that one which was heeded does not come again.

In a file of its own: each program needs it at its start, and loads nothing else for it.
"""

import signal

INTERRUPT = ("SIGINT",)
"""Ctrl-C."""
CALLED_OFF = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""What comes before a kill, or from a terminal that closes; on Windows Ctrl-Break, a closed window and a shutdown."""
ENDING = (*INTERRUPT, *CALLED_OFF)
"""What ends the whole program."""


# As nohup does it: who started the program so wants it to go on.
_IGNORED = frozenset(
    name for name in CALLED_OFF if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN
)


def numbers(names: tuple[str, ...]) -> list[signal.Signals]:
    """Those of them that this system has; none that calls off and was ignored from the start."""
    return [getattr(signal, name) for name in names if hasattr(signal, name) and name not in _IGNORED]


def end_once() -> None:
    """An end that was told and is heeded is not told again: a second signal would take the place of the exit code."""
    for number in numbers(ENDING):
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            signal.signal(number, signal.SIG_IGN)
