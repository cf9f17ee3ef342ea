"""The files that the lines of a run read: their names and digests, for its record."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway_shell.state.run_entries import RUN_FILE, RunEntries


class Source(NamedTuple):
    """A file that was read."""

    name: str
    sha256: str
    size: int
    """In bytes."""

    @classmethod
    def of(cls, content: bytes, name: str) -> "Source":
        """Return a file with this content."""
        return cls(name, hashlib.sha256(content).hexdigest(), len(content))

    def form(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {"name": self.name, "sha256": self.sha256, "bytes": self.size}


class FilesRead:
    """The files that lines read, each with its newest content."""

    def __init__(self) -> None:
        self._by_name: dict[str, Source] = {}

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_name.values())

    def know(self, files: Iterable[Source]) -> None:
        """Take these as told: only another content of them is told again."""
        self._by_name |= {each.name: each for each in files}

    def note(self, content: bytes, name: str, record: RunEntries | None) -> None:
        """Keep that a line read a file; tell the record if it does not have it with this content."""
        source = Source.of(content, name)
        if self._by_name.get(name) != source:
            self._by_name[name] = source
            if record is not None:
                record.add({"command": RUN_FILE, **source.form()})
