"""Blocks of a command file: its statements, those of the files that it includes, and the lines after ``finally``."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.command_traits import FileRole
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown, expanded
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.scripts.included_names import IncludedNames
from zb_mom_ww_mxgateway_shell.state.files_read import Source as Source

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.context import Context

HEAD = (FileRole.DECLARATION, FileRole.LIMIT)
"""Roles of lines that belong to the head of a file."""
_STRUCTURE = (FileRole.INCLUDE, FileRole.FINALLY, FileRole.POLICY, *HEAD)
"""Roles of lines that only arrange other lines."""
_COMMANDS = all_commands().commands


def file_role(statement: Statement) -> FileRole | None:
    """Return how a line arranges the lines of its file; None if it does not."""
    command = _COMMANDS.get(statement.command)
    return None if command is None else command.traits.file_role


def _declares(statement: Statement) -> str | None:
    command = _COMMANDS.get(statement.command)
    return None if command is None else command.traits.declares


def is_arranging(statement: Statement) -> bool:
    """Return whether a line only arranges the other lines of its file, and does not run."""
    return file_role(statement) in (FileRole.INCLUDE, FileRole.FINALLY, FileRole.DECLARATION)


def is_structure(statement: Statement) -> bool:
    """Return whether a line only arranges other lines."""
    return file_role(statement) in _STRUCTURE


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
    also: tuple[Statement, ...] = ()
    """Further statements with the same mistake: the same line of a file that is included more than once."""


@dataclass(slots=True)
class Block:
    """The statements of a file, or of lines given instead of a file."""

    head: Statement | None = None
    """The ``include`` statement that produced this block, if any."""
    body: "list[Statement | Block]" = field(default_factory=list)
    ending: "list[Statement | Block]" = field(default_factory=list)
    """The lines after ``finally``."""
    path: str = ""
    """The file that its include names; empty without an include."""
    names: IncludedNames = field(default_factory=IncludedNames)
    """What its include gives its lines."""
    columns: Mapping[str, tuple[Statement, InputError]] = field(default_factory=dict)
    """The place of each name that a column of its include gives, as an error without a message."""
    sources: list[Source] = field(default_factory=list)
    """The files that were read for it and for all that it includes."""
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
        """Yield the globs that the statements declare to be written, each once, with its first place."""
        seen: set[str] = set()
        for statement in self.statements():
            if _declares(statement) != "written":
                continue
            # Lint reports what is wrong with its words.
            with suppress(InputError):
                for word in split(statement.text)[2:]:
                    with suppress(MxGatewayArgumentError, ValueNotYetKnown):
                        glob = TagGlob(expanded(word, statement.given).value)
                        if glob.text not in seen:
                            seen.add(glob.text)
                            yield statement, word, glob

    def scoped(self, context: "Context") -> Iterator[tuple[Statement, InputError | None]]:
        """Yield all statements, each while the names that its includes give are set in the context; with the mistake
        in the names that an include gives."""
        yield from ((self.head, None),) if self.head is not None else ()
        with ExitStack() as scope:
            try:
                scope.enter_context(self.names.in_scope(context))
            except InputError as error:
                assert self.head is not None  # Without an include there are no such names.
                yield self.head, error
            for item in (*self.body, *self.ending):
                if isinstance(item, Block):
                    yield from item.scoped(context)
                else:
                    yield item, None

    def tags(self) -> set[str]:
        """Return the tags that the file itself declares, without difference of letter case."""
        found: set[str] = set()
        for item in self.body:
            if isinstance(item, Statement) and _declares(item) == "groups":
                with suppress(InputError):
                    found |= {word.value.casefold() for word in split(item.text)[1:]}
        return found

    def included(self) -> Iterator[tuple[str, str]]:
        """Yield the path of each file that is included, directly or not, and of the file that includes it."""
        for item in (*self.body, *self.ending):
            if isinstance(item, Block):
                if item.path and item.head is not None and item.head.source:
                    yield item.path, item.head.source
                yield from item.included()

    def leave_out(self, statements: Collection[Statement]) -> None:
        """Remove these statements, also from included files."""
        for part in (self.body, self.ending):
            part[:] = [item for item in part if not any(item is each for each in statements)]
            for item in part:
                if isinstance(item, Block):
                    item.leave_out(statements)
