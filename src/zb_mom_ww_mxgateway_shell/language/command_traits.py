"""Traits of a command: what the rest of the shell must know beyond running it.

Lint, plans, runs, waits and recordings use these instead of the command's name, so that a command is declared in one
place.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token


class ParsedArguments(Protocol):
    """The arguments of a parsed line (``Invocation``)."""

    @property
    def positional(self) -> tuple[Any, ...]: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def words(self) -> tuple[Any, ...]: ...


class Written(NamedTuple):
    """One tag or alarm that a line would write."""

    names: tuple[str, ...]
    """Names by which a declaration can match it; empty if they are known in the run only."""
    word: Token
    """The word of the line that names it."""
    place: str = ""
    """Where it is named, if not in the line itself, such as ``setpoints.csv:3``."""


class FileRole(Enum):
    """How a command arranges the lines of its file. A file is put together by names in its text, before anything runs
    and before any alias is known."""

    INCLUDE = auto()
    """Another file is put in its place."""
    FINALLY = auto()
    """The lines after it always run."""
    POLICY = auto()
    """It decides what happens after a line that fails."""
    END = auto()
    """The lines after it never run."""
    DECLARATION = auto()
    """It says something about the whole file, at its head: what it declares is in its trait `declares`."""
    LIMIT = auto()
    """It says how long the file may run; it belongs to the head of the file, too."""


class CommandTraits(NamedTuple):
    """Traits of a command; the defaults are those of an ordinary one."""

    file_role: FileRole | None = None
    """How it arranges the lines of its file."""
    declares: Literal["written", "groups"] | None = None
    """What a declaration says of its file: what it writes, or by which names ``test --tag`` finds it."""
    not_in_file: str = ""
    """Why a file cannot contain it; empty where it can."""
    not_in_alias: str = ""
    """Why no alias stands for it; empty where one may."""
    writes: Callable[[Scope, ParsedArguments], Sequence[Written]] | None = None
    """What a line would write, as far as that is known without a gateway. None for a command that writes means that it
    is known in the run only."""
    lint_warning: str = ""
    """Lint's warning wherever it is used without ``# meant``; empty for none."""
    option_warnings: Mapping[str, str] = MappingProxyType({})
    """The same for some of its options, by their names as typed."""
    checked_effect: Callable[[Scope, Sequence[Any]], None] | None = None
    """Applies its positional arguments when a file is checked without a gateway, for the lines after it."""
    sets_name: bool = False
    """Whether its first argument is a name to which it gives a value."""
    defines: bool = False
    """Whether it sets that name once, for lines to use."""
    begins_step: bool = False
    """Whether it begins a step of the run, titled by its first argument."""
    retried_in_finally: bool = False
    """Whether a run repeats it after ``finally`` where it was surely not carried out."""
    puts_back: bool = False
    """Whether it writes values back that a line before it changed."""
    signs: Literal["in", "out"] | None = None
    """Whether it logs in the user that is its first argument, who then signs, or logs out that user, or all."""
    takes: Callable[[ParsedArguments], float] | None = None
    """Returns the seconds that it surely takes; None where they are unknown."""
    lasts: Callable[[ParsedArguments], float | None] | None = None
    """Returns the seconds that it waits at most; None where it does not wait for long."""
    reads_plant: bool = False
    """Whether it shows a value that the writes before it, which a plan leaves out, might have changed."""
    judges: Literal["now", "until"] | None = None
    """Whether it checks its first argument, a tag, against a condition: now, or until it is met."""
    changes_subject: Literal["connection", "object"] | None = None
    """What the lines after it are about another one of."""
    leaves_none: bool = False
    """Whether it leaves the lines after it without a connection, unless an argument names another one."""
    advises: Callable[[Scope, ParsedArguments], Sequence[str]] | None = None
    """The tags that it adds and advises where they are not yet, as far as they are known without a gateway."""
    reads_alarms: bool = False
    """Whether it needs the plant's alarms, which are followed before anything is written."""
    registers: bool = False
    """Whether it registers a server."""
    adds_items: bool = False
    """Whether it adds items as such, which later lines may name by their numbers."""
    new_file: Callable[[ParsedArguments], str | None] | None = None
    """The file that a line makes and that must not exist before; None for none. It fails where the file exists."""
    recorded: bool = False
    """Whether record-script keeps it although it needs no session, changes nothing and has no gateway."""
    recorded_end: tuple[str, ...] = ()
    """What record-script appends to a line that would not end in a file."""
    about_last: bool = False
    """Whether it is about the last result, and does not take its place."""
    asks_person: bool = False
    """Whether it asks a person, whose answer a script that is recorded does not have."""
    asks_without: str = ""
    """The option without which it does; empty for none."""
    asks_secret: Callable[[Scope, ParsedArguments], bool] | None = None
    """Whether a line may ask for a password, a key or another secret. None where none does."""
