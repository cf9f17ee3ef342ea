"""Facts about a tag that the galaxy tells, as far as decisions about writes need them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

SECURED_WRITE: Final = 2
"""Security classification of a tag for whose writes a user signs."""
VERIFIED_WRITE: Final = 3
"""Security classification of a tag for whose writes a user signs and another one verifies."""


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What the galaxy tells of one tag; empty or None where it does not."""

    description: str = ""
    type_name: str = ""
    units: str = ""
    security: int | None = None
    """Security classification."""
    security_name: str = ""


UNKNOWN_TAG: Final = TagFacts()

FactsOf: TypeAlias = Callable[[str], Awaitable[TagFacts]]
"""Returns the facts about a tag; it never raises."""


async def no_facts(tag: str) -> TagFacts:
    """Know nothing of any tag."""
    return UNKNOWN_TAG


def missing_signature(tag: str, facts: TagFacts, user_id: int, verifier_user_id: int) -> str:
    """Return who is missing for a write to a tag of this security; empty if nobody is.

    Where the galaxy does not tell the security, MXAccess decides, but nobody verifies what they signed themselves.
    """
    if user_id and user_id == verifier_user_id:
        return f"user {user_id} signs and verifies: another person has to verify it"
    if facts.security == SECURED_WRITE and not user_id:
        return f"{tag} is a SecuredWrite tag: a user has to sign for it"
    if facts.security == VERIFIED_WRITE and not (user_id and verifier_user_id):
        return f"{tag} is a VerifiedWrite tag: a user has to sign for it, and another one to verify it"
    return ""
