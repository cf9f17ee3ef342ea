"""Redraws an application when something changes, at most ten times a second."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from prompt_toolkit.application import Application

_REDRAW_SECONDS = 0.1
# Ages change even when no value does.
_IDLE_SECONDS = 0.5


async def run_redrawn(app: Application[Any], changed: Callable[[], Awaitable[object]]) -> None:
    """Run `app` to its end, and redraw it meanwhile as :func:`keep_redrawn` does.

    Exit it where redrawing fails, and raise why: values that no longer change must not look fresh.
    """
    redrawer = asyncio.create_task(keep_redrawn(app, changed), name="redraw")
    redrawer.add_done_callback(lambda _: leave(app))
    try:
        await app.run_async(handle_sigint=False)
    finally:
        redrawer.cancel()
        await asyncio.wait([redrawer])
    if not redrawer.cancelled():
        redrawer.result()


def leave(app: Application[Any]) -> None:
    """Exit `app`, unless a key did it already."""
    with suppress(Exception):  # Not running, or no longer.
        app.exit()


async def keep_redrawn(app: Application[Any], changed: Callable[[], Awaitable[object]]) -> None:
    """Redraw `app`, while it is running, whenever `changed` returns, at most ten times a second whatever the rate of
    events, and twice a second in any case. Cancelling ends it.

    `changed` waits for something newer than when it returned last, so that nothing in between is missed.
    """
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_SECONDS):
                await changed()
        if app.is_running:
            app.invalidate()
        await asyncio.sleep(_REDRAW_SECONDS)
