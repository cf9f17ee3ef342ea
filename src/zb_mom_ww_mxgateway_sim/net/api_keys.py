"""API keys: their form, their scopes and sub-trees, and their check."""

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from zb_mom_ww_mxgateway_sim.plant.model import tag_key

_PREFIX = "mxgw_"
_TEXT = re.compile(r"mxgw_([A-Za-z0-9-]+)_([!-~]+)")
_ID = re.compile(r"[A-Za-z0-9-]+")
_SECRET = re.compile(r"[!-~]+")


class KeyScope(StrEnum):
    """Scopes of keys: each allows some calls."""

    SESSION_OPEN = "session:open"
    SESSION_CLOSE = "session:close"
    INVOKE_READ = "invoke:read"
    INVOKE_WRITE = "invoke:write"
    INVOKE_SECURE = "invoke:secure"
    EVENTS_READ = "events:read"
    METADATA_READ = "metadata:read"
    ADMIN = "admin"


ALL_SCOPES = frozenset(KeyScope)


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """One key that the gateway accepts.

    ``subtrees``: the key reaches only tags at or below these names (``Plant.Tank1``). None means all tags.
    """

    key_id: str
    secret: str = field(repr=False)
    scopes: frozenset[str] = ALL_SCOPES
    subtrees: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.key_id):
            raise ValueError("a key id has letters, digits and '-' only, and at least one")
        if not _SECRET.fullmatch(self.secret):
            raise ValueError("a key's secret has printable ASCII characters without spaces only, and at least one")
        # Any collection will do, but a single text would be read letter by letter.
        if isinstance(self.scopes, str) or isinstance(self.subtrees, str):
            raise ValueError("scopes and subtrees are collections of texts")
        unknown = set(self.scopes) - set(ALL_SCOPES)
        if unknown:
            raise ValueError(f"no such scope: {', '.join(sorted(unknown))}; there are {', '.join(sorted(ALL_SCOPES))}")
        object.__setattr__(self, "scopes", frozenset(self.scopes))
        if self.subtrees is not None:
            object.__setattr__(self, "subtrees", frozenset(tag_key(tree) for tree in self.subtrees))

    @classmethod
    def parse(cls, text: str) -> "GatewayKey":
        """Return a key with all scopes. Raise ValueError, without the text, if it is no key."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError("an API key is mxgw_<id>_<secret>: printable ASCII, no spaces")
        return cls(found[1], found[2])

    @classmethod
    def random(cls, key_id: str = "demo") -> "GatewayKey":
        """Return a new key with all scopes."""
        return cls(key_id, secrets.token_urlsafe(24))

    @property
    def text(self) -> str:
        """The key as a client sends it, with its secret."""
        return f"{_PREFIX}{self.key_id}_{self.secret}"

    def allows(self, reference: str) -> bool:
        """Return whether this key's sub-trees contain the tag or object."""
        if self.subtrees is None:
            return True
        folded = tag_key(reference)
        return any(folded == tree or folded.startswith((tree + ".", tree + "[")) for tree in self.subtrees)


class KeyRing:
    """The keys that the gateway accepts. Without any key (``open_to_all``) every client may do everything."""

    def __init__(self, keys: Iterable[GatewayKey]) -> None:
        self._keys: dict[str, GatewayKey] = {}
        for key in keys:
            if key.key_id in self._keys:
                raise ValueError(f"two API keys with the id {key.key_id}")
            self._keys[key.key_id] = key
        self.open_to_all: bool = not self._keys
        self._anyone = GatewayKey("anyone", "-")

    def admit(self, authorization: str | None) -> GatewayKey | None:
        """Return the key of an authorization header; None if it is missing, malformed, unknown or wrong."""
        if self.open_to_all:
            return self._anyone
        scheme, _, text = (authorization or "").partition(" ")
        found = _TEXT.fullmatch(text.strip()) if scheme.lower() == "bearer" else None
        key_id, secret = (found[1], found[2]) if found else ("", "")
        key = self._keys.get(key_id)
        # The comparison takes place for an unknown id as well, so that its time tells nothing.
        right = hmac.compare_digest(secret.encode(), (key.secret if key else self._anyone.secret).encode())
        return key if key is not None and right else None

    def knows(self, key_id: str) -> bool:
        """Return whether there is a key of that id."""
        return key_id in self._keys

    def revoke(self, key_id: str) -> None:
        """Refuse the key from now on. Raise KeyError if there is none of that id."""
        del self._keys[key_id]
