"""The scope of a line: names, connections, items and tags to which its words can refer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_shell.language.literals import TagType
from zb_mom_ww_mxgateway_shell.language.tokens import Token


class AliasTraits(Protocol):
    """Traits of a command that decide whether it can have an alias."""

    @property
    def not_in_alias(self) -> str: ...


class NamedCommand(Protocol):
    """A command in a table, by name, summary and what an alias must know of it."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def traits(self) -> AliasTraits: ...


class CommandTable(Protocol):
    """Every command by its name."""

    @property
    def commands(self) -> Mapping[str, NamedCommand]: ...

    def find(self, word: Token, others: Sequence[str] = ()) -> NamedCommand: ...


class OpenConnection(Protocol):
    """An open connection, by its state."""

    @property
    def state(self) -> str: ...


class TagCatalog(Protocol):
    """The known tags of the galaxy. Must not block."""

    def spelled(self, tag: str) -> str: ...

    def misses(self, tag: str) -> bool: ...

    def closest(self, tag: str) -> str: ...

    def kind_of(self, tag: str) -> Any: ...

    @property
    def templates(self) -> Mapping[str, int]: ...

    def complete(self, prefix: str, limit: int, *, objects: bool = False) -> Sequence[Any]: ...


class Scope(Protocol):
    """The scope in which a line is parsed. Must not block."""

    @property
    def registry(self) -> CommandTable: ...

    @property
    def interactive(self) -> bool: ...

    @property
    def has_screen(self) -> bool: ...

    @property
    def aliases(self) -> Mapping[str, str]: ...

    @property
    def all_names(self) -> Mapping[str, Any]: ...

    @property
    def connections(self) -> Mapping[str, OpenConnection]: ...

    @property
    def name(self) -> str:
        """Name of the connection in use; empty without one."""

    @property
    def servers(self) -> Mapping[int, str]: ...

    @property
    def items(self) -> Iterable[Item]: ...

    @property
    def focus(self) -> str: ...

    @property
    def catalogue(self) -> TagCatalog: ...

    def find_item(self, tag: str, server: int | None = None) -> Item | None: ...

    def type_of(self, tag: str, item: Item | None) -> TagType | None: ...

    def default_server(self) -> int: ...

    def note_file(self, content: bytes, name: str) -> None:
        """Keep for the record of the run that a line read a file."""
