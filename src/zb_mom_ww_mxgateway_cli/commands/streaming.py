"""Prints and writes streams without ever holding them up."""

import asyncio
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar

from zb_mom_ww_mxgateway.errors import MxGatewaySessionError, MxGatewayTransportError
from zb_mom_ww_mxgateway_console.render.forms import ExpectationNotMet, safe
from zb_mom_ww_mxgateway_console.render.report import Report

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import MessageStream

T = TypeVar("T")

MOST_WAITING = 100_000
_BATCH = 1_000
_PATIENCE = 1.0


class Rendering(NamedTuple, Generic[T]):
    """Shows a message."""

    form: Callable[[T], dict[str, Any]]
    """Returns its JSON form."""
    text: Callable[[T], str]
    """Returns its text for a person."""
    columns: Sequence[str] = ()
    """The keys that the form of any message may have."""


async def print_stream(
    stream: "MessageStream[T]",
    report: Report,
    rendering: Rendering[T],
    ended: Exception,
    most: int | None,
    duration: float | None,
) -> None:
    """Print messages until there were `most`, `duration` seconds have passed, or the reader has left.

    Raise the stream's error, and `ended` if the gateway ends the stream.
    """
    report.list_of(rendering.columns)
    printed = 0
    async with Printer(report, rendering) as printer, stream:
        try:
            async with asyncio.timeout(duration):
                async for message in stream:
                    if report.reader_gone:
                        return
                    printer.put(message)
                    printed += 1
                    if printed == most:
                        return
        except TimeoutError:
            return
    raise ended


def stream_ended(endpoint: str) -> MxGatewaySessionError:
    """Return the error for a stream that the gateway ended without a reason."""
    return MxGatewaySessionError(
        f"{endpoint} ended the event stream, as it does when the session is closed",
        endpoint=endpoint,
        call="stream_events",
    )


def stream_broke(endpoint: str, call: str) -> MxGatewayTransportError:
    """Return the error for a stream outside a session that the gateway ended without a reason."""
    return MxGatewayTransportError(f"{call}: {endpoint} ended the stream", endpoint=endpoint, call=call)


class StreamWriter(ABC, Generic[T]):
    """Writes messages in a separate thread, in order.

    A reader that pauses (``| less``), or a slow disk, must not stop the stream being read: the gateway would fault the
    session.
    """

    def __init__(self, report: Report, name: str, most_waiting: int, patience: float | None) -> None:
        """`patience`: seconds that an interrupted command waits for what is not written yet; None for all of it."""
        self._report = report
        self._most_waiting = most_waiting
        self._patience = patience
        self._waiting: queue.Queue[T | None] = queue.Queue()
        self._error: Exception | None = None
        self._done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def put(self, message: T) -> None:
        """Queue a message. Raise the error of writing, and what :meth:`_refuse` raises."""
        if self._error is not None:
            raise self._error
        if self._waiting.qsize() >= self._most_waiting:
            self._refuse(message)
        else:
            self._waiting.put(message)

    @abstractmethod
    def _refuse(self, message: T) -> None:
        """Deal with a message for which there is no room."""

    @abstractmethod
    def _write(self, messages: list[T]) -> None:
        """Write messages. In the thread."""

    def _end(self) -> None:
        """Write what is last, after all messages. In the thread."""
        return

    def _run(self) -> None:
        try:
            while self._write_some():
                pass
            self._end()
        except Exception as error:
            self._error = error
        finally:
            # The loop is closed: the command ended without waiting for this.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._done.set)

    def _write_some(self) -> bool:
        """Wait for a message and write it with those that came meanwhile; return False at the end."""
        messages = [self._waiting.get()]
        while len(messages) < _BATCH and not self._waiting.empty():
            messages.append(self._waiting.get())
        self._write([message for message in messages if message is not None])
        return messages[-1] is not None

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: object, traceback: object) -> None:
        """Wait until all is written; if interrupted, as long as its patience."""
        self._waiting.put(None)
        try:
            async with asyncio.timeout(self._patience if exc_type is asyncio.CancelledError else None):
                await self._done.wait()
        except (TimeoutError, asyncio.CancelledError) as error:
            self._report.reader_stuck = True
            if isinstance(error, asyncio.CancelledError):
                raise
        if exc_type is None and self._error is not None:
            raise self._error


class Printer(StreamWriter[T]):
    """Prints messages."""

    def __init__(
        self,
        report: Report,
        rendering: Rendering[T],
        most_waiting: int = MOST_WAITING,
        on_written: Callable[[list[T]], None] | None = None,
    ) -> None:
        """`on_written` is called on the loop with messages that were printed, or could not be: `report.reader_gone`."""
        super().__init__(report, "printer", most_waiting, _PATIENCE)
        self._rendering = rendering
        self._on_written = on_written

    def _refuse(self, message: T) -> None:
        raise ExpectationNotMet(f"the reader of the output is {self._most_waiting} lines behind")

    def _write(self, messages: list[T]) -> None:
        rendered = [self._rendered(message) for message in messages]
        try:
            self._report.lines([line for lines in rendered for line in lines])
        finally:
            if self._on_written is not None:
                with suppress(RuntimeError):  # The loop is closed.
                    self._loop.call_soon_threadsafe(self._on_written, messages)

    def _rendered(self, message: T) -> list[str]:
        if self._report.is_for_people:
            return [safe(self._rendering.text(message))]
        return self._report.formatter.result(self._rendering.form(message), "")
