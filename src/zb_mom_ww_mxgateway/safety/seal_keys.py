"""Ed25519 keys of the user's own, which sign heads of a journal and records of runs, and check such seals.

Keep a private key away from the machine that keeps what it signs, or protect it with a passphrase: whoever has both can
seal something else.
"""

import asyncio
import hashlib
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.private_files import make_private_file, open_to_others
from zb_mom_ww_mxgateway.system.regular_files import read_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


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

        content = _content(path)
        try:
            key: Any = load_pem_public_key(content)
        except ValueError as error:
            raise _no_key(path, "public") from error
        if not isinstance(key, Ed25519PublicKey):
            raise _no_key(path, "public")
        return cls(key)

    def check(self, signature: bytes, text: bytes) -> None:
        """Raise ValueError if the signature of the text is not by this key."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            raise ValueError(f"the seal is not by the key {self.fingerprint}") from None


class SigningKey:
    """A private key that makes seals."""

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.fingerprint: str = _fingerprint(key.public_key())

    @classmethod
    async def read(cls, path: Path, passphrase: Callable[[], Awaitable[str]] | None = None) -> "SigningKey":
        """Read a private key (PEM); `passphrase` is asked for that of an encrypted one.

        Raise MxGatewayArgumentError for a key that cannot be used or that others may read.
        """
        return cls(await _private_key(path, passphrase))

    def sign(self, text: bytes) -> bytes:
        """Return the signature of a text."""
        return self._key.sign(text)


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
