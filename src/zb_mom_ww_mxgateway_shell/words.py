"""Splitting a line into words, each with its place."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from zb_mom_ww_mxgateway_shell.problems import Mistake

# An IPv6 address with a port, which is no array.
_ADDRESS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]:")
# What bytes that are no UTF-8 are read as: nothing that could be sent, or written to a file.
_NO_CHARACTER = re.compile("[\ud800-\udfff]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line."""

    text: str
    """As typed, or with the values of its ``$names`` in their place."""
    start: int
    end: int
    is_expanded: bool = False
    """True when the text is not what stands in the line: every place in it is the place of the word."""

    @property
    def is_quoted(self) -> bool:
        return self.text[:1] in ('"', "'")

    @property
    def is_array(self) -> bool:
        return self.text.startswith("[") and not _ADDRESS.match(self.text)

    @property
    def value(self) -> str:
        """Without quotes and escapes; the bare text otherwise."""
        return unquoted(self) if self.is_quoted else self.text

    def mistake(self, message: str, hint: Callable[[], str] | None = None) -> Mistake:
        """An error that points at this word; `hint` gives the end of its message when it is read."""
        return Mistake(message, self.start, self.end, hint)

    def after(self, count: int) -> "Word":
        """The rest of the word behind its first `count` characters."""
        return self.part(count, len(self.text))

    def part(self, first: int, end: int) -> "Word":
        """The characters from `first` to before `end`, as a word of their own."""
        if self.is_expanded:
            return Word(self.text[first:end], self.start, self.end, True)
        return Word(self.text[first:end], self.start + first, self.start + end)


def split(line: str) -> list[Word]:
    """The words of a line: bare, quoted, or ``[arrays]``; ``#`` at the start of a word begins a comment."""
    words = []
    position = 0
    while position < len(line):
        if line[position].isspace():
            position += 1
        elif line[position] == "#":
            break
        else:
            end = _end_of_word(line, position)
            if found := _NO_CHARACTER.search(line, position, end):
                raise Mistake("what was typed here is no character in UTF-8", found.start(), found.end())
            words.append(Word(line[position:end], position, end))
            position = end
    return words


def elements(array: Word) -> list[Word]:
    """The elements of an array word ``[1, "a, b", 3]``."""
    line, position, stop = array.text, 1, len(array.text) - 1
    found: list[Word] = []
    while True:
        while position < stop and line[position].isspace():
            position += 1
        if position >= stop and not found:
            return found
        end = position
        while end < stop and line[end] != ",":
            end = _end_of_quoted(line, end) if line[end] in "\"'" else end + 1
        text = line[position:end].rstrip()
        if not text:
            raise array.part(position, position + 1).mistake("an element is missing here")
        found.append(array.part(position, position + len(text)))
        if end >= stop:
            return found
        position = end + 1


def unquoted(word: Word) -> str:
    """The text between the quotes. Double quotes know escapes: ``\\n \\t \\r \\" \\\\ \\$``."""
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
        if end < len(line) and not line[end].isspace():
            raise Mistake("a space is missing after the closing quote", end, end + 1)
        return end
    if line[start] == "[" and not _ADDRESS.match(line, start):
        return _end_of_array(line, start)
    end = start
    while end < len(line) and not line[end].isspace():
        if line[end - 1] == ":" and end > start and line[end] in "\"'[":
            return _end_of_word(line, end)
        end += 1
    return end


def _end_of_quoted(line: str, start: int) -> int:
    quote, position = line[start], start + 1
    while position < len(line):
        if line[position] == "\\" and quote == '"':
            position += 1
        elif line[position] == quote:
            return position + 1
        position += 1
    raise Mistake(f"the closing {quote} is missing", start, len(line))


def _end_of_array(line: str, start: int) -> int:
    position = start + 1
    while position < len(line):
        if line[position] in "\"'":
            position = _end_of_quoted(line, position)
        elif line[position] == "]":
            if position + 1 < len(line) and not line[position + 1].isspace():
                raise Mistake("a space is missing after the closing ]", position + 1, position + 2)
            return position + 1
        else:
            position += 1
    raise Mistake("the closing ] is missing", start, len(line))
