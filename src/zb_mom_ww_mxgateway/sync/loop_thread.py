"""An event loop in a thread of its own, and calls on it from other threads."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

from zb_mom_ww_mxgateway.errors import MxGatewayError

T = TypeVar("T")

# Python hears Ctrl-C between two waits. On Windows nothing cuts a wait short; elsewhere the signal does not where it
# comes just before the wait begins, or where another thread takes it.
_SLICE = 0.2
# Seconds for a call to end once it was cancelled; a write that was sent notes in the journal that it is unknown.
_CANCELLING = 5.0


class LoopThread:
    """An event loop that runs in a daemon thread until :meth:`close`."""

    def __init__(self, name: str, what: str) -> None:
        """`name` is that of the thread; `what` names in errors whose calls it runs, such as "the session"."""
        self._what = what
        self._process = os.getpid()
        # Reentrant: a session that is collected as garbage is closed wherever that happens.
        self._lock = threading.RLock()
        self._is_open = True
        self._calls: set[Future[Any]] = set()
        self._abandoned: set[Future[Any]] = set()
        self._last: asyncio.Task[Any] | None = None
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._serve, args=[started], name=name, daemon=True)
        self._thread.start()
        self._loop, self._closing = started.result()

    def _serve(self, started: "Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
        async def until_closed() -> None:
            closing = asyncio.Event()
            started.set_result((asyncio.get_running_loop(), closing))
            await closing.wait()

        try:
            # It cancels what still runs when it ends.
            asyncio.run(until_closed())
        finally:
            # Also where a function of the caller's has raised SystemExit: a call that waits would wait forever.
            with self._lock:
                self._is_open = False
                left = tuple(self._calls)
            for ended in left:
                self._break_off(ended)

    @property
    def is_open(self) -> bool:
        """Whether calls can be made here: not after :meth:`close`, and not in a process that was forked off."""
        return self._is_open and os.getpid() == self._process

    @property
    def is_current(self) -> bool:
        """Whether the caller is in the thread of the loop."""
        return threading.current_thread() is self._thread

    def check(self) -> None:
        """Raise MxGatewayError in a process that was forked off, and in the thread of the loop: no call can be made."""
        if os.getpid() != self._process:
            raise MxGatewayError(
                f"{self._what} belongs to process {self._process}, from which this one was forked: start processes "
                f'with multiprocessing\'s "spawn", or connect only after the fork'
            )
        if self.is_current:
            raise MxGatewayError(
                f"{self._what}: a call from its own thread would wait for itself; predicates and write guards run there"
            )

    def run(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        interrupted: Callable[[BaseException], object] = lambda _: None,
    ) -> T:
        """Run the coroutine that `work` makes, wait for it in this thread, and return its result or raise its error.

        Where the wait is interrupted (Ctrl-C), the coroutine is cancelled and waited for a moment more, `interrupted`
        is called with the interruption, and that is raised. Raises MxGatewayError after :meth:`close`, in a forked
        process and in the thread of the loop; nothing is begun then.
        """
        self.check()
        ended: Future[T] = Future()
        task: asyncio.Task[T] | None = None

        def begin() -> None:
            nonlocal task
            task = self._loop.create_task(work())
            task.add_done_callback(lambda done: self._hand_over(done, ended))

        try:
            with self._lock:
                is_begun = self._is_open
                if is_begun:
                    self._calls.add(ended)
                    self._loop.call_soon_threadsafe(begin)
            while is_begun and not wait([ended], _SLICE).done:
                pass
        except BaseException as interruption:
            self.call_soon(lambda: task and task.cancel())
            with suppress(BaseException):  # a second Ctrl-C: not even a moment
                if ended in self._calls:
                    wait([ended], _CANCELLING)
            interrupted(interruption)
            raise
        if not is_begun:
            raise MxGatewayError(f"{self._what} is closed")
        return ended.result()

    def _hand_over(self, task: "asyncio.Task[T]", ended: "Future[T]") -> None:
        """Give the outcome of a task to the thread that waits for it."""
        self._calls.discard(ended)
        if ended in self._abandoned:
            task.cancelled() or task.exception()  # taken, so that asyncio does not report it
        elif task.cancelled():
            self._break_off(ended)
        elif (error := task.exception()) is not None:
            ended.set_exception(error)
        else:
            ended.set_result(task.result())

    def _break_off(self, ended: "Future[Any]") -> None:
        if ended not in self._abandoned:
            ended.set_exception(MxGatewayError(f"{self._what} was closed before the call ended"))

    def abandon_calls(self) -> None:
        """Let the threads that wait now wait on: the interpreter ends, and they with it, without a word."""
        with self._lock:
            self._abandoned.update(self._calls)

    def call_soon(self, function: Callable[[], object]) -> None:
        """Have a function called on the loop, without waiting for it; nothing where the loop has ended."""
        if os.getpid() == self._process:
            with self._lock:
                if self._is_open:
                    self._loop.call_soon_threadsafe(function)

    def report(self, message: str, error: BaseException) -> None:
        """Give an error that nobody waits for to the loop's exception handler, which logs it."""
        self._loop.call_exception_handler({"message": message, "exception": error})

    def end_with(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run `work` on the loop and then end the loop, without waiting for it: for a finalizer. Errors are dropped."""

        def ended(task: asyncio.Task[object]) -> None:
            task.cancelled() or task.exception()  # taken, so that asyncio does not report it
            self._closing.set()

        def begin() -> None:
            self._last = self._loop.create_task(work())
            self._last.add_done_callback(ended)

        self.call_soon(begin)

    def join(self, timeout: float) -> None:
        """Wait at most that many seconds for the end of the loop."""
        self._thread.join(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Cancel what runs, end the loop and wait at most `timeout` seconds for that. Idempotent."""
        if os.getpid() != self._process:
            return
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._loop.call_soon_threadsafe(self._closing.set)
        if not self.is_current:
            self._thread.join(timeout)
