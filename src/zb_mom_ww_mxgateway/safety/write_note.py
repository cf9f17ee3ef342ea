"""What a caller says about the writes that it makes: it travels with the task, not with the message."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteNote:
    """What is said about the writes of one block."""

    reason: str = ""
    """Why they are made; empty for the reason of the arming, if any."""
    expected: Mapping[str, Any] = field(default_factory=dict)
    """By key of a tag (``tag_key``): the value that it must still have, good and not stale, when the write is sent."""
    reverts: bool = False
    """Whether they put back what a timed write changed. The desk lets through only what is waiting to be put back."""
    expects_refusal: bool = False
    """Whether the plant is to refuse them: whether somebody has to sign is left to it, too."""
    command: str = ""
    """The line that makes them, for the journal."""


_note: ContextVar[WriteNote] = ContextVar("write_note", default=WriteNote())  # noqa: B039  # it is frozen


def current_note() -> WriteNote:
    """Return what was said about the writes of this task."""
    return _note.get()


@contextmanager
def given(**said: Any) -> Iterator[None]:
    """Within the block: say this about each write, in addition to what was said around it.

    The keywords are the fields of :class:`WriteNote`.
    """
    before = _note.set(replace(_note.get(), **said))
    try:
        yield
    finally:
        _note.reset(before)
