"""Records the events of a session to a file without ever holding them up."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway_cli.commands.streaming import StreamWriter
from zb_mom_ww_mxgateway_console.recordings.event_samples import lost_in
from zb_mom_ww_mxgateway_console.recordings.recording_file import RecordingFile
from zb_mom_ww_mxgateway_console.recordings.row_text import Key, Row, mark_row, rows_of
from zb_mom_ww_mxgateway_console.render.forms import ExpectationNotMet, counted
from zb_mom_ww_mxgateway_console.render.report import Report

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import MessageStream

MOST_WAITING = 500_000
"""Events that wait for a slow disk; more are dropped, and a row of the file says so."""

Entry: TypeAlias = MxEvent | Row


class EventRecorder(StreamWriter[Entry]):
    """Writes events as rows of a recording, and counts them."""

    def __init__(
        self,
        report: Report,
        path: Path,
        file: RecordingFile,
        tag_of: Callable[[Key], str],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        super().__init__(report, "recorder", most_waiting, patience=None)
        self.end = "stopped"
        """Why it ends, for its last row."""
        self._path = path
        self._file = file
        self._tag_of = tag_of
        self._samples = self._gaps = self._lost = self._dropped = 0
        # Since there was room for the last event.
        self._dropped_now = 0
        self._is_counted = True

    def take(self, event: MxEvent) -> None:
        """Queue an event; count it as dropped where too many wait. Raise ExpectationNotMet if the file has failed."""
        if self._dropped_now and self._waiting.qsize() < self._most_waiting:
            self._waiting.put(self._dropped_row())
        if (gap := event.replay_gap) is not None:
            lost = lost_in(gap)
            self._gaps += 1
            self._lost += lost or 0
            self._is_counted &= lost is not None
        self.put(event)

    def _refuse(self, message: Entry) -> None:
        self._dropped += 1
        self._dropped_now += 1

    def _dropped_row(self) -> Row:
        count, self._dropped_now = self._dropped_now, 0
        return mark_row("dropped", time.time(), f"GAP {count} events came faster than they could be kept here", count)

    def begin(self, session_id: str, endpoint: str) -> None:
        """Queue the first row."""
        self._waiting.put(mark_row("start", time.time(), f"recording the events of {session_id} of {endpoint}"))

    def _write(self, messages: list[Entry]) -> None:
        rows = list(rows_of(messages, self._tag_of))
        self._attempt(lambda: self._file.put(rows))
        self._samples += sum(row[0] == "sample" for row in rows)

    def _end(self) -> None:
        rows = [self._dropped_row()] if self._dropped_now else []
        rows.append(mark_row("stop", time.time(), f"{self.end}: {self.text}"))
        self._attempt(lambda: self._file.put(rows))
        self._attempt(self._file.finish)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self._file.close()
            remains = self._file.remains
            why = f"{error.strerror or error}{f'; {remains}' if remains else ''}"
            raise ExpectationNotMet(f"cannot write {self._path}: {why}") from error

    @property
    def form(self) -> dict[str, Any]:
        """What was recorded, as JSON; `lost` is a lower bound unless `lost_is_known`."""
        return {
            "dropped": self._dropped,
            "file": str(self._path),
            "gaps": self._gaps,
            "lost": self._lost + self._dropped,
            "lost_is_known": self._is_counted,
            "samples": self._samples,
        }

    @property
    def text(self) -> str:
        """What was recorded, for a person."""
        lost = self._lost + self._dropped
        known = f", {lost} known to be lost" if lost else ""
        return f"{counted(self._samples, 'sample')}{known}{'' if self._is_counted else ', more may be lost'}"


async def record_stream(
    stream: "MessageStream[MxEvent]",
    recorder: EventRecorder,
    ended: Exception,
    most: int | None,
    duration: float | None,
) -> None:
    """Record events until there were `most`, or `duration` seconds have passed.

    Raise the stream's error, `ended` if the gateway ends the stream, and ExpectationNotMet if the file cannot be
    written. The file is complete in every case.
    """
    taken = 0
    async with recorder, stream:
        try:
            async with asyncio.timeout(duration):
                async for event in stream:
                    recorder.take(event)
                    taken += 1
                    if taken == most:
                        return
        except TimeoutError:
            return
        except asyncio.CancelledError:
            recorder.end = "interrupted"
            raise
        except Exception as error:
            recorder.end = str(error)
            raise
        recorder.end = str(ended)
    raise ended
