"""Calls to the system that may never return, in threads that nothing waits for."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, cast

T = TypeVar("T")


async def unwaited(ask: Callable[[], T], name: str) -> T:
    """Run `ask` in a daemon thread of this name; return its result, or raise its error.

    Neither cancelling nor the end of the program waits for the thread.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(found: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(cast("T", found))

    def work() -> None:
        outcome: tuple[T | None, Exception | None]
        try:
            outcome = ask(), None
        except Exception as error:  # raised in the task that waits
            outcome = None, error
        # The loop may be gone by now.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await answer
