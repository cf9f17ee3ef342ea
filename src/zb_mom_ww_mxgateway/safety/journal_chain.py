"""One line of the journal and its place in the chain: number, hash, and hash of the line before.

A line is one JSON object in the one canonical spelling: sorted keys, no spaces, ASCII. So any other byte anywhere is
another line, and its hash is wrong.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.redaction import may_hold_secret
from zb_mom_ww_mxgateway.safety.journal_values import from_form, redacted_form

NO_LINE = "0" * 64
"""The hash before the first line."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_HASH_DIGITS = frozenset("0123456789abcdef")


class JournalError(MxGatewayWriteBlockedError):
    """The journal cannot be written or read. What waited for its line was not sent."""


@dataclass(frozen=True, slots=True)
class Head:
    """End of a journal: how many lines there are, and the hash of the last."""

    count: int = 0
    hash: str = NO_LINE

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Return the head of ``COUNT:HASH``; raise MxGatewayArgumentError for another text."""
        count, _, digits = text.strip().partition(":")
        if not (
            count.isascii() and count.isdigit() and len(digits) == len(NO_LINE) and _HASH_DIGITS.issuperset(digits)
        ):
            raise MxGatewayArgumentError(
                f"head {text!r}: COUNT:HASH expected, as it was printed at the end of a session (64 digits of hash)"
            )
        if int(count) == 0 and digits != NO_LINE:
            raise MxGatewayArgumentError(f"head {text!r}: a journal without lines has the hash {NO_LINE}")
        return cls(int(count), digits)


def time_text(moment: datetime) -> str:
    """Return an aware time as a line has it: in UTC, and of a fixed length, so that texts compare as times do."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class JournalLine(NamedTuple):
    """One line of the journal."""

    number: int
    """Place in the chain; the first is 1."""
    at: str
    """Time of day, ISO 8601 in UTC, with microseconds."""
    monotonic: float
    """Seconds on the clock of that process, which no one sets."""
    who: Mapping[str, Any]
    """``user`` and ``host``, and what the program knows more."""
    pid: int
    frame: str
    """One journal of one process, from its first line to its last."""
    kind: str
    previous: str
    """Hash of the line before."""
    fields: Mapping[str, Any] = MappingProxyType({})
    """What the line is about, as values."""
    after_torn: bool = False
    """Whether bytes of an unfinished line are before it."""
    torn: str = ""
    """SHA-256 of those bytes."""
    head_missing: bool = False
    """Whether the head that is kept apart was missing when it was written."""
    hash: str = ""

    @property
    def head(self) -> Head:
        """The head of a journal that ends with this line."""
        return Head(self.number, self.hash)

    def follows(self, head: Head) -> bool:
        return self.number == head.count + 1 and self.previous == head.hash


RESERVED: frozenset[str] = frozenset(JournalLine._fields) - {"fields"}
"""Keys of a line that no field may have."""
_MARKS = {"after_torn": bool, "torn": str, "head_missing": bool}
_MADE = ("number", "at", "monotonic", "pid", "frame", "kind", "previous", "torn")
"""Fields that the journal makes itself, which no secret can be in."""
_ALWAYS = {
    "number": int,
    "at": str,
    "monotonic": float,
    "who": dict,
    "pid": int,
    "frame": str,
    "kind": str,
    "previous": str,
    "hash": str,
}


def new_line(form: Mapping[str, Any]) -> tuple[bytes, JournalLine]:
    """Return a line as bytes, with its end, and as it will be read, from its JSON form without a hash.

    Keys and passwords in it are redacted.
    """
    text, digest = _spelled(form)
    if may_hold_secret(text.decode("ascii")):
        form = {key: form[key] if key in _MADE else redacted_form(form[key], key) for key in form}
        text, digest = _spelled(form)
    return text, _line_of({**form, "hash": digest}, is_plain=b'"$' not in text)


def _spelled(form: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return a line with its end and its hash, and the hash."""
    # Spelled once: keys are sorted, so the hash has its place between two parts, each with keys that every line has.
    before = _canonical({key: value for key, value in form.items() if key < "hash"})[:-1]
    after = _canonical({key: value for key, value in form.items() if key > "hash"})[1:]
    digest = hashlib.sha256(before + b"," + after).hexdigest()
    return b'%s,"hash":"%s",%s\n' % (before, digest.encode("ascii"), after), digest


def _canonical(form: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(form).encode("ascii")


def parse_line(text: bytes) -> JournalLine:
    """Return the line of these bytes, which do not include its end.

    Raise ValueError, in words, for bytes that are not exactly what was written: it checks the spelling and the line's
    own hash, but not that it follows the line before.
    """
    try:
        return _parsed(text)
    except RecursionError:
        raise ValueError("it is nested deeper than any line") from None


def _parsed(text: bytes) -> JournalLine:
    try:
        form: Any = json.loads(text.decode("ascii"))
    except ValueError:
        raise ValueError("it is not JSON") from None
    if not isinstance(form, dict):
        raise ValueError("it is no JSON object")
    try:
        unhashed = _canonical({key: value for key, value in form.items() if key != "hash"})
        expected = _canonical(form)
    except ValueError:
        raise ValueError("it holds a number that is none") from None
    if form.get("hash") != hashlib.sha256(unhashed).hexdigest():
        raise ValueError("its content does not have its hash")
    if expected != text:
        raise ValueError("it is not spelled as it was written")
    missing = [key for key in _ALWAYS if key not in form]
    wrong = [key for key, type_ in (_ALWAYS | _MARKS).items() if key in form and type(form[key]) is not type_]
    if missing or wrong:
        raise ValueError(f"it is no line of a journal: {', '.join(missing or wrong)}")
    return _line_of(form)


def _line_of(form: Mapping[str, Any], *, is_plain: bool = False) -> JournalLine:
    """Return the line of a form; `is_plain` where each value of the form is its own."""
    known = {key: value for key, value in form.items() if key in RESERVED}
    fields = {key: value for key, value in form.items() if key not in RESERVED}
    return JournalLine(**known, fields=fields if is_plain else {key: from_form(each) for key, each in fields.items()})


def is_beginning(text: bytes) -> bool:
    """Whether bytes may be the beginning of a line whose writing was cut off, at the latest before its end."""
    try:
        shown = text.decode("ascii")
    except UnicodeDecodeError:
        return False
    if not (shown.startswith("{") and shown.isprintable()):
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(shown)
    except (ValueError, RecursionError):
        return True
    if end < len(shown):
        return False
    try:
        parse_line(text)
    except ValueError:
        return False
    return True
