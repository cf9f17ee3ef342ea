"""TOML text: its content, and the line of every key, so that a mistake in a file is reported where it is."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

from zb_mom_ww_mxgateway.system.text_files import PlacedError

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the outermost table inwards; an array adds the index (from 0) of its element."""

_PLACE: Final = re.compile(r" *\(at (?:line (\d+), column (\d+)|end of document)\)")
_BLANK: Final = re.compile(r"[ \t]*")
_BETWEEN: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_VALUE: Final = re.compile(r"[^,\]}\n#]+")
_STRINGS: Final = (
    re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


class TomlError(PlacedError):
    """The text is no TOML; the message says why, in one line."""


def parse_toml(text: str, *, real: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return the content of a text, its reals made by `real`; raise TomlError with the place of the mistake."""
    import tomllib  # Lazy: it loads slowly, and most users have no such file.

    try:
        return tomllib.loads(text, parse_float=real)
    except RecursionError:
        raise TomlError("arrays and tables are nested too deeply", _longest_line(text), 1) from None
    except ValueError as error:  # A number of thousands of digits is no TOMLDecodeError.
        what = str(error)
        place = _PLACE.search(what)
        if place is None:
            line, column = _longest_line(text), 1
        elif place[1] is None:
            line, column = text.count("\n") + 1, 1
        else:
            line, column = int(place[1]), int(place[2])
        what = what[: place.start()] if place else what
        raise TomlError("".join(char if char.isprintable() else " " for char in what), line, column) from None


def _longest_line(text: str) -> int:
    """Return the line that is at fault where the parser names none: what it takes no more of is longest there."""
    lines = text.split("\n")
    return 1 + max(range(len(lines)), key=lambda number: len(lines[number]))


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of every table, key and element of a text that :func:`parse_toml` accepts.

    A table that only others imply has the line of the first of them. What comes after arrays in hundreds of arrays has
    none.
    """
    return _Lines(text).lines


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of a key; for one that is not there, that of the innermost table that is."""
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), 1)


class _Lines:
    """One walk through a text that is known to be right: only its structure is looked at."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._ends = [found.start() for found in re.finditer("\n", self._text)]
        self._at = 0
        self._counts: dict[KeyPath, int] = {}
        """Number of tables so far in each array of tables."""
        self.lines: dict[KeyPath, int] = {}
        with suppress(RecursionError):
            self._document()

    def _document(self) -> None:
        table: KeyPath = ()
        self._skip(_BETWEEN)
        while self._at < len(self._text):
            if self._next("["):
                table = self._heading()
            else:
                self._pair(table)
            self._skip(_BETWEEN)

    def _heading(self) -> KeyPath:
        is_element = self._text.startswith("[[", self._at)
        self._at += 1 + is_element
        start = self._at
        path: KeyPath = ()
        for key in self._keys():
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
            path = (*path, key)
            self._note(path, start)
        if is_element:
            number = self._counts[path] = self._counts.get(path, 0) + 1
            path = (*path, number - 1)
            self._note(path, start)
        self._at += 1 + is_element
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        start = self._at
        for key in self._keys():
            path = (*path, key)
            self._note(path, start)
        self._at += 1
        self._value(path)

    def _keys(self) -> Iterator[str]:
        """Yield the parts of a dotted key; go on to what comes after it."""
        while True:
            self._skip(_BLANK)
            if self._next('"') or self._next("'"):
                written = self._string()
                yield parse_toml(f"key = {written}")["key"]
            else:
                yield self._skip(_BARE_KEY)
            self._skip(_BLANK)
            if not self._next("."):
                return
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        if self._next('"') or self._next("'"):
            self._string()
        elif self._next("["):
            self._list(lambda number: self._element((*path, number)), "]")
        elif self._next("{"):
            self._list(lambda number: self._pair(path), "}")
        else:
            self._skip(_PLAIN_VALUE)

    def _list(self, take: Callable[[int], None], end: str) -> None:
        self._at += 1
        self._skip(_BETWEEN)
        number = 0
        while not self._next(end):
            take(number)
            number += 1
            self._skip(_BETWEEN)
            if self._next(","):
                self._at += 1
                self._skip(_BETWEEN)
        self._at += 1

    def _element(self, path: KeyPath) -> None:
        self._note(path, self._at)
        self._value(path)

    def _string(self) -> str:
        return next(found for each in _STRINGS if (found := self._skip(each)))

    def _next(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _skip(self, expression: re.Pattern[str]) -> str:
        found = expression.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _note(self, path: KeyPath, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self._ends, at) + 1)
