"""Lines of one journal on their way to the disk: drafts get their place in the chain under the lock."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.safety.journal_chain import Head, JournalLine, new_line
from zb_mom_ww_mxgateway.safety.journal_files import JournalFiles, torn_hash

Outcome = JournalLine | Exception | None
Fields = Mapping[str, Any]


class Draft(NamedTuple):
    """A line without its place in the chain."""

    kind: str
    """Empty for a mark in the queue, which only wants to know that all before it was tried."""
    fields: Fields | Callable[[Head], Fields]
    """In their JSON form; or what makes it from the head before the line."""
    at: str
    monotonic: float
    done: Callable[[Outcome], None] | None = None
    """Takes the line or the failure. None for a posted line, which is tried again after a failure."""
    is_dispensable: bool = False
    """Whether nothing is lost that matters without it."""


class JournalWriter:
    """Writes drafts in the order given. All of it runs in one thread."""

    def __init__(self, files: JournalFiles, who: Fields, pid: int, frame: str) -> None:
        self._files, self._frame = files, frame
        self._same = {"frame": frame, "pid": pid, "who": who}
        self.unwritten: list[Draft] = []
        """Posted drafts that could not be written yet."""

    def write(
        self, drafts: Sequence[Draft], patience: float | None = None
    ) -> tuple[list[JournalLine], list[JournalLine]]:
        """Write drafts with one flush, behind those that could not be written before; raise OSError.

        It waits 10 s, or `patience`, for another process that writes.

        Return their lines, and the lines of other journals that were found.
        """
        waiting = [*self.unwritten, *drafts]
        self.unwritten = [draft for draft in waiting if draft.done is None]
        with self._files.locked(patience):
            found = self._files.catch_up()
            self._files.begin_next_if_full()
            if self._files.needs_first_line:
                first = waiting[0]
                waiting.insert(0, Draft("rotated", {"file_before": self._files.name_before}, first.at, first.monotonic))
            content, lines = self._chained(waiting)
            self._files.append(content, lines[-1].head)
            self.unwritten = []
            self._files.keep_head()
        foreign = [line for line in found if line.frame != self._frame]
        return lines[len(lines) - len(drafts) :], foreign

    def _chained(self, drafts: Sequence[Draft]) -> tuple[bytes, list[JournalLine]]:
        """Return the bytes of drafts behind the present head, and their lines."""
        head, content, lines = self._files.head, b"", list[JournalLine]()
        marks: dict[str, Any] = {"head_missing": True} if self._files.head_missing else {}
        if torn := self._files.torn():
            marks |= {"after_torn": True, "torn": torn_hash(torn)}
        for draft in drafts:
            fields = draft.fields(head) if callable(draft.fields) else draft.fields
            known = {"at": draft.at, "kind": draft.kind, "monotonic": draft.monotonic}
            place = {"number": head.count + 1, "previous": head.hash}
            text, line = new_line({**fields, **self._same, **known, **place, **marks})
            content += text
            lines.append(line)
            head, marks = line.head, {}
        return content, lines
