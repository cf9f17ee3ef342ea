"""The journal of guarded actions: append-only lines in a chain, each on the disk before its action goes on.

One thread of its own writes the lines in the order in which they were given, and lines that wait at the same time share
one flush. Where the disk is quick and the thread has nothing to do, a line that is awaited is written by its caller: it
takes longer to wake a thread, and to be woken by it. A slow disk never holds up the event loop.
"""

import asyncio
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError
from zb_mom_ww_mxgateway.safety.journal_chain import RESERVED, Head, JournalError, JournalLine, time_text
from zb_mom_ww_mxgateway.safety.journal_files import JournalFiles
from zb_mom_ww_mxgateway.safety.journal_values import to_form
from zb_mom_ww_mxgateway.safety.journal_writer import Draft, Fields, JournalWriter, Outcome
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.system.state_dir import STATE_VARIABLE

_ROTATE_AT = 8 * 1024 * 1024
_FOREIGN_LINES = 1_000
_BRIEF_SECONDS = 0.25
"""Seconds that dispensable lines wait for another process that holds the journal."""
_AGAIN_SECONDS = 0.5
"""Seconds that later lines wait for one that has not let go of it: it may be stopped."""
_TELLS_AFTER = 1.0
"""Seconds after which it is told whom a line waits for."""
_QUICK_FLUSH = 0.002
"""Seconds that a flush took last, at most, where the caller makes the next one."""


