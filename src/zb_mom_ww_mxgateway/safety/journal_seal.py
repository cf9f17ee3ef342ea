"""Seals of a journal: signatures of its head, made with an Ed25519 key of the user's own.

A seal proves who had the journal up to that head in his hands, and that it was these lines.
"""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_chain import Head, JournalLine
from zb_mom_ww_mxgateway.safety.seal_keys import SealKey, SigningKey


@dataclass(frozen=True, slots=True)
class Seal:
    """What a line of kind ``sealed`` says."""

    head: Head
    signature: bytes
    fingerprint: str
    """SHA-256 of the public key."""

    @classmethod
    def of(cls, line: JournalLine) -> "Seal":
        """Return the seal of a line; raise ValueError if it is none."""
        found = [line.fields.get(name) for name in ("head", "signature", "key")]
        head, signature, fingerprint = found
        if not (isinstance(head, str) and isinstance(signature, str) and isinstance(fingerprint, str)):
            raise ValueError("it is no seal: head, signature and key expected")
        return cls(Head.parse(head), base64.b64decode(signature, validate=True), fingerprint)

    def check(self, key: SealKey) -> None:
        """Raise ValueError if the seal is not by this key."""
        key.check(self.signature, _signed(self.head))


def _signed(head: Head) -> bytes:
    # With a name of its own, so that no other text signed with the key is a seal.
    return f"mxgw journal head {head}".encode("ascii")


async def seal(journal: Journal, key_file: Path, passphrase: Callable[[], Awaitable[str]] | None = None) -> JournalLine:
    """Sign the head of a journal with a private key (PEM), and return the line that says so.

    `passphrase` is asked for that of an encrypted key. Raise MxGatewayArgumentError for a key that cannot be used or
    that others may read, and JournalError.
    """
    key = await SigningKey.read(key_file, passphrase)

    def fields(head: Head) -> dict[str, str]:
        if not head.count:
            raise MxGatewayArgumentError(f"there is nothing to seal: the journal in {journal.folder} has no line")
        signature = base64.b64encode(key.sign(_signed(head))).decode("ascii")
        return {"head": str(head), "signature": signature, "key": key.fingerprint}

    return await journal.append_about_head("sealed", fields)
