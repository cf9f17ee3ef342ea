"""Questions to the system that may never be answered, and that nothing is held up by."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, cast

T = TypeVar("T")


async def unwaited(ask: Callable[[], T], name: str) -> T:
    """What `ask` gives or raises in a thread of that name, which neither a cancelled wait nor the program's end waits
    for."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(found: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(cast("T", found))

    def work() -> None:
        told: tuple[T | None, Exception | None]
        try:
            told = ask(), None
        except Exception as error:  # It is for whoever waits.
            told = None, error
        # The loop may be gone by now.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, *told)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await answer
