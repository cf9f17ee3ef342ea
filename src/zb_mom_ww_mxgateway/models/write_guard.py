"""The write guard: asked before every call that changes the plant, whichever way it is made."""

import reprlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_NAMED = 3
_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = 80


def _clean(text: str) -> str:
    """On one line, without control characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


@dataclass(frozen=True, slots=True)
class SparseArray:
    """An array that is about to be written by some of its elements: all of them are here.

    The others get the type's default: what they hold is lost.
    """

    total_length: int
    """How long the array becomes."""
    elements: tuple[tuple[int, Any], ...]
    """Indexes from 0, and values, in the order they are sent."""

    def __str__(self) -> str:
        return self._said(", ".join(f"{index}: {value!r}" for index, value in self.elements))

    def in_short(self) -> str:
        """On one line of a person's screen; what does not fit is left out."""
        return self._said(_shown.repr1(dict(self.elements), 1)[1:-1])

    def _said(self, elements: str) -> str:
        return f"an array of {self.total_length} with {len(self.elements)} elements set: {{{elements}}}"


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """One thing that is about to be changed."""

    server_handle: int = 0
    item_handle: int = 0
    tag: str = ""
    """Empty where this client does not know the item."""
    value: Any = None
    timestamp: Any = None
    """The source time that is written with the value, where one is."""
    user_id: int = 0
    verifier_user_id: int = 0
    alarm: str = ""
    """For an acknowledgement: the alarm's reference, name or GUID."""
    comment: str = ""
    operator: str = ""

    def __str__(self) -> str:
        if self.alarm:
            text = self.alarm + (f" with the comment {_shown.repr(self.comment)}" if self.comment else "")
        else:
            item = f"item {self.item_handle} on server {self.server_handle}"
            value = _in_short(self.value)
            text = f"{value} to {f'{self.tag} ({item})' if self.tag else item}"
            if self.timestamp is not None:
                at = self.timestamp
                text += f" at {at.isoformat() if isinstance(at, datetime) else _shown.repr(at)}"
        return _clean(text)


def _in_short(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.in_short() if isinstance(value, SparseArray) else _shown.repr(value)


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A call that is about to change the plant."""

    call: str
    """The rpc or command kind: ``write``, ``write_secured_bulk``, ``acknowledge_alarm`` …"""
    endpoint: str
    session_id: str
    """Empty for a call without a session."""
    correlation_id: str
    entries: tuple[PendingEntry, ...]

    def __str__(self) -> str:
        named = ", ".join(str(entry) for entry in self.entries[:_NAMED])
        more = len(self.entries) - _NAMED
        return f"{_clean(self.call)} of {named or 'nothing that can be named'}" + (
            f" and {more} more" if more > 0 else ""
        )


WriteGuard = Callable[[PendingWrite], Awaitable[bool | str]]
"""Allows with True. Refuses with False, or with the reason as text; anything else, and an exception, refuses too.
To ask a person back, it awaits the answer before it gives its own."""
