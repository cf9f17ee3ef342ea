"""Abilities of the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.application import Application

_NO_TERMINAL = ("", "dumb", "unknown")


def is_dumb() -> bool:
    """Return whether the terminal shows escapes instead of obeying them: TERM says so, or is missing (not on
    Windows).
    """
    term = os.environ.get("TERM", "").strip().lower()
    return term in _NO_TERMINAL and not (sys.platform == "win32" and not term)


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
