"""The terms on which one connection is written to."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from zb_mom_ww_mxgateway.safety.arming import ArmingRules

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.selection import Selection

AskAbout: TypeAlias = "Callable[[Selection, str], Awaitable[str]]"
"""Shows a person a write to the connection of that name, and returns the answer; empty for none."""


class ConnectionTerms(NamedTuple):
    """What the user's profile, or the shell itself, says of the writes of a connection."""

    rules: ArmingRules = ArmingRules()
    arms: tuple[str, ...] = ()
    """Globs that files may write without ``--arm``."""
    limits: str = ""
    """The limits file; empty for none."""
    profile: str = ""
    """Name of the profile; empty for a connection without one."""
    open_for_all: bool = False
    """Whether every write is let through at first: a simulated plant."""
    is_demo: bool = False
    """Whether it is the simulated plant of this shell, armed or not."""