class Journal:
    """The journal of one process in one folder, from its first line to :meth:`aclose`."""

    def __init__(self, folder: Path, head_folder: Path, who: Mapping[str, Any], *, rotate_at: int = _ROTATE_AT) -> None:
        """Write to `folder`, and keep the head apart in `head_folder`; make both when they are needed.

        `who` is in every line, together with user and host. A file of `rotate_at` bytes is followed by another one.
        """
        self.folder: Path = folder
        self.head_folder: Path = head_folder
        self.frame: str = os.urandom(8).hex()
        """In every line of this journal, and in no other's."""
        self.problem: JournalError | None = None
        """Why posted lines are not on the disk yet; None if all are. They are tried again with the next line."""
        self.tell_wait: Callable[[str], object] = lambda text: None
        """Called on the event loop where something waits for another process that holds the journal: with its words."""
        self._files = JournalFiles(folder, head_folder, rotate_at)
        about = to_form({"user": user_name(), "host": socket.gethostname()} | dict(who))
        self._writer = JournalWriter(self._files, about, os.getpid(), self.frame)
        self._queue: SimpleQueue[Draft | None] = SimpleQueue()
        # Drafts given to the thread, and those that it is done with: it is idle where these are equal.
        self._given = self._done = 0
        self._foreign: deque[JournalLine] = deque(maxlen=_FOREIGN_LINES)
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_locked_out = False
        """Whether another process held the journal for too long when it was last tried."""

    @property
    def head(self) -> Head:
        """The end of the journal, as far as this process has read and written it."""
        return self._files.head

    async def append(self, kind: str, fields: Mapping[str, Any]) -> JournalLine:
        """Write a line and return it when it is flushed to the disk.

        Raise JournalError if that fails: nothing may be sent then. If cancelled, the line may be written.
        """
        return await self._written(kind, _form_of(fields))

    async def append_about_head(self, kind: str, fields_of: Callable[[Head], Mapping[str, Any]]) -> JournalLine:
        """As :meth:`append`, with fields made from the head right before the line.

        `fields_of` runs in the journal's thread. An MxGatewayError of it is raised here.
        """
        return await self._written(kind, lambda head: _form_of(fields_of(head)))

    def post(self, kind: str, fields: Mapping[str, Any], *, is_dispensable: bool = False) -> None:
        """Queue a line behind those before it and return at once. It is written and flushed as soon as possible.

        A failure is in :attr:`problem`. The next line is not written before this one: it fails until both can be. A
        dispensable line waits for no other process: while one holds the journal, it waits for the next line.
        """
        self._put(kind, _form_of(fields), None, is_dispensable=is_dispensable)

    async def drained(self) -> None:
        """Wait until every line so far was tried: it is on the disk, or :attr:`problem` says why not."""
        if self._thread is not None and not self._is_closed:
            await self._tried("", {})

    async def aclose(self) -> Head:
        """Write what waits, end the thread and return the head; nothing can be written after it.

        Raise JournalError if posted lines are lost.
        """
        await self.drained()
        self._is_closed = True
        self._queue.put(None)
        if self.problem is not None:
            raise self.problem
        return self.head

    def foreign_lines(self) -> list[JournalLine]:
        """Return the lines of other journals that were found since the last call, oldest first.

        Every line that is written looks for them. The first look also finds those of the last two minutes.
        """
        found: list[JournalLine] = []
        while self._foreign:
            found.append(self._foreign.popleft())
        return found

    async def _written(self, kind: str, fields: Fields | Callable[[Head], Fields]) -> JournalLine:
        outcome = self._written_here(kind, fields) or await self._tried(kind, fields)
        if isinstance(outcome, JournalLine):
            return outcome
        assert outcome is not None, "a line is written or fails"
        raise outcome

    def _written_here(self, kind: str, fields: Fields | Callable[[Head], Fields]) -> JournalLine | None:
        """Write a line in this thread, and return it; None where that might wait, or fails: then nothing is written."""
        if self._is_closed or self._given != self._done or not self._files.last_flush <= _QUICK_FLUSH:
            return None
        before = self._files.head
        try:
            (line,), foreign = self._writer.write([_draft(kind, fields, lambda outcome: None)], patience=0.0)
        except Exception as error:
            if self._files.head != before:
                raise self._failure(error) from error  # The line is there, and what follows it failed.
            # The journal's thread tries it again, waits for the lock, and says what is wrong.
            return None
        self._foreign.extend(foreign)
        return line

    async def _tried(self, kind: str, fields: Fields | Callable[[Head], Fields]) -> Outcome:
        """Queue a draft and return its outcome."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()

        def settle(outcome: Outcome) -> None:
            if not future.done():
                future.set_result(outcome)

        def done(outcome: Outcome) -> None:
            with suppress(RuntimeError):  # The loop has been closed since.
                loop.call_soon_threadsafe(settle, outcome)

        self._put(kind, fields, done)
        while not (await asyncio.wait([future], timeout=_TELLS_AFTER))[0]:
            if not self._is_locked_out and (text := self._files.wait_text()):
                self.tell_wait(text)
                break
        return await future

    def _put(
        self,
        kind: str,
        fields: Fields | Callable[[Head], Fields],
        done: Callable[[Outcome], None] | None,
        *,
        is_dispensable: bool = False,
    ) -> None:
        if self._is_closed:
            raise JournalError("the journal of this session is closed: nothing can be recorded any more")
        if self._thread is None:
            # A daemon, so that a program that forgot to close it ends.
            self._thread = threading.Thread(target=self._work, name="mxgw-journal", daemon=True)
            self._thread.start()
        self._given += 1
        self._queue.put(_draft(kind, fields, done)._replace(is_dispensable=is_dispensable))

    def _work(self) -> None:
        is_open = True
        while is_open:
            taken = [self._queue.get()]
            with suppress(Empty):
                while True:
                    taken.append(self._queue.get_nowait())
            is_open = None not in taken
            if drafts := [draft for draft in taken if draft is not None]:
                self._try(drafts)
        self._files.close()

    def _try(self, drafts: list[Draft]) -> None:
        """Write drafts and tell those who wait; remember why posted ones failed."""
        marks, new = [draft for draft in drafts if not draft.kind], [draft for draft in drafts if draft.kind]
        outcomes: list[Outcome] = []
        if new or self._writer.unwritten:
            posted = [draft for draft in (*self._writer.unwritten, *new) if draft.done is None]
            matters = any(draft.done is not None for draft in new) or not all(each.is_dispensable for each in posted)
            try:
                lines, foreign = self._writer.write(new, self._patience(matters))
                outcomes, self.problem, self._is_locked_out = [*lines], None, False
                self._foreign.extend(foreign)
            except Exception as error:  # The thread outlives every failure: who waits is told of it.
                failure = error if isinstance(error, MxGatewayError) else self._failure(error)
                outcomes = [failure] * len(new)
                is_held = isinstance(error, TimeoutError)
                self._is_locked_out = is_held and matters
                is_lost = any(not (draft.is_dispensable and is_held) for draft in posted)
                self.problem = self._failure(error) if is_lost else None
        # From here on this thread has nothing in its hands: what is told below may lead to the next line.
        self._done += len(drafts)
        for draft, outcome in zip([*new, *marks], [*outcomes, *[None] * len(marks)], strict=True):
            if draft.done is not None:
                draft.done(outcome)

    def _patience(self, matters: bool) -> float | None:
        """Return how long lines wait for another process that holds the journal; None for as long as one may take."""
        if not matters:
            return _BRIEF_SECONDS
        return _AGAIN_SECONDS if self._is_locked_out else None

    def _failure(self, error: Exception) -> JournalError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        remedy = "end that process" if isinstance(error, TimeoutError) else "make room or access there"
        return JournalError(
            f"the journal in {self.folder} cannot be written: {reason}: nothing is sent without it; {remedy}, "
            f"or set {STATE_VARIABLE} to a folder that can be written"
        )


def _draft(kind: str, fields: Fields | Callable[[Head], Fields], done: Callable[[Outcome], None] | None) -> Draft:
    return Draft(kind, fields, time_text(datetime.now(UTC)), round(clock.monotonic(), 6), done)


def _form_of(fields: Mapping[str, Any]) -> Fields:
    if taken := RESERVED & fields.keys():
        raise MxGatewayArgumentError(f"journal: no field may be named {', '.join(sorted(taken))}")
    return {name: to_form(value) for name, value in fields.items()}


def user_name() -> str:
    """Return the name of the user whom the operating system knows, whatever the environment says."""
    if sys.platform == "win32":
        import getpass

        try:
            return os.getlogin()
        except OSError:  # As in a service.
            return getpass.getuser()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # As in some containers.
        return f"uid {os.getuid()}"
