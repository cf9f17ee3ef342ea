"""Arming in words: for the prompt, the toolbar and the lists of connections."""

import math
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import Arming


def arming_text(arming: "Arming", room: int | None = None) -> str:
    """Return ``armed Tank1.* 9:41``, ``armed`` where everything is open, or ``read-only``.

    Globs are cut to `room` columns.
    """
    scope = arming.scope
    if scope is None:
        return "armed" if arming.open_for_all else "read-only"
    globs = safe(str(scope))
    if room is not None:
        globs = cut(globs, room)
    return f"armed {globs}{countdown(arming.seconds_left)}"


def countdown(seconds: float) -> str:
    """Return a blank and the minutes and seconds left; empty where no time is set."""
    if math.isinf(seconds):
        return ""
    hours, rest = divmod(max(1, math.ceil(seconds)), 3600)
    minutes, left = divmod(rest, 60)
    return f" {hours}:{minutes:02}:{left:02}" if hours else f" {minutes}:{left:02}"


def arming_form(arming: "Arming") -> dict[str, Any]:
    """Return what is armed, for JSON."""
    left = arming.seconds_left
    return {
        "armed": arming.is_armed,
        "for_all": arming.open_for_all,
        "globs": [str(glob) for glob in arming.globs],
        "reason": arming.reason or None,
        "seconds_left": None if math.isinf(left) or not arming.is_armed else round(left, 3),
    }
