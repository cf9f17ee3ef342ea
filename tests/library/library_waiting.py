"""Waiting for what the other side of a connection does: a condition and a deadline, never a fixed time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest


async def eventually(condition: Callable[[], object], what: str, *, seconds: float = 30.0) -> None:
    """Returns when the condition is true; fails the test when it does not become so in time."""
    if not await soon(condition, seconds):
        pytest.fail(f"not within {seconds:g} s: {what}")


async def soon(condition: Callable[[], object], seconds: float) -> bool:
    """Whether the condition becomes true in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - what is waited for gives no sign of its own
                await asyncio.sleep(0.002)
            return True
    return False
