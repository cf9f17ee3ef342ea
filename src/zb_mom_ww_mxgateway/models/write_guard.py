"""The write guard, asked before every call that changes the plant."""

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.times import exact_time

UNNAMED_ALARM = "an alarm without a reference"
"""The alarm of a pending acknowledgement that names none."""

_NAMED = 3


class _CutText(reprlib.Repr):
    """Cuts long values; a part of a secret would not be recognized later, so texts are redacted before."""

    def repr_str(self, x: str, level: int) -> str:
        return super().repr_str(redact(x), level)


_shown = _CutText()
_shown.maxstring = _shown.maxother = 80


def _clean(text: str) -> str:
    """Return the text on one line, without control characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


@dataclass(frozen=True, slots=True)
class SparseArray:
    """An array that a pending write sets by some of its elements, all of which are here.

    The other elements get the default of their type: their values are lost.
    """

    total_length: int
    """Length of the array after the write."""
    elements: tuple[tuple[int, Any], ...]
    """Index (from 0) and value of each element, in the order in which they are sent."""

    def __str__(self) -> str:
        return self._text(", ".join(f"{index}: {value!r}" for index, value in self.elements))

    def in_short(self) -> str:
        """Return the text, shortened to one line of a screen."""
        return self._text(_shown.repr1(dict(self.elements), 1)[1:-1])

    def _text(self, elements: str) -> str:
        count = len(self.elements)
        named = f"{count} element{'s' * (count != 1)}"
        return f"an array of {self.total_length} with {named} set: {{{elements}}}"


class PendingEntry(NamedTuple):
    """One item or alarm that a pending call would change."""

    server_handle: int = 0
    item_handle: int = 0
    tag: str = ""
    """Empty if this client does not know the item."""
    value: Any = None
    timestamp: Any = None
    """Source time that is written with the value; None without one."""
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
            value = _short_text(self.value)
            text = f"{value} to {f'{self.tag} ({item})' if self.tag else item}"
            if self.timestamp is not None:
                at = self.timestamp
                text += f" at {_time_text(at) if isinstance(at, datetime) else _shown.repr(at)}"
        return _clean(text)


def _time_text(at: datetime) -> str:
    return at.isoformat() if at.tzinfo is None else exact_time(at)


def _short_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.in_short() if isinstance(value, SparseArray) else _shown.repr(value)


class PendingWrite(NamedTuple):
    """A call that would change the plant, not sent yet."""

    call: str
    """The RPC or command kind: ``write``, ``write_secured_bulk``, ``acknowledge_alarm`` …"""
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


class WriteAnswer(NamedTuple):
    """How the call of a pending write ended. It says nothing of the completion, which comes later as an event."""

    outcome: Literal["accepted", "refused", "unknown", "not sent"]
    """For a call with several entries the gravest of theirs: *unknown* before *refused* before *accepted*."""
    reason: str = ""
    """Why it is not accepted."""
    refused: tuple[bool, ...] = ()
    """For a call with several entries, whether each was refused, in input order; empty where the answer does not
    tell."""


class Admission(ABC):
    """A call that a guard has allowed, until its end. A guard that follows its calls returns one in place of True."""

    @abstractmethod
    def refusal(self) -> str:
        """Return why the call must not be sent after all; empty where it may.

        Called once in the moment of sending: nothing is awaited between this and the send.
        """

    @abstractmethod
    def answered(self, answer: WriteAnswer) -> None:
        """Take how the call ended. Called once, also for a call that was not sent after all."""

    def confirmed(self, outcomes: Sequence[Any]) -> None:  # noqa: B027  # not every guard waits for completions
        """Take the outcome of each entry (``WriteResult``), where the caller waited for its completion."""


class WriteGuard(Protocol):
    """An async function that allows or refuses a call that changes the plant."""

    def __call__(self, pending: PendingWrite, /) -> Awaitable[bool | str | Admission]:
        """Return True or an Admission to allow the call, and False or the reason as text to refuse it.

        Any other result, and an exception, refuses too. A guard may await the answer of a person.
        """
        ...
