"""The state of one command file while it is checked or runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from zb_mom_ww_mxgateway_shell.state.standing_checks import StandingChecks


@dataclass(slots=True)
class FileState:
    """The state that ends with its file; lines that are typed have one, too."""

    step: str = ""
    """Title of the current step; empty before the first."""
    step_id: str = ""
    """What names it in a record and a report: its place and title; empty before the first."""
    requirements: tuple[str, ...] = ()
    """The requirements that it is about."""
    on_error: Literal["stop", "continue"] = "stop"
    """What a file does after a failed statement."""
    lines_ahead: Sequence[str] = ()
    """The lines that follow the running one, where they are known."""
    awaited: set[tuple[int, int]] = field(default_factory=set)
    """Keys of the items whose first values were awaited: no line waits for them again."""
    planned_snapshots: set[str] = field(default_factory=set)
    """Names of the snapshots that the lines of a plan so far would take."""
    standing: StandingChecks = field(default_factory=StandingChecks)
    """The checks that stand until the step ends."""
