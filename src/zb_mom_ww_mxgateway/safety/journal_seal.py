"""Seals of a journal: signatures of its head, made with an Ed25519 key of the user's own.

A seal proves who had the journal up to that head in his hands, and that it was these lines. Keep the private key away
from the machine that keeps the journal, or protect it with a passphrase: whoever has both can seal another journal.
"""

import asyncio
import base64
import hashlib
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_chain import Head, JournalLine
from zb_mom_ww_mxgateway.system.private_files import make_private_file, open_to_others
from zb_mom_ww_mxgateway.system.regular_files import read_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


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


def _signed(head: Head) -> bytes:
    # With a name of its own, so that no other text signed with the key is a seal.
    return f"mxgw journal head {head}".encode("ascii")


class SealKey:
    """A public key that checks seals."""

    def __init__(self, key: "Ed25519PublicKey") -> None:
        self._key = key
        self.fingerprint: str = _fingerprint(key)

    @classmethod
    def read(cls, path: Path) -> "SealKey":
        """Read a public key (PEM); raise MxGatewayArgumentError."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key: Any = load_pem_public_key(_content(path))
        except ValueError as error:
            raise _no_key(path, "public") from error
        if not isinstance(key, Ed25519PublicKey):
            raise _no_key(path, "public")
        return cls(key)

    def check(self, seal: Seal) -> None:
        """Raise ValueError if the seal is not by this key."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(seal.signature, _signed(seal.head))
        except InvalidSignature:
            raise ValueError(f"the seal is not by the key {self.fingerprint}") from None


async def seal(journal: Journal, key_file: Path, passphrase: Callable[[], Awaitable[str]] | None = None) -> JournalLine:
    """Sign the head of a journal with a private key (PEM), and return the line that says so.

    `passphrase` is asked for that of an encrypted key. Raise MxGatewayArgumentError for a key that cannot be used or
    that others may read, and JournalError.
    """
    key = await _private_key(key_file, passphrase)
    fingerprint = _fingerprint(key.public_key())

    def fields(head: Head) -> dict[str, str]:
        if not head.count:
            raise MxGatewayArgumentError(f"there is nothing to seal: the journal in {journal.folder} has no line")
        signature = base64.b64encode(key.sign(_signed(head))).decode("ascii")
        return {"head": str(head), "signature": signature, "key": fingerprint}

    return await journal.append_about_head("sealed", fields)


def make_key(path: Path, passphrase: str = "") -> tuple[Path, str]:
    """Make a private key (PEM, encrypted if there is a passphrase) for its owner alone, and its public key beside it.

    Return the path of the public key and its fingerprint. Raise MxGatewayArgumentError; an existing file stays.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption)
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    public_path = path.with_name(f"{path.name}.pub")
    if exists := [str(place) for place in (path, public_path) if place.exists()]:
        raise MxGatewayArgumentError(f"{exists[0]} exists: a key is never replaced; name another file")
    try:
        make_private_file(path)
        path.write_bytes(private)
        public_path.write_bytes(public)
    except OSError as error:
        raise MxGatewayArgumentError(f"cannot make a key in {path}: {error.strerror or error}") from error
    return public_path, _fingerprint(key.public_key())


async def _private_key(path: Path, passphrase: Callable[[], Awaitable[str]] | None) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _content(path)
    if others := open_to_others(path) or _readable_by_others(path):
        raise MxGatewayArgumentError(f"the key {path} is not used: {others}; what it sealed so far proves less")
    try:
        key: Any = load_pem_private_key(content, None)
    except TypeError:
        if passphrase is None:
            raise MxGatewayArgumentError(
                f"the key {path} has a passphrase, which only a prompt asks for: seal there"
            ) from None
        given = (await passphrase()).encode()
        try:
            # In a thread: deriving a key from a passphrase takes long on purpose.
            key = await asyncio.to_thread(load_pem_private_key, content, given)
        except ValueError:
            raise MxGatewayArgumentError(f"the passphrase of the key {path} is another one") from None
    except ValueError as error:
        raise _no_key(path, "private") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "private")
    return key


def _readable_by_others(path: Path) -> str:
    if sys.platform != "win32" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return f"others may read it: chmod go-r {path}"
    return ""


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as error:
        raise MxGatewayArgumentError(f"cannot read the key {path}: {error.strerror or error}") from error


def _no_key(path: Path, kind: str) -> MxGatewayArgumentError:
    return MxGatewayArgumentError(f"{path} is no {kind} Ed25519 key in PEM: name one, or make one (--new-key)")


def _fingerprint(key: "Ed25519PublicKey") -> str:
    return hashlib.sha256(key.public_bytes_raw()).digest().hex(":").upper()
