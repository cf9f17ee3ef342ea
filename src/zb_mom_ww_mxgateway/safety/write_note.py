"""What a caller says about the writes that it makes: it travels with the task, not with the message."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.globs import TagGlob


class WriteNote(NamedTuple):
    """What is said about the writes of one block."""

    reason: str = ""
    """Why they are made; empty for the reason of the arming, if any."""
    expected: Mapping[str, Any] = MappingProxyType({})
    """By key of a tag (``tag_key``): the value that it must still have, good and not stale, when the write is sent."""
    reverts: bool = False
    """Whether they put back what a timed write changed. The desk lets through only what is waiting to be put back."""
    expects_refusal: bool = False
    """Whether the plant is to refuse them: whether somebody has to sign is left to it, too."""
    command: str = ""
    """The line that makes them, for the journal."""
    declared: "Sequence[TagGlob] | None" = None
    """What the file that makes them declares to write: nothing else is let through. Empty for a file without a
    declaration: it writes only where everything is open. None for what no file makes."""
    agreed_under: object = None
    """The rules under which a person agreed to them beforehand; None for none."""
    agreed_to: str = "the whole file"
    """What that person agreed to, for the journal."""


_note: ContextVar[WriteNote] = ContextVar("write_note", default=WriteNote())  # noqa: B039  # it is frozen


def current_note() -> WriteNote:
    """Return what was said about the writes of this task."""
    return _note.get()


@contextmanager
def given(**said: Any) -> Iterator[None]:
    """Within the block: say this about each write, in addition to what was said around it.

    The keywords are the fields of :class:`WriteNote`.
    """
    before = _note.set(_note.get()._replace(**said))
    try:
        yield
    finally:
        _note.reset(before)
