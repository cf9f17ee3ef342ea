"""What is redrawn in place, at most ten times a second whatever the rate of events, and its colours."""

import asyncio
from collections.abc import Callable
from typing import Any

from prompt_toolkit.application import Application

_REDRAW_SECONDS = 0.1
# Ages move on even when no value does.
_IDLE_REDRAWS = 5

MOODS = {
    "mood.good": "",
    "mood.bad": "ansired",
    "mood.uncertain": "ansiyellow",
    "mood.stale": "ansiyellow italic",
    "mood.none": "ansibrightblack",
    "mood.gap": "ansired",
    "mood.head": "bold",
}
"""How values look, by what may be said of them."""


async def keep_redrawn(app: Application[Any], is_new: Callable[[], bool]) -> None:
    """Redraws `app` where `is_new` says that there is something new since it was last asked, until it is cancelled."""
    idle = 0
    while True:
        await asyncio.sleep(_REDRAW_SECONDS)
        idle += 1
        if is_new() or idle >= _IDLE_REDRAWS:
            idle = 0
            app.invalidate()
