"""Printing an event stream without ever holding it up."""

import asyncio
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from zb_mom_ww_mxgateway.errors import MxGatewaySessionError
from zb_mom_ww_mxgateway_cli.output import ExpectationNotMet, event_form, event_text, json_line, safe
from zb_mom_ww_mxgateway_cli.report import Report

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import MessageStream, MxEvent

MOST_WAITING = 100_000
_BATCH = 1_000
_PATIENCE = 1.0


async def print_events(
    stream: "MessageStream[MxEvent]", endpoint: str, report: Report, max_events: int | None, duration: float | None
) -> None:
    """Prints events until there were `max_events`, `duration` seconds have passed, or nobody reads any more.

    Raises the stream's error, and MxGatewaySessionError when the gateway ends the stream.
    """
    printed = 0
    async with Printer(report) as printer, stream:
        try:
            async with asyncio.timeout(duration):
                async for event in stream:
                    if report.reader_gone:
                        return
                    printer.put(event)
                    printed += 1
                    if printed == max_events:
                        return
        except TimeoutError:
            return
    raise stream_ended(endpoint)


def stream_ended(endpoint: str) -> MxGatewaySessionError:
    """The error for a stream that the gateway ended without saying why."""
    return MxGatewaySessionError(
        f"{endpoint} ended the event stream, as it does when the session is closed",
        endpoint=endpoint,
        call="stream_events",
    )


class Printer:
    """Prints events from a thread of its own, in order.

    A reader that pauses (``| less``) must not stop the stream being read: the gateway would fault the session.
    """

    def __init__(self, report: Report, most_waiting: int = MOST_WAITING) -> None:
        self._report = report
        self._most_waiting = most_waiting
        self._waiting: queue.Queue[MxEvent | None] = queue.Queue()
        self._error: Exception | None = None
        self._done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._print, name="printer", daemon=True)

    def put(self, event: "MxEvent") -> None:
        """Takes an event; raises ExpectationNotMet when the reader is too far behind, and what printing raised."""
        if self._error is not None:
            raise self._error
        if self._waiting.qsize() >= self._most_waiting:
            raise ExpectationNotMet(f"the reader of the output is {self._most_waiting} events behind")
        self._waiting.put(event)

    def _print(self) -> None:
        try:
            while self._print_some():
                pass
        except Exception as error:
            self._error = error
        finally:
            # Closed: the command has ended without waiting for this.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._done.set)

    def _print_some(self) -> bool:
        """Waits for an event and prints it with those that came meanwhile; False at the end."""
        events = [self._waiting.get()]
        while len(events) < _BATCH and not self._waiting.empty():
            events.append(self._waiting.get())
        self._report.lines([self._rendered(event) for event in events if event is not None])
        return events[-1] is not None

    def _rendered(self, event: "MxEvent") -> str:
        return json_line(event_form(event)) if self._report.json else safe(event_text(event))

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: object, traceback: object) -> None:
        """Waits until all is printed; when interrupted, no longer than a moment."""
        self._waiting.put(None)
        try:
            async with asyncio.timeout(_PATIENCE if exc_type is asyncio.CancelledError else None):
                await self._done.wait()
        except (TimeoutError, asyncio.CancelledError) as error:
            self._report.reader_stuck = True
            if isinstance(error, asyncio.CancelledError):
                raise
        if exc_type is None and self._error is not None:
            raise self._error
