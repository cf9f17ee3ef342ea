"""Loads command files: statements, included files, and the lines after ``finally``."""

import os
import sys
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.command_traits import FileRole
from zb_mom_ww_mxgateway_shell.language.tokens import Token, has_words, split
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.process.stdin import StandardInput

_DEEPEST = 50
"""How deep files may include each other."""
_MOST_INCLUDES, _MOST_INCLUDED_LINES = 1_000, 100_000
"""Limits of everything that a file includes, directly or not: files that include each other would never end."""
_STRUCTURE = (FileRole.INCLUDE, FileRole.FINALLY, FileRole.POLICY, FileRole.DECLARATION)
"""Roles of lines that only arrange other lines."""
_COMMANDS = all_commands().commands


def file_role(statement: Statement) -> FileRole | None:
    """Return how a line arranges the lines of its file; None if it does not."""
    command = _COMMANDS.get(statement.command)
    return None if command is None else command.traits.file_role


def is_arranging(statement: Statement) -> bool:
    """Return whether a line only arranges the other lines of its file, and does not run."""
    return file_role(statement) in (FileRole.INCLUDE, FileRole.FINALLY, FileRole.DECLARATION)


def changes_subject(statement: Statement) -> bool:
    """Return whether the lines after this one are about another connection or object."""
    command = _COMMANDS.get(statement.command)
    return command is not None and command.traits.changes_subject is not None


class LintFinding(NamedTuple):
    """A mistake or warning about a statement, found before anything runs."""

    statement: Statement
    problem: ShellError
    is_warning: bool = False
    """True if it is allowed, and probably not intended."""
    is_consent: bool = False
    """True if it is about what may be written here, and not about the line itself."""


@dataclass(slots=True)
class Block:
    """The statements of a file, or of lines given instead of a file."""

    head: Statement | None = None
    """The ``include`` statement that produced this block, if any."""
    body: "list[Statement | Block]" = field(default_factory=list)
    ending: "list[Statement | Block]" = field(default_factory=list)
    """The lines after ``finally``."""
    stream: AsyncIterator[Statement] | None = None
    """Statements that come one by one, instead of a body."""

    def statements(self) -> Iterator[Statement]:
        """Yield all statements, in the order of the lines."""
        if self.head is not None:
            yield self.head
        for item in (*self.body, *self.ending):
            if isinstance(item, Block):
                yield from item.statements()
            else:
                yield item

    def declarations(self) -> Iterator[tuple[Statement, Token, TagGlob]]:
        """Yield the globs that the statements declare to be written, each with its place."""
        for statement in self.statements():
            if file_role(statement) is not FileRole.DECLARATION:
                continue
            # Lint reports what is wrong with its words.
            with suppress(InputError):
                for word in split(statement.text)[2:]:
                    with suppress(MxGatewayArgumentError):
                        yield statement, word, TagGlob(word.value)

    def leave_out(self, statements: Collection[Statement]) -> None:
        """Remove these statements, also from included files."""
        for part in (self.body, self.ending):
            part[:] = [item for item in part if not any(item is each for each in statements)]
            for item in part:
                if isinstance(item, Block):
                    item.leave_out(statements)


def read(path: str) -> tuple[Block, list[LintFinding]]:
    """Read a command file and all it includes; return it with the mistakes in its structure.

    Raise ShellError if it cannot be read.
    """
    try:
        # A run may read a pipe, such as <(…) in a shell, and waits for it.
        return _Reader().block(_numbered(Path(path).read_bytes(), path), (path,))
    except OSError as error:
        raise ShellError(f"cannot read {path}: {error.strerror}") from error


def given(lines: Iterable[str]) -> tuple[Block, list[LintFinding]]:
    """Return the lines of ``-e`` options, numbered from 1, with the mistakes in their structure."""
    return _Reader().block([Statement(line, number) for number, line in enumerate(lines, start=1)], ())


def read_standard_input() -> tuple[Block, list[LintFinding]]:
    """Read all of standard input as a file; raise ShellError if it is not text."""
    return _Reader().block(_numbered(sys.stdin.buffer.read(), "<stdin>"), ())


def nothing_in(block: Block, name: str) -> list[LintFinding]:
    """Return the finding for a file without a statement to run: it would pass whatever the plant does."""
    if any(file_role(each) not in _STRUCTURE for each in block.statements()):
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
        raise ShellError(f"{name}:{error.line}:{error.column}: {error}") from None
    return [Statement(line.rstrip("\r"), number, name) for number, line in enumerate(text.split("\n"), start=1)]


class _Reader:
    """Builds blocks; collects mistakes instead of stopping at them."""

    def __init__(self) -> None:
        self._findings: list[LintFinding] = []
        self._includes = 0
        self._included_lines = 0

    def block(self, statements: Iterable[Statement], inside: tuple[str, ...]) -> tuple[Block, list[LintFinding]]:
        """Return a block of these statements, with all findings; `inside` are the files that include it."""
        return self._block(statements, inside), self._findings

    def _block(self, statements: Iterable[Statement], inside: tuple[str, ...]) -> Block:
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
            if role is FileRole.DECLARATION and not is_head:
                self._find(statement, f"{statement.command} belongs before the other lines of its file")
            is_head = is_head and role in (FileRole.DECLARATION, FileRole.INCLUDE)
            match role:
                case FileRole.INCLUDE:
                    into.append(self._included(statement, inside))
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

    def _included(self, statement: Statement, inside: tuple[str, ...]) -> "Statement | Block":
        try:
            words = split(statement.text)
        except InputError:
            return statement  # Lint reports what is wrong with its words.
        if len(words) != 2:
            return statement
        name = words[1]
        if "$" in name.text:
            self._findings.append(LintFinding(statement, name.mistake("include takes a file's own name, without $")))
            return statement
        folder = os.path.dirname(inside[-1]) if inside else ""  # noqa: PTH120  # Path would normalise it
        path = os.path.join(folder, name.value)  # noqa: PTH118  # Path would normalise it
        if any(os.path.abspath(path) == os.path.abspath(each) for each in inside):  # noqa: PTH100  # resolve() follows links
            self._findings.append(LintFinding(statement, name.mistake(f"{path} includes itself")))
            return statement
        try:
            lines = _numbered(read_bytes(Path(path)), path)
        except (OSError, ShellError) as error:
            why = f"cannot read {path}: {error.strerror}" if isinstance(error, OSError) else str(error)
            self._findings.append(LintFinding(statement, name.mistake(why)))
            return statement
        self._bound(statement, len(inside), len(lines))
        block = self._block(lines, (*inside, path))
        block.head = statement
        return block

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
            where = f"{statement.source}:{statement.line}: " if statement.source else ""
            raise ShellError(f"{where}{why}: look at what this include leads to")

    def _find(self, statement: Statement, message: str, *, is_warning: bool = False) -> None:
        start = len(statement.text) - len(statement.text.lstrip())
        problem = InputError(message, start, len(statement.text.rstrip()))
        self._findings.append(LintFinding(statement, problem, is_warning))
