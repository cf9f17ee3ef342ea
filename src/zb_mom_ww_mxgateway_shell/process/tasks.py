"""Tasks that run at the same time: the first of several, those in the background, and the report of failures."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, Self

_AGAIN_SECONDS = 1.0

Failed = Callable[[BaseException], object]


async def first_of(works: Iterable[Awaitable[None]], *, is_over: Callable[[], bool] = lambda: True) -> None:
    """Await several at the same time until one of them ends and `is_over`, or all have ended; cancel the rest.

    Raises the error of one that fails. Cancelling cancels all.
    """
    tasks = going = {asyncio.ensure_future(each) for each in works}
    try:
        while going:
            ended, going = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
            for each in ended:
                each.result()
            if is_over():
                return
    finally:
        for each in going:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def in_background(name: str, work: Callable[[], Awaitable[None]], failed: Failed) -> AsyncIterator[None]:
    """Keep `work` running while this is open. Give each failure to `failed` at once, then start it again."""

    async def run_repeatedly() -> None:
        while True:
            try:
                await work()
            except Exception as error:
                for leaf in leaves(error):
                    failed(leaf)
            await asyncio.sleep(_AGAIN_SECONDS)

    task = asyncio.create_task(run_repeatedly(), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors of a group; the error itself if it is not a group."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def background_problem(error: BaseException) -> str:
    """Return the message for a failed background task of the shell."""
    return f"internal error in the background, please report it: {type(error).__name__}: {error}"


_UNAWAITED_SECONDS = 0.05
"""How long code that awaits a task may take to fetch its error."""


class UnawaitedTasks:
    """Reports the failures of tasks that nobody awaits, when they happen.

    The loop's own handler is called only when such a task is collected, which from Python 3.12 on may be much later.
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
        if not task.cancelled() and _is_unawaited(task):
            self._ended_lately.add(task)
            self._loop.call_later(_UNAWAITED_SECONDS, self._report, task)

    def _report(self, task: "asyncio.Future[Any]") -> None:
        self._ended_lately.discard(task)
        if _is_unawaited(task) and (error := task.exception()) is not None:
            self._failed(error)

    def _handle(self, loop: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
        error = about.get("exception")
        if isinstance(error, BaseException) and isinstance(about.get("future"), asyncio.Task):
            self._failed(error)
        else:
            loop.default_exception_handler(about)

    def report_all(self) -> None:
        """Report now what ended a moment ago."""
        for task in list(self._ended_lately):
            self._report(task)


def _is_for_a_person() -> bool:
    """Return whether a person's code creates this task, and not a library, which looks after its own tasks."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and _package(frame) == "asyncio":
        frame = frame.f_back
    package = _package(frame) if frame is not None else ""
    return not package.startswith("zb_mom_ww_mxgateway") and package not in ("grpc", "prompt_toolkit", "ptpython")


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _is_unawaited(task: "asyncio.Future[Any]") -> bool:
    """Return whether the task failed and nothing fetched its error; asyncio itself checks this attribute."""
    return bool(getattr(task, "_log_traceback", False))
