"""Abilities of the terminal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.output import Output

from zb_mom_ww_mxgateway_shell.output.terminal_signals import WriteRaw, is_dumb as is_dumb

_WITHOUT_SEQUENCES = ("Win32Output", "PlainTextOutput", "DummyOutput")
"""Outputs that show control sequences instead of obeying them."""


def raw_writer(output: Output) -> WriteRaw | None:
    """Return what writes control sequences to this terminal; None where it obeys none."""
    if is_dumb() or type(output).__name__ in _WITHOUT_SEQUENCES:
        return None

    def write(text: str) -> None:
        output.write_raw(text)
        output.flush()

    return write


@contextmanager
def paste_marked(output: Output) -> Iterator[None]:
    """Have the terminal mark a paste all the time while this is open, also between two applications that read keys."""
    off = output.disable_bracketed_paste
    output.disable_bracketed_paste = lambda: None  # type: ignore[method-assign]  # each application turns it off
    try:
        yield
    finally:
        output.disable_bracketed_paste = off  # type: ignore[method-assign]  # restored
        output.disable_bracketed_paste()
        output.flush()


@contextmanager
def dumb_term_set() -> Iterator[None]:
    """Set TERM to dumb where it is missing on a dumb terminal, for libraries that read it themselves."""
    former = os.environ.get("TERM")
    if is_dumb():
        os.environ["TERM"] = "dumb"
    try:
        yield
    finally:
        if former is None:
            os.environ.pop("TERM", None)
        else:
            os.environ["TERM"] = former


def silence_cursor_warning(app: Application[Any]) -> None:
    """Suppress prompt_toolkit's warning about a terminal that does not report its cursor.

    The only effect there is that menus get less room.
    """
    app.renderer.cpr_not_supported_callback = None
