"""Work that goes on beside what a person or a file asks for: what it fails with is said when it happens."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, Self

_AGAIN_SECONDS = 1.0

Failed = Callable[[BaseException], object]


@asynccontextmanager
async def in_background(name: str, work: Callable[[], Awaitable[None]], failed: Failed) -> AsyncIterator[None]:
    """Keeps `work` going while this is open. What it fails with is told to `failed` at once, and it begins again."""

    async def kept_going() -> None:
        while True:
            try:
                await work()
            except Exception as error:
                for leaf in leaves(error):
                    failed(leaf)
            await asyncio.sleep(_AGAIN_SECONDS)

    task = asyncio.create_task(kept_going(), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def leaves(error: BaseException) -> Iterator[BaseException]:
    """What a group of errors is of; the error itself where it is no group."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def background_problem(error: BaseException) -> str:
    """A line about work of the shell's own that has failed."""
    return f"internal error in the background, please report it: {type(error).__name__}: {error}"


_UNASKED_SECONDS = 0.05
"""So long somebody who waits for a task has to ask for what it failed with."""


class UnaskedTasks:
    """Tells what tasks of an event loop fail with that nobody awaits, when it happens.

    The loop's own handler is told only when such a task is collected, which from Python 3.12 on may be much later.
    """

    def __init__(self, failed: Failed) -> None:
        self._failed = failed
        self._ended_lately: set[asyncio.Future[Any]] = set()

    def __enter__(self) -> Self:
        self._loop = loop = asyncio.get_running_loop()
        self._factory, self._handler = loop.get_task_factory(), loop.get_exception_handler()
        loop.set_task_factory(self._made)
        loop.set_exception_handler(self._handle)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.set_task_factory(self._factory)
        self._loop.set_exception_handler(self._handler)

    def _made(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> "asyncio.Future[Any]":
        made = self._factory(loop, coro, **options) if self._factory else asyncio.Task(coro, loop=loop, **options)
        if _is_for_a_person():
            made.add_done_callback(self._ended)
        return made

    def _ended(self, task: "asyncio.Future[Any]") -> None:
        if not task.cancelled() and _is_unasked(task):
            self._ended_lately.add(task)
            self._loop.call_later(_UNASKED_SECONDS, self._tell, task)

    def _tell(self, task: "asyncio.Future[Any]") -> None:
        self._ended_lately.discard(task)
        if _is_unasked(task) and (error := task.exception()) is not None:
            self._failed(error)

    def _handle(self, loop: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
        error = about.get("exception")
        if isinstance(error, BaseException) and isinstance(about.get("future"), asyncio.Task):
            self._failed(error)
        else:
            loop.default_exception_handler(about)

    def tell_all(self) -> None:
        """Tells at once of those that ended a moment ago."""
        for task in list(self._ended_lately):
            self._tell(task)


def _is_for_a_person() -> bool:
    """Whether the code that makes a task now is no library's of ours, which looks after its own tasks later on."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and _package(frame) == "asyncio":
        frame = frame.f_back
    package = _package(frame) if frame is not None else ""
    return not package.startswith("zb_mom_ww_mxgateway") and package not in ("grpc", "prompt_toolkit", "ptpython")


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _is_unasked(task: "asyncio.Future[Any]") -> bool:
    """Whether it has failed and nobody has looked at that: what asyncio itself goes by when a task is collected."""
    return bool(getattr(task, "_log_traceback", False))
