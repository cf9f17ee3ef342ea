"""What the terminal is able to do."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.application import Application

_NO_TERMINAL = ("", "dumb", "unknown")


def is_dumb() -> bool:
    """Whether it shows the escapes that another would obey: TERM says so, or, but on Windows, nothing."""
    term = os.environ.get("TERM", "").strip().lower()
    return term in _NO_TERMINAL and not (sys.platform == "win32" and not term)


@contextmanager
def told_in_term() -> Iterator[None]:
    """Tells the libraries that ask TERM for themselves that a terminal is dumb, where nothing tells them."""
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


def without_warning(app: Application[Any]) -> None:
    """Keeps prompt_toolkit's own warning off the screen: a terminal that does not report where its cursor is only gets
    its menus drawn with less room."""
    app.renderer.cpr_not_supported_callback = None
