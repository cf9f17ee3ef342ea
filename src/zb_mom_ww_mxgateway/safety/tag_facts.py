"""Facts about a tag that the galaxy tells, as far as decisions about writes need them."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import NamedTuple, Protocol

from zb_mom_ww_mxgateway.models.security_classes import SECURED_WRITE, SECURITY_NAMES, VERIFIED_WRITE


class TagFacts(NamedTuple):
    """What the galaxy tells of one tag, and its values show; empty or None where they do not."""

    description: str = ""
    type_name: str = ""
    units: str = ""
    security: int | None = None
    """Security classification."""
    low: float | None = None
    """Lower end of its range."""
    high: float | None = None
    """Upper end of its range."""
    alarm_limits: tuple[tuple[str, float], ...] = ()
    """Limits of its own alarms by name, the highest first."""
    decimals: int = 0
    """Most decimals that a value of it was seen to have."""
    untold: str = ""
    """Why the galaxy, which was asked, tells neither security nor range; empty where it answered, or may not be
    asked."""

    @property
    def security_name(self) -> str:
        """The galaxy's name of its security classification, its number where that is unknown, or empty."""
        if self.security is None:
            return ""
        return SECURITY_NAMES[self.security] if 0 <= self.security < len(SECURITY_NAMES) else str(self.security)


class FactsOf(Protocol):
    """Returns the facts about tags, as far as they can be had, by the tags as given. It never raises."""

    def __call__(self, tags: Sequence[str], /, *, for_a_person: bool) -> Awaitable[Mapping[str, TagFacts]]:
        """`for_a_person`: they are shown to a person; else the security and the range are enough."""
        ...


async def no_facts(tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
    """Know nothing of any tag."""
    return {}


def untold_text(tags: Sequence[str], facts: Mapping[str, TagFacts]) -> str:
    """Return that the galaxy did not answer about some of these tags, and why; empty where it did about all."""
    untold = [(tag, why) for tag in tags if (why := facts.get(tag, TagFacts()).untold)]
    if not untold:
        return ""
    more = f" and {len(untold) - 1} more" if len(untold) > 1 else ""
    return f"{untold[0][0]}{more}: security and range are unknown: {untold[0][1]}"


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
