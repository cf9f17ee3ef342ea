"""The security classifications of the galaxy: who may write a tag."""

from typing import Final

SECURITY_NAMES: Final = (
    "FreeAccess",
    "Operate",
    "SecuredWrite",
    "VerifiedWrite",
    "Tune",
    "Configure",
    "ViewOnly",
)
"""The galaxy's names of security classifications, by number."""
SECURED_WRITE: Final = 2
"""Security classification of a tag for whose writes a user signs."""
VERIFIED_WRITE: Final = 3
"""Security classification of a tag for whose writes a user signs and another one verifies."""
VIEW_ONLY: Final = 6
"""Security classification of a tag that nobody may write."""
