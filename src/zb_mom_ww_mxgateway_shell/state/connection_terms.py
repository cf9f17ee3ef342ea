"""The terms on which one connection is written to."""

from dataclasses import dataclass, field

from zb_mom_ww_mxgateway.safety.arming import ArmingRules


@dataclass(frozen=True, slots=True)
class ConnectionTerms:
    """What the user's profile, or the shell itself, says of the writes of a connection."""

    rules: ArmingRules = field(default_factory=ArmingRules)
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
