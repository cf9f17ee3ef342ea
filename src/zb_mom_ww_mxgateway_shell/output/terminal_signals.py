"""Control sequences that a person asks for: the clipboard, the bell, a notice of the desktop.

They do not move the cursor, so they may be written between two redraws. No terminal answers them: whether one was
obeyed is unknown.
"""

import base64
import os
import sys
from collections.abc import Callable
from typing import Literal

from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe

MOST_COPIED = 74_000
"""Bytes that are copied at most: as base64 some 99,000, the most that all terminals with a clipboard take."""
BELL = "\a"
_NO_TERMINAL = ("", "dumb", "unknown")
_NOTICE_COLUMNS = 200
_END = "\x1b\\"

WriteRaw = Callable[[str], None]
"""Writes a text to the terminal as it is, at once."""


def is_dumb() -> bool:
    """Return whether the terminal shows escapes instead of obeying them: TERM says so, or is missing (not on
    Windows).
    """
    term = os.environ.get("TERM", "").strip().lower()
    return term in _NO_TERMINAL and not (sys.platform == "win32" and not term)


def copied(text: str) -> str:
    """Return what puts a text on the clipboard, by OSC 52; raise ValueError if it is longer than terminals take."""
    data = text.encode("utf-8", "replace")
    if len(data) > MOST_COPIED:
        raise ValueError(f"{len(data):,} bytes are too many for a terminal's clipboard: at most {MOST_COPIED:,}")
    return _through(f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}{_END}", also_plain=True)


def alarm_signal(how: Literal["off", "bell", "notice"], text: str) -> str:
    """Return what rings the bell, or shows a notice of the desktop with a text; empty for neither."""
    if how != "notice":
        return BELL if how == "bell" else ""
    # What separates the parts of a notice must not be in one of them.
    shown = cut(safe(text).replace(";", ","), _NOTICE_COLUMNS)
    return _through(f"\x1b]777;notify;mxgw-shell;{shown}{_END}" if _takes_777() else f"\x1b]9;{shown}{_END}")


def _takes_777() -> bool:
    """Return whether the terminal is one that knows notices by OSC 777 rather than by OSC 9."""
    return "VTE_VERSION" in os.environ or os.environ.get("TERM", "").startswith(("rxvt", "foot"))


def _through(sequence: str, *, also_plain: bool = False) -> str:
    """Return a sequence for the terminal around tmux, too; `also_plain` if tmux itself may take it."""
    if not os.environ.get("TMUX"):
        return sequence
    wrapped = "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + _END
    return wrapped + sequence if also_plain else wrapped
