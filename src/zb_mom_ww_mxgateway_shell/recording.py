"""Recording every sample of a session to a file, without loss: what is missing is a row too.

The loop only collects; forming rows and writing them is a thread's work, so that a slow disk holds nobody up.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from zb_mom_ww_mxgateway.events import MxEvent
from zb_mom_ww_mxgateway.handles import Item
from zb_mom_ww_mxgateway_shell.counting import counted
from zb_mom_ww_mxgateway_shell.problems import ShellError
from zb_mom_ww_mxgateway_shell.rows import Format, Row, heading, held_row, mark_row, rows_of, text_of
from zb_mom_ww_mxgateway_shell.tap import Key, Mark, Tap

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession

WAITING = 500_000
"""Events that wait for a disk that does not take them; more are dropped, which is a row of the file."""
_FLUSH_SECONDS = 0.1


class Recording:
    """One file that is being written. Made by :meth:`start`, ended by :meth:`stop` or by what goes wrong."""

    def __init__(self, live: "LiveSession", path: Path, form: Format, file: TextIO, tags: Collection[Item]) -> None:
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
        self._names: dict[Key, str] = {item.key: item.tag for item in tags}
        self._tap = Tap(live, [item.key for item in tags] or None, queue_size=WAITING)
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
        alert: Callable[[str], None],
    ) -> "Recording":
        """Opens the file and records from now on; `alert` is told when that ends by itself.

        Raises ShellError when the file cannot be written, and for one that is there unless `append`.
        """
        try:
            file = await asyncio.to_thread(path.open, "a" if append else "x", encoding="utf-8", newline="")
        except FileExistsError:
            raise ShellError(f"{path} is there already: --append adds to it, another name keeps it") from None
        except OSError as error:
            raise ShellError(f"cannot write {path}: {error.strerror or error}") from error
        made = cls(live, path, form, file, items)
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
                await asyncio.to_thread(self._begin)
                while not self._stop.is_set() and end == "stopped":
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_FLUSH_SECONDS):
                            await self._stop.wait()
                    entries = self._tap.take()
                    if entries:
                        await asyncio.to_thread(self._write, entries)
                    if any(isinstance(entry, Mark) and entry.kind == "closed" for entry in entries):
                        end = self.problem = "the session ended"
                await asyncio.to_thread(self._finish, end)
            except asyncio.CancelledError:
                # Nobody waits any more: what there is goes to the file at once.
                self._write(self._tap.take())
                self._finish("interrupted")
                raise
        except OSError as error:
            self.problem = error.strerror or str(error)
        except Exception as error:
            self.problem = f"internal error, please report it: {error!r}"
        finally:
            await self._tap.aclose()
            with suppress(OSError):
                self._file.close()
        if self.problem:
            alert(f"RECORDING {self.path} ENDED after {counted(self.samples, 'sample')}: {self.problem}")

    def _start_rows(self) -> list[Row]:
        what = counted(len(self.tags), "tag") if self.tags else "everything that is advised"
        rows = [mark_row("start", time.time(), f"recording {what} of {self._live.session.client.options.endpoint}")]
        for item in self._live.session.handles.items.values():
            value = self._live.latest(*item.key)
            if value is not None and (not self.tags or item.key in self._names):
                rows.append(held_row(item.tag, item.key, value))
        return rows

    # In a thread.

    def _begin(self) -> None:
        with self._writing:
            if self._file.tell() == 0:
                self._file.write(heading(self._form))
            self._put(self._first)

    def _write(self, entries: list[MxEvent | Mark]) -> None:
        with self._writing:
            rows = list(rows_of(entries, self._tag_of))
            self._put(rows)
            self.samples += sum(row[0] in ("sample", "read") for row in rows)
            self.lost += sum(entry.lost or 0 for entry in entries if isinstance(entry, Mark))

    def _finish(self, end: str) -> None:
        lost = f", {self.lost} known to be lost" if self.lost else ""
        with self._writing:
            self._put([mark_row("stop", time.time(), f"{end}: {counted(self.samples, 'sample')}{lost}")])
            self._file.close()

    def _put(self, rows: Iterable[Row]) -> None:
        self._file.write(text_of(rows, self._form))
        self._file.flush()

    def _tag_of(self, key: Key) -> str:
        name = self._names.get(key)
        if name is None:
            item = self._live.session.handles.items.get(key)
            name = self._names[key] = item.tag if item else ""
        return name
