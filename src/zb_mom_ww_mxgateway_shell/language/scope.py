"""What the words of a line can mean: the names, connections, items and tags that it may speak of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_shell.language.literals import TagType
from zb_mom_ww_mxgateway_shell.language.tokens import Token


class NamedCommand(Protocol):
    """A command, by what help says of it."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...


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
    """What is known of the galaxy's tags. Never waits for the network."""

    def spelled(self, tag: str) -> str: ...

    def misses(self, tag: str) -> bool: ...

    def closest(self, tag: str) -> str: ...

    def kind_of(self, tag: str) -> Any: ...

    def complete(self, prefix: str, limit: int, *, objects: bool = False) -> Sequence[Any]: ...


class Scope(Protocol):
    """What a line is read in: everything its words can refer to. Never waits for the network."""

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
