"""Splitting of a line into tokens with their places: the one reader of lines, values, arrays and typed literals.

Nothing is guessed or left out: an open quote or bracket, text right after a closing one, and curly quotes from an
editor are mistakes with their place.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from zb_mom_ww_mxgateway_console.text.text_files import CURLY, LINE_END, describe_curly, describe_line_end
from zb_mom_ww_mxgateway_shell.errors import NO_PROGRAMS, InputError

# An IPv6 address with a port is not an array.
_ADDRESS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]:")
# The beginning of a JSON object. Other words that begin with a brace are bare.
_OBJECT = re.compile(r"\{[ \t]*[\"}]")
# What is before a quoted value in a word such as title="fill the tank".
_NAME_OF_VALUE = re.compile(r"[A-Za-z0-9_]+=(?=[\"'\[])")
# How Python reads bytes that are not UTF-8: such text can be neither sent nor written to a file.
_NO_CHARACTER = "[\ud800-\udfff]"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


class Token(NamedTuple):
    """One word of a line."""

    text: str
    """As typed, or with the values of its ``$names`` inserted."""
    start: int
    end: int
    is_expanded: bool = False
    """Whether the text differs from the line, so that every place in it is the place of the whole word."""
    is_text: bool = False
    """Whether a bare word is a text that was read or made rather than typed: it is not a name."""

    @property
    def is_quoted(self) -> bool:
        return self.text[:1] in ('"', "'")

    @property
    def is_array(self) -> bool:
        return self.text.startswith("[") and not _ADDRESS.match(self.text)

    @property
    def value(self) -> str:
        """Its text without quotes and escapes."""
        return unquoted(self) if self.is_quoted else self.text

    def mistake(self, message: str, hint: Callable[[], str] | None = None) -> InputError:
        """Return an error that points at this word; `hint` gives the end of its message when it is shown."""
        return InputError(message, self.start, self.end, hint)

    def after(self, count: int) -> "Token":
        """Return the word without its first `count` characters."""
        return self.part(count, len(self.text))

    def part(self, first: int, end: int) -> "Token":
        """Return the characters from `first` to before `end` as a word."""
        if self.is_expanded:
            return Token(self.text[first:end], self.start, self.end, True)
        return Token(self.text[first:end], self.start + first, self.start + end)


def split(line: str) -> list[Token]:
    """Return the words of a line: bare, quoted, ``[arrays]`` or ``{"json": "objects"}``; ``#`` begins a comment.

    A comment begins at the start of a word.

    Raises InputError for more than one line, for an incomplete word, and for a line that would start a program.
    """
    line = line.rstrip()
    if (start := line.lstrip()).startswith("!") and not start.startswith("!="):
        raise InputError(NO_PROGRAMS, line.index("!"), len(line))
    words = []
    position = 0
    while position < len(line):
        if line[position].isspace():
            _refuse_line_end(line, position, position + 1)
            position += 1
        elif line[position] == "#":
            # Some editors end the line there, and with it the comment.
            _refuse_line_end(line, position, len(line))
            break
        else:
            end = _end_of_word(line, position)
            if not line.isascii() and (found := re.compile(_NO_CHARACTER).search(line, position, end)):
                raise InputError("this is not a UTF-8 character", found.start(), found.end())
            words.append(Token(line[position:end], position, end))
            position = end
    return words


def has_words(line: str) -> bool:
    """Return whether a line contains more than a comment; a mistake counts, and :func:`split` raises it."""
    text = line.strip()
    return bool(text) and (text[0] != "#" or LINE_END.search(text) is not None)


def elements(array: Token) -> list[Token]:
    """Return the elements of an array word ``[1, "a, b", 3]``; raise InputError for what is not an element."""
    try:
        end, places = _array(array.text, 0)
    except InputError as error:
        raise array.part(error.start, error.end).mistake(error.message) from None
    if end != len(array.text):
        raise array.part(end, len(array.text)).mistake("a space is missing after the closing ]")
    return [array.part(*place) for place in places]


def unquoted(word: Token) -> str:
    """The text between the quotes. Double quotes know escapes: ``\\n \\t \\r \\" \\\\ \\$``."""
    if _end_of_quoted(word.text, 0) != len(word.text):
        raise word.mistake("a space is missing after the closing quote")
    inner = word.text[1:-1]
    if word.text[0] == "'":
        return inner
    result, position = [], 0
    while position < len(inner):
        character = inner[position]
        if character == "\\":
            position += 1
            if inner[position] not in _ESCAPES:
                raise word.part(position, position + 2).mistake(
                    f'unknown escape \\{inner[position]}: one of \\n \\t \\r \\" \\\\ \\$ expected'
                )
            character = _ESCAPES[inner[position]]
        result.append(character)
        position += 1
    return "".join(result)


