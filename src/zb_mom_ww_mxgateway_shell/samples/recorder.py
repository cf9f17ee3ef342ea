"""Recording of every sample of a session to a file: what is missing is a row too.

The event loop only collects. A thread forms and writes the rows, so that a slow disk blocks nothing.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.recordings.columns import Format
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.recordings.opening import open_recording
from zb_mom_ww_mxgateway_console.recordings.recording_file import RecordingFile
from zb_mom_ww_mxgateway_console.recordings.row_text import Row, held_row, mark_row, rows_of, wall_clock_ahead
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.samples.sample_stream import Key, SampleMark, SampleStream

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession

WAITING = 500_000
"""Events that wait for a slow disk; more are dropped, and a row of the file says so."""
_FLUSH_SECONDS = 0.1
# Seconds an event waits for the name of its item; after that the name will not come.
_NAME_SECONDS = 2.0


class RunningRecording:
    """One file being written. :meth:`start` makes it; :meth:`stop` or an error ends it."""

    def __init__(self, live: "LiveSession", path: Path, file: RecordingFile, tags: Collection[Item]) -> None:
        self.path = path
        self.tags = [item.tag for item in tags]
        """The recorded items; empty for all."""
        self.samples = 0
        """Number of value rows written."""
        self.lost = 0
        """Number of events known to be missing; a lower bound unless `lost_is_known`."""
        self._has_uncounted_gap = False
        self._all_known_before = live.lost_is_known
        # Since the stream or the session was lost, until it is live again.
        self._is_broken = False
        self.problem = ""
        """Why it ended by itself; empty where it did not."""
        self.has_failed = False
        """Whether it ended because its file could not be written."""
        self._live = live
        self._file = file
        self._only = {item.key for item in tags}
        self._names: dict[Key, str] = {item.key: item.tag for item in tags}
        # Events of an item without a name yet, and all after them; and since when they wait.
        self._held: list[MxEvent | SampleMark] = []
        self._held_since = 0.0
        # Events to be written by a thread: after a cancel, those that no thread has taken.
        self._due: list[MxEvent | SampleMark] = []
        self._stream = SampleStream(live, [item.key for item in tags] or None, queue_size=WAITING)
        self._first = self._start_rows()
        # A thread that is not waited for any more, and what is written in its place.
        self._writing = threading.Lock()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        live: "LiveSession",
        path: Path,
        form: Format,
        items: Collection[Item],
        *,
        append: bool,
        raw: bool = False,
        alert: Callable[[str], None],
    ) -> "RunningRecording":
        """Open the file and record from now on; call `alert` when that ends by itself. Other arguments and errors as of
        :func:`open_recording`. A cancel leaves no file open, and no new file without `append`."""
        work = partial(open_recording, path, form, append=append, raw=raw)
        opening = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            file = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread opens it in spite of the cancel.
            opening.add_done_callback(_discard)
            raise
        made = cls(live, path, file, items)
        made._task = asyncio.create_task(made._run(alert), name=f"recording {path}")
        return made

    @property
    def lost_is_known(self) -> bool:
        """Whether `lost` is the number of all missing events; otherwise more are missing, or may be."""
        # The session counts a gap by the next event, where that tells.
        is_counted = not self._has_uncounted_gap or (self._all_known_before and self._live.lost_is_known)
        return is_counted and not self._is_broken

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Write what has arrived and close the file. Idempotent."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self, alert: Callable[[str], None]) -> None:
        end = "stopped"
        try:
            try:
                await asyncio.to_thread(self._write)
                is_last = False
                while not is_last and end == "stopped":
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_FLUSH_SECONDS):
                            await self._stop.wait()
                    # Before the events are taken: more may arrive while they are written.
                    is_last = self._stop.is_set()
                    entries = self._named(self._stream.take())
                    if entries:
                        self._due = entries
                        await asyncio.to_thread(self._write)
                    if _says_the_end(entries):
                        end = self.problem = "the session ended"
                if self._held:
                    self._due, self._held = self._held, []
                    await asyncio.to_thread(self._write)
                await asyncio.to_thread(self._finish, end)
            except asyncio.CancelledError:
                # Nothing is waited for any more: write the rest at once.
                self._write([*self._held, *self._stream.take()])
                self._finish("interrupted", waits=False)
                raise
        except OSError as error:
            self.problem = self._ended_by(error.strerror or str(error))
        except MxGatewayError as error:
            self.problem = self._ended_by(str(error))
        except Exception as error:
            self.problem = self._ended_by(f"internal error, please report it: {error!r}")
        finally:
            await self._stream.aclose()
            self._file.close()
        self.has_failed = end == "stopped" and bool(self.problem)
        if self.problem:
            alert(f"RECORDING {self.path} ENDED after {counted(self.samples, 'sample')}: {self.problem}")

    def _ended_by(self, problem: str) -> str:
        remains = self._file.remains
        return f"{problem}; {remains}" if remains else problem

    def _start_rows(self) -> list[Row]:
        what = counted(len(self.tags), "tag") if self.tags else "everything that is advised"
        rows = [mark_row("start", time.time(), f"recording {what} of {self._live.session.endpoint}")]
        for item in self._live.session.handles.items.values():
            value = self._live.latest(*item.key)
            if value is not None and (not self._only or item.key in self._only):
                rows.append(held_row(item.tag, item.key, value))
        return rows

    def _named(self, entries: list[MxEvent | SampleMark]) -> list[MxEvent | SampleMark]:
        """Learn the names of items, and return the events that can be written now.

        The first event of an item may arrive before the reply that names the item: it waits for the reply.
        """
        items, names = self._live.session.handles.items, self._names
        entries = [*self._held, *entries]
        self._held = []
        for key in {(e.server_handle, e.item_handle) for e in entries if isinstance(e, MxEvent)}:
            if (item := items.get(key)) is not None:
                names[key] = item.tag
        nameless = [
            (number, key)
            for number, entry in enumerate(entries)
            if isinstance(entry, MxEvent) and (key := (entry.server_handle, entry.item_handle)) not in names
        ]
        if not nameless:
            self._held_since = 0.0
            return entries
        now = clock.monotonic()
        self._held_since = self._held_since or now
        if now - self._held_since > _NAME_SECONDS or _says_the_end(entries):
            # Without a name for now; a later one may be found.
            names |= {key: "" for _, key in nameless}
            self._held_since = 0.0
            return entries
        first = nameless[0][0]
        self._held = entries[first:]
        return entries[:first]

    # In a thread.

    def _write(self, more: Collection[MxEvent | SampleMark] = ()) -> None:
        """Write what is due and what arrives meanwhile; nothing once the file has ended."""
        with self._writing:
            if self._file.is_closed:
                return
            entries, self._due = [*self._due, *more], []
            first, self._first = self._first, []
            ahead = wall_clock_ahead()
            events_and_rows = (_mark_row(each, ahead) if isinstance(each, SampleMark) else each for each in entries)
            rows = list(rows_of(events_and_rows, lambda key: self._names.get(key, "")))
            self._file.put([*first, *rows])
            self.samples += sum(row[0] in ("sample", "read") for row in rows)
            for entry in entries:
                if isinstance(entry, SampleMark):
                    self._count(entry)

    def _count(self, mark: SampleMark) -> None:
        self.lost += mark.lost or 0
        self._has_uncounted_gap |= mark.kind == "gap" and mark.lost is None
        if mark.key is None and mark.kind in ("stale", "live"):
            self._is_broken = mark.kind == "stale"

    def _finish(self, end: str, *, waits: bool = True) -> None:
        """Write the last row and finish the file; without `waits` leave undone what may take long."""
        with self._writing:
            if self._file.is_closed:
                return
            lost = f", {self.lost} known to be lost" if self.lost else ""
            lost += "" if self.lost_is_known else ", more may be lost"
            self._file.put([mark_row("stop", time.time(), f"{end}: {counted(self.samples, 'sample')}{lost}")])
            if waits:
                self._file.finish()
            else:
                self._file.close()


def _mark_row(mark: SampleMark, ahead: float) -> Row:
    """Return the row of a mark; `ahead` from monotonic seconds to those of the wall clock."""
    return mark_row(mark.kind, mark.at + ahead, mark.text, mark.lost, mark.tag, mark.key)


def _discard(opened: asyncio.Future[RecordingFile]) -> None:
    """Close a file whose opening was cancelled, and remove it if it was made for that."""
    if not opened.cancelled() and not opened.exception():
        opened.result().discard()


def _says_the_end(entries: Iterable[MxEvent | SampleMark]) -> bool:
    """Return whether the session has ended."""
    return any(isinstance(entry, SampleMark) and entry.kind == "closed" for entry in entries)
