"""The state of one command file while it is checked or runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from zb_mom_ww_mxgateway_shell.state.standing_checks import StandingChecks

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedWrites


@dataclass(slots=True)
class FileState:
    """The state that ends with its file; lines that are typed have one, too."""

    step: str = ""
    """Title of the current step; empty before the first."""
    step_id: str = ""
    """What names it in a record and a report: its place and title; empty before the first."""
    requirements: tuple[str, ...] = ()
    """The requirements that it is about."""
    on_error: Literal["stop", "continue", "next-step"] = "stop"
    """What a file does after a failed statement."""
    limit: Callable[[float], None] | None = None
    """Bounds the run of the file to so many seconds from now on; None where no file runs."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Values of the names that the includes around the running line give; they are among the context's names, too."""
    lines_ahead: Sequence[str] = ()
    """The lines that follow the running one, where they are known."""
    former_servers: frozenset[tuple[str, int]] = frozenset()
    """The servers that files before it left registered, each with the name of its connection: none of them is meant
    where this file registers one itself."""
    awaited: set[tuple[int, int]] = field(default_factory=set)
    """Keys of the items whose first values were awaited: no line waits for them again."""
    plan: "PlannedWrites | None" = None
    """What the lines of a plan so far would write; None in a run."""
    planned_snapshots: dict[str, list[str]] = field(default_factory=dict)
    """The snapshots that the lines of a plan so far would take, with their tags."""
    standing: StandingChecks = field(default_factory=StandingChecks)
    """The checks that stand until the step ends."""

    @property
    def planned(self) -> "PlannedWrites":
        """What the lines of a plan so far would write; nothing in a run."""
        if self.plan is None:
            from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedWrites  # Lazy: runs never need it.

            self.plan = PlannedWrites()
        return self.plan
