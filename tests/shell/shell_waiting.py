"""Waiting for what tells nobody, such as a screen, a file or a simulated gateway: a condition and a deadline."""

import asyncio
from collections.abc import Callable

import pytest

DEADLINE = 60.0


async def until(
    condition: Callable[[], object],
    what: Callable[[], str] = lambda: "what is waited for",
    *,
    timeout: float = DEADLINE,
) -> None:
    """Returns when the condition is true; fails the test, and says `what` did not come about, after `timeout` s."""
    try:
        async with asyncio.timeout(timeout):
            while not condition():  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not within {timeout:g} s: {what()}")
