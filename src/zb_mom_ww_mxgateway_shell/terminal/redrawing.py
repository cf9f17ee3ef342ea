"""What is redrawn in place, at most ten times a second whatever the rate of events, and its colours."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
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


async def run_redrawn(app: Application[Any], is_new: Callable[[], bool]) -> None:
    """Runs `app` to its end, and redraws it where `is_new` says that there is something new since it was last asked.

    Leaves it where that fails, and raises why: values that no longer move must not stand there as if they were fresh.
    """
    redrawer = asyncio.create_task(_keep_redrawn(app, is_new), name="redraw")
    redrawer.add_done_callback(lambda _: leave(app))
    try:
        await app.run_async(handle_sigint=False)
    finally:
        redrawer.cancel()
        await asyncio.wait([redrawer])
    if not redrawer.cancelled():
        redrawer.result()


def leave(app: Application[Any]) -> None:
    """Ends it, where it is not left by a key already."""
    with suppress(Exception):  # Not running, or no longer.
        app.exit()


async def _keep_redrawn(app: Application[Any], is_new: Callable[[], bool]) -> None:
    idle = 0
    while True:
        await asyncio.sleep(_REDRAW_SECONDS)
        idle += 1
        if is_new() or idle >= _IDLE_REDRAWS:
            idle = 0
            app.invalidate()
