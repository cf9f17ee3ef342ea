"""Recording every sample of a session to a file, without loss: what is missing is a row too.

The loop only collects; forming rows and writing them is a thread's work, so that a slow disk holds nobody up.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.samples.record_format import Format, Row, held_row, mark_row, rows_of, text_of
from zb_mom_ww_mxgateway_shell.samples.recording_files import continue_, create
from zb_mom_ww_mxgateway_shell.samples.sample_stream import Key, SampleMark, SampleStream

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession

WAITING = 500_000
"""Events that wait for a disk that does not take them; more are dropped, which is a row of the file."""
_FLUSH_SECONDS = 0.1
# So long an event waits for the name of its item; longer, and nobody will say it.
_NAME_SECONDS = 2.0


class Recording:
    """One file that is being written. Made by :meth:`start`, ended by :meth:`stop` or by what goes wrong."""

    def __init__(
        self, live: "LiveSession", path: Path, form: Format, file: TextIO, tags: Collection[Item], *, raw: bool
    ) -> None:
        self.path = path
        self.tags = [item.tag for item in tags]
        """What is recorded; empty for everything that comes."""
        self.samples = 0
        """Rows with values that have been written."""
        self.lost = 0
        """Events that are known to be missing."""
        self.problem = ""
        """Why it ended before it was told to, if so."""
        self._live = live
        self._form = form
        self._file = file
        self._raw = raw
        self._only = {item.key for item in tags}
        self._names: dict[Key, str] = {item.key: item.tag for item in tags}
        # What has come for an item before its name was known, and all behind that; since when it waits.
        self._held: list[MxEvent | SampleMark] = []
        self._held_since = 0.0
        # What a thread takes to write it: a cancel finds here what no thread has taken.
        self._due: list[MxEvent | SampleMark] = []
        self._stream = SampleStream(live, [item.key for item in tags] or None, queue_size=WAITING)
        self._first = self._start_rows()
        # Of a thread that nobody waits for any more, and of what is written in its stead.
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
    ) -> "Recording":
        """Opens the file and records from now on; `alert` is told when that ends by itself; `raw` as in ``csv_record``.

        Raises ShellError when the file cannot be written, for one that is there unless `append`, and with that for one
        that is no recording of this form. A cancel leaves no file open, and none that was made anew without
        `append`.
        """
        work = partial(continue_, path, form, raw=raw) if append else partial(create, path, form)
        opening = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            file = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread opens it nevertheless.
            opening.add_done_callback(partial(_close_connection, path, is_new=not append))
            raise
        made = cls(live, path, form, file, items, raw=raw)
        made._task = asyncio.create_task(made._run(alert), name=f"recording {path}")
        return made

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Writes what has come and closes the file. Idempotent."""
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
                    # Asked before what has come is taken: more may come while that is written.
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
                # Nobody waits any more: what there is goes to the file at once.
                self._write([*self._held, *self._stream.take()])
                self._finish("interrupted")
                raise
        except OSError as error:
            self.problem = error.strerror or str(error)
        except Exception as error:
            self.problem = f"internal error, please report it: {error!r}"
        finally:
            await self._stream.aclose()
            with suppress(OSError):
                self._file.close()
        if self.problem:
            alert(f"RECORDING {self.path} ENDED after {counted(self.samples, 'sample')}: {self.problem}")

    def _start_rows(self) -> list[Row]:
        what = counted(len(self.tags), "tag") if self.tags else "everything that is advised"
        rows = [mark_row("start", time.time(), f"recording {what} of {self._live.session.endpoint}")]
        for item in self._live.session.handles.items.values():
            value = self._live.latest(*item.key)
            if value is not None and (not self._only or item.key in self._only):
                rows.append(held_row(item.tag, item.key, value))
        return rows

    def _named(self, entries: list[MxEvent | SampleMark]) -> list[MxEvent | SampleMark]:
        """Takes over the names of the items that have come, and gives what can be written now.

        The first event of an item may come before the answer that says which item that is: it waits for it.
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
            # Without a name, until there is one after all.
            names |= {key: "" for _, key in nameless}
            self._held_since = 0.0
            return entries
        first = nameless[0][0]
        self._held = entries[first:]
        return entries[:first]

    # In a thread.

    def _write(self, refined_by: Collection[MxEvent | SampleMark] = ()) -> None:
        """Writes what is due and what comes behind that; nothing once the file has its end."""
        with self._writing:
            if self._file.closed:
                return
            entries, self._due = [*self._due, *refined_by], []
            first, self._first = self._first, []
            rows = list(rows_of(entries, lambda key: self._names.get(key, "")))
            self._put([*first, *rows])
            self.samples += sum(row[0] in ("sample", "read") for row in rows)
            self.lost += sum(entry.lost or 0 for entry in entries if isinstance(entry, SampleMark))

    def _finish(self, end: str) -> None:
        with self._writing:
            if self._file.closed:
                return
            lost = f", {self.lost} known to be lost" if self.lost else ""
            self._put([mark_row("stop", time.time(), f"{end}: {counted(self.samples, 'sample')}{lost}")])
            self._file.close()

    def _put(self, rows: Iterable[Row]) -> None:
        self._file.write(text_of(rows, self._form, raw=self._raw))
        self._file.flush()


def _close_connection(path: Path, opened: asyncio.Future[TextIO], *, is_new: bool) -> None:
    """Closes a file that was opened for nobody, and takes it away where it was made for that."""
    if opened.cancelled() or opened.exception():
        return
    with suppress(OSError):
        opened.result().close()
    if is_new:
        with suppress(OSError):
            path.unlink()


def _says_the_end(entries: Iterable[MxEvent | SampleMark]) -> bool:
    """Whether the session has ended."""
    return any(isinstance(entry, SampleMark) and entry.kind == "closed" for entry in entries)
