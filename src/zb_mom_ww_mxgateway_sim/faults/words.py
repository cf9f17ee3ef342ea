"""The words of a line of a fault file, each with its place."""

import re
from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.runtime.errors import LineError

# A remark does not begin in a text in quotes, and a quote in the middle of a word is one like any other character.
_WORD = re.compile(r"\S+")
_QUOTED = re.compile(r'(?<!\S)"(?:[^"]|"")*"(?!\S)')
_REMARK = re.compile(rf"{_QUOTED.pattern}|(?<!\S)#")


def _without_remark(line: str) -> str:
    for found in _REMARK.finditer(line):
        if found[0] == "#":
            return line[: found.start()].rstrip()
    return line.rstrip()


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a fault, and its ``file:line:column``."""

    text: str
    where: str


class Words:
    """The words of a line up to a remark, each with its column from 1."""

    def __init__(self, line: str, place: str) -> None:
        """``place`` comes before the column of an argument: ``file:line:``."""
        self._line = _without_remark(line)
        self._place = place
        self._end = 0
        self.column: int = 1
        self.word: str = ""
        self.next()

    def next(self) -> None:
        """Go to the next word; the word is empty at the end."""
        found = _WORD.search(self._line, self._end)
        self.word = found[0] if found else ""
        self._end = found.end() if found else len(self._line)
        self.column = found.start() + 1 if found else len(self._line) + 1

    def take(self, wanted: str) -> tuple[str, int]:
        """Return this word and its column, and go to the next. Raise LineError if there is none."""
        if not self.word:
            raise LineError(self.column, f"{wanted} is missing")
        word, column = self.word, self.column
        self.next()
        return word, column

    def argument(self, wanted: str) -> Argument:
        """Return this word, or the text in quotes that begins here, and go to the next. Raise LineError."""
        where = f"{self._place}{self.column}"
        if not self.word.startswith('"'):
            return Argument(self.take(wanted)[0], where)
        found = _QUOTED.match(self._line, self.column - 1)
        if found is None:
            raise LineError(self.column, f'{self.word} has no closing quote; a quote in a text is ""')
        self._end = found.end()
        self.next()
        return Argument(found[0][1:-1].replace('""', '"'), where)

    def rest(self) -> str:
        """Return the rest of the line."""
        text = self._line[self.column - 1 :]
        while self.word:
            self.next()
        return text
