"""Loads command files: statements, included files, and the lines after ``finally``."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.command_traits import FileRole
from zb_mom_ww_mxgateway_shell.language.given_names import GivenName, NameAndValue
from zb_mom_ww_mxgateway_shell.language.parser import assign
from zb_mom_ww_mxgateway_shell.language.tokens import Token, has_words, split
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.process.stdin import StandardInput
from zb_mom_ww_mxgateway_shell.scripts.blocks import (
    HEAD,
    Block as Block,
    LintFinding as LintFinding,
    Source as Source,
    changes_subject as changes_subject,
    file_role as file_role,
    is_arranging as is_arranging,
    is_structure as is_structure,
)
from zb_mom_ww_mxgateway_shell.scripts.included_names import IncludedNames

_DEEPEST = 50
"""How deep files may include each other."""
_MOST_INCLUDES, _MOST_INCLUDED_LINES = 10_000, 100_000
"""Limits of everything that a file includes, directly or not: files that include each other would never end."""
_COMMANDS = all_commands().commands


def read(path: str, *, waits: bool = True) -> tuple[Block, list[LintFinding]]:
    """Read a command file and all it includes; return it with the mistakes in its structure.

    Raise ShellError if it cannot be read. With `waits` it may be a pipe, such as <(…) in a shell.
    """
    try:
        return _Reader().file(Path(path).read_bytes() if waits else read_bytes(Path(path)), path, (path,))
    except OSError as error:
        raise ShellError(f"cannot read {path}: {error.strerror}") from error


def given(lines: Iterable[str]) -> tuple[Block, list[LintFinding]]:
    """Return the lines of ``-e`` options, numbered from 1, with the mistakes in their structure."""
    return _Reader().block([Statement(line, number) for number, line in enumerate(lines, start=1)], ())


def read_standard_input() -> tuple[Block, list[LintFinding]]:
    """Read all of standard input as a file; raise ShellError if it is not text."""
    return _Reader().file(sys.stdin.buffer.read(), "<stdin>", ())


def nothing_in(block: Block, name: str) -> list[LintFinding]:
    """Return the finding for a file without a statement to run: it would pass whatever the plant does."""
    if not all(map(is_structure, block.statements())):
        return []
    return [
        LintFinding(
            Statement("", 1, name), ShellError("there is no statement: nothing would run, and nothing would be proved")
        )
    ]


def streamed(source: str | None) -> Block:
    """Return the lines of standard input as they come; `source` is None if a person types them."""
    return Block(stream=_Streamed(source))


class _Streamed:
    """Lines of standard input. A line that is not text raises ShellError, and the next one still comes."""

    def __init__(self, source: str | None) -> None:
        self._source = source
        self._standard_input = StandardInput()
        self._number = 0

    def __aiter__(self) -> "_Streamed":
        return self

    async def __anext__(self) -> Statement:
        self._number += 1
        try:
            line = await self._standard_input.text()
        except UnicodeDecodeError:
            raise ShellError(f"<stdin>:{self._number}: not text") from None
        if line is None:
            raise StopAsyncIteration
        return Statement(line.removeprefix("\ufeff").rstrip("\r\n"), self._number, self._source)


def _numbered(content: bytes, name: str) -> list[Statement]:
    try:
        text = decoded(content)
    except TextFileError as error:
        raise ShellError(error.at(name)) from None
    return [Statement(line.rstrip("\r"), number, name) for number, line in enumerate(text.split("\n"), start=1)]


class _Around(NamedTuple):
    """What is around the lines of a file: the files that include it, and what they give it."""

    files: tuple[str, ...] = ()
    names: IncludedNames = IncludedNames()
    origin: str = ""


class _Include(NamedTuple):
    """The words of an include."""

    file: Token
    given: Sequence[GivenName]
    rows: Token | None


class _Reader:
    """Builds blocks; collects mistakes instead of stopping at them."""

    def __init__(self) -> None:
        self._findings: list[LintFinding] = []
        self._includes = 0
        self._included_lines = 0
        self._contents: dict[str, bytes] = {}
        self._sources: list[Source] = []

    def file(self, content: bytes, name: str, files: tuple[str, ...]) -> tuple[Block, list[LintFinding]]:
        """Return a block of the lines of a file, with all findings."""
        self._note(content, name)
        return self.block(_numbered(content, name), files)

    def block(self, statements: Iterable[Statement], files: tuple[str, ...]) -> tuple[Block, list[LintFinding]]:
        """Return a block of these statements, with all findings."""
        block = self._block(statements, _Around(files))
        block.sources = self._sources
        return block, self._findings

    def _block(self, statements: Iterable[Statement], around: _Around) -> Block:
        block = Block()
        into, ends_at, left_at = block.body, None, None
        is_head = True
        for statement in statements:
            if not has_words(statement.text):
                continue
            role = file_role(statement)
            if left_at is not None and role is not FileRole.FINALLY:
                self._find(statement, f"never runs: line {left_at.line} is exit", is_warning=True)
                left_at = None
            if role in HEAD and not is_head:
                self._find(statement, f"{statement.command} belongs before the other lines of its file")
            is_head = is_head and role in (*HEAD, FileRole.INCLUDE)
            match role:
                case FileRole.INCLUDE:
                    into.extend(self._included(statement, around))
                    continue
                case FileRole.FINALLY if ends_at is not None:
                    self._find(statement, f"everything from line {ends_at.line} on is the finally part already")
                case FileRole.FINALLY:
                    ends_at, left_at, into = statement, None, block.ending
                case FileRole.END if ends_at is None:
                    left_at = statement
            into.append(statement)
        if ends_at is not None and len(block.ending) == 1:
            self._find(ends_at, "nothing follows finally", is_warning=True)
        return block

    def _included(self, statement: Statement, around: _Around) -> "list[Statement] | list[Block]":
        """Return the blocks that an include stands for, one for each row; or the include itself if it is wrong."""
        include = _include(statement)
        if include is None:
            return [statement]  # Lint reports what is wrong with its words.
        path = self._path(statement, include.file, around)
        content = self._read(statement, include.file, path) if path else None
        if content is None:
            return [statement]
        if any(_is_same(path, each) for each in around.files):
            return self._wrong(statement, include.file, f"{path} includes itself")
        try:
            lines = _numbered(content, path)
        except ShellError as error:
            return self._wrong(statement, include.file, str(error))
        words = {each.name: each for each in include.given}
        if include.rows is None:
            origin = f"{statement.source}:{statement.line}" if words and statement.source else ""
            return [self._once(statement, lines, path, around, origin, IncludedNames(around.names, words))]
        rows_path = self._path(statement, include.rows, around)
        rows_content = self._read(statement, include.rows, rows_path) if rows_path else None
        if rows_content is None:
            return [statement]
        from zb_mom_ww_mxgateway_shell.scripts.rows import Rows  # Lazy: most files include no rows.

        rows = Rows(rows_content, rows_path)
        self._findings += [LintFinding(*each) for each in rows.mistakes]
        for twice in words.keys() & rows.columns.keys():
            return self._wrong(statement, words[twice].word, f"{twice} is a column of {rows_path}, too")
        blocks = []
        for row in rows.rows:
            origin = f"row {row.line} of {rows_path}"
            block = self._once(statement, lines, path, around, origin, IncludedNames(around.names, words, row))
            block.columns = rows.columns
            blocks.append(block)
        return blocks or [statement]

    def _once(
        self,
        statement: Statement,
        lines: Sequence[Statement],
        path: str,
        around: _Around,
        origin: str,
        names: IncludedNames,
    ) -> Block:
        """Return the lines of a file, included once, with these names."""
        self._bound(statement, len(around.files), len(lines))
        origin = ", ".join(filter(None, (around.origin, origin)))
        inside = _Around((*around.files, path), names, origin)
        block = self._block((line._replace(origin=origin, given=names.values) for line in lines), inside)
        block.head = statement._replace(origin=origin) if names.row is not None else statement
        block.path, block.names = path, names
        return block

    def _path(self, statement: Statement, word: Token, around: _Around) -> str:
        """Return the path of a file that an include names, from the folder of its own file; empty if it is wrong."""
        if "$" in word.text:
            self._wrong(statement, word, "include takes a file's own name, without $")
            return ""
        folder = os.path.dirname(around.files[-1]) if around.files else ""  # noqa: PTH120  # Path would normalise it
        return os.path.join(folder, word.value)  # noqa: PTH118  # Path would normalise it

    def _read(self, statement: Statement, word: Token, path: str) -> bytes | None:
        """Return the content of a file, the same each time; None if it cannot be read."""
        if path not in self._contents:
            try:
                content = read_bytes(Path(path))
            except OSError as error:
                self._wrong(statement, word, f"cannot read {path}: {error.strerror}")
                return None
            self._contents[path] = content
            self._note(content, path)
        return self._contents[path]

    def _note(self, content: bytes, name: str) -> None:
        self._sources.append(Source.of(content, name))

    def _wrong(self, statement: Statement, word: Token, message: str) -> list[Statement]:
        self._findings.append(LintFinding(statement, word.mistake(message)))
        return [statement]

    def _bound(self, statement: Statement, depth: int, lines: int) -> None:
        """Raise ShellError if files include each other without end, or nearly so."""
        self._includes += 1
        self._included_lines += lines
        why = ""
        if depth >= _DEEPEST:
            why = f"files include each other more than {_DEEPEST} deep"
        elif self._includes > _MOST_INCLUDES:
            why = f"more than {_MOST_INCLUDES} files are included, one by another"
        elif self._included_lines > _MOST_INCLUDED_LINES:
            why = f"the included files have more than {_MOST_INCLUDED_LINES} lines together"
        if why:
            where = f"{statement.place}: " if statement.source else ""
            raise ShellError(f"{where}{why}: look at what this include leads to")

    def _find(self, statement: Statement, message: str, *, is_warning: bool = False) -> None:
        start = len(statement.text) - len(statement.text.lstrip())
        problem = InputError(message, start, len(statement.text.rstrip()))
        self._findings.append(LintFinding(statement, problem, is_warning))


def _include(statement: Statement) -> _Include | None:
    """Return the words of an include; None if one is wrong or missing."""
    given: list[GivenName] = []
    file = rows = None
    try:
        assigned, mistake = assign(_COMMANDS[statement.command], split(statement.text), statement.text)
        for parameter, word in assigned:
            if word is not None and isinstance(parameter.kind, NameAndValue):
                given.append(GivenName.of(word))
            elif parameter.is_option:
                rows = word
            else:
                file = word
    except InputError:
        return None
    return None if mistake or file is None else _Include(file, given, rows)


def _is_same(path: str, other: str) -> bool:
    return os.path.abspath(path) == os.path.abspath(other)  # noqa: PTH100  # resolve() follows links