def _end_of_word(line: str, start: int) -> int:
    if line[start] in "\"'":
        end = _end_of_quoted(line, start)
        _refuse_behind(line, end, "quote")
        return end
    if line[start] == "[" and not _ADDRESS.match(line, start):
        end, _ = _array(line, start)
        _refuse_behind(line, end, "]")
        return end
    if _OBJECT.match(line, start):
        end = _end_of_object(line, start)
        _refuse_behind(line, end, "}")
        return end
    if named := _NAME_OF_VALUE.match(line, start):
        return _end_of_word(line, named.end())
    end = start
    while end < len(line) and not line[end].isspace():
        if line[end - 1] == ":" and end > start and line[end] in "\"'[" and not _ADDRESS.match(line, end):
            return _end_of_word(line, end)
        _refuse_curly(line, end)
        end += 1
    return end


def _refuse_behind(line: str, end: int, what: str) -> None:
    if end < len(line) and not line[end].isspace():
        raise InputError(f"a space is missing after the closing {what}", end, end + 1)


def _refuse_curly(line: str, place: int) -> None:
    if CURLY.match(line, place):
        raise InputError(describe_curly(line[place]), place, place + 1)


def _refuse_line_end(line: str, start: int, end: int) -> None:
    if found := LINE_END.search(line, start, end):
        raise InputError(describe_line_end(found[0]), *found.span())


def _end_of_quoted(line: str, start: int) -> int:
    quote, position = line[start], start + 1
    while position < len(line):
        if line[position] == "\\" and quote == '"':
            position += 1
        elif line[position] == quote:
            return position + 1
        position += 1
    raise InputError(f"the closing {quote} is missing", start, len(line))


def _array(line: str, start: int) -> tuple[int, list[tuple[int, int]]]:
    """Return the end of the array that begins at `start`, and the places of its elements."""
    places: list[tuple[int, int]] = []
    position = _past_blanks(line, start + 1)
    if line[position : position + 1] == "]":
        return position + 1, places
    while position < len(line):
        end = _end_of_element(line, position)
        places.append((position, end))
        position = _past_blanks(line, end)
        if position >= len(line):
            break
        if line[position] == "]":
            return position + 1, places
        if line[position] != ",":
            raise InputError("a comma is missing here; text with blanks is put in quotes", position, position + 1)
        position = _past_blanks(line, position + 1)
    raise InputError("the closing ] is missing", start, len(line))


def _end_of_object(line: str, start: int) -> int:
    """Return where the JSON object that begins at `start` ends; what is in it is for whoever reads it."""
    depth, position = 0, start
    while position < len(line):
        character = line[position]
        if character == '"':
            position = _end_of_quoted(line, position)
            continue
        _refuse_line_end(line, position, position + 1)
        depth += (character == "{") - (character == "}")
        position += 1
        if depth == 0:
            return position
    raise InputError("the closing } is missing", start, len(line))


def _end_of_element(line: str, start: int) -> int:
    if line[start] in ",]":
        raise InputError("an element is missing here", start, start + 1)
    if line[start] in "\"'":
        return _end_of_quoted(line, start)
    end = start
    while end < len(line) and line[end] not in ",]" and not line[end].isspace():
        _refuse_curly(line, end)
        if line[end] in "\"'[":
            raise InputError(f"{line[end]} within a bare element: put the whole element in quotes", end, end + 1)
        end += 1
    return end


def _past_blanks(line: str, position: int) -> int:
    while position < len(line) and line[position].isspace():
        _refuse_line_end(line, position, position + 1)
        position += 1
    return position
