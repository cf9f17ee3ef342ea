"""What the rest of the shell has to know about a command beyond running it.

Lint, plans, runs, waits and recordings ask these instead of the command's name, so that a new command is declared in
one place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal

from zb_mom_ww_mxgateway_shell.language.scope import Scope


class FileRole(Enum):
    """How a line arranges the lines of its file. A file is put together by the names in its text, before anything
    runs and before any alias is known."""

    INCLUDE = auto()
    """Another file stands in its place."""
    FINALLY = auto()
    """What follows always runs."""
    POLICY = auto()
    """It says what happens after a line that fails."""
    END = auto()
    """What follows it in the file never runs."""


@dataclass(frozen=True, slots=True)
class CommandTraits:
    """How a command stands out; the defaults are those of a command that does not."""

    file_role: FileRole | None = None
    """How it arranges the lines of a file."""
    not_in_file: str = ""
    """Why a file cannot have it; empty for one that it can have."""
    lint_warning: str = ""
    """What lint warns of wherever it is used without ``# meant``; empty for nothing."""
    checked_effect: Callable[[Scope, Sequence[Any]], None] | None = None
    """Takes its positional arguments when a file is checked without a gateway: makes known what later lines need."""
    sets_name: bool = False
    """Whether its first argument is a name that it gives a value."""
    begins_step: bool = False
    """Whether a step of the run begins with it, titled by its first argument."""
    retried_in_finally: bool = False
    """Whether a run repeats it behind ``finally`` when it surely was not carried out."""
    reads_plant: bool = False
    """Whether a plan that runs it shows a value that the writes before it might have changed."""
    judges: Literal["now", "until"] | None = None
    """Whether it holds its first argument, a tag, against a condition: as it is now, or until it is met."""
    changes_subject: bool = False
    """Whether the lines behind it are about another connection or object."""
    recorded: bool = False
    """Whether record-script keeps it although it needs no session and changes nothing; it is for no gateway."""
    recorded_end: tuple[str, ...] = ()
    """What record-script adds to a line that would have no end in a file."""
