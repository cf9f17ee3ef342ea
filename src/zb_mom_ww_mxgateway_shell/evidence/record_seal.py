"""Seals of a record: signatures of its bytes, made with an Ed25519 key, in a file beside it.

The record itself stays as the run wrote it. Each line of ``RUN.jsonl.seal`` is one seal: who sealed which bytes of
which run, and when by the clock of that machine.
"""

import base64
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.safety.journal import user_name
from zb_mom_ww_mxgateway.safety.seal_keys import SealKey, SigningKey
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.times import shown_text, time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_format import read_record
from zb_mom_ww_mxgateway_shell.process.regular_files import replace

_SIGNED = ("at", "by", "run", "sha256")


@dataclass(frozen=True, slots=True)
class RecordSeal:
    """One seal of a record."""

    signed: Mapping[str, str]
    """What the signature is about: ``at``, ``by``, ``run`` and the ``sha256`` of the whole file."""
    signature: bytes
    key: str
    """Fingerprint of the key, as the seal has it."""

    @property
    def sha256(self) -> str:
        return self.signed["sha256"]

    def __str__(self) -> str:
        return f"{shown_text(self.signed['at'])} by {self.signed['by']}, key {self.key}"

    def check(self, key: SealKey) -> None:
        """Raise ValueError if the seal is not by this key."""
        key.check(self.signature, _text_of(self.signed))

    def form(self) -> dict[str, str]:
        """Return it for JSON."""
        return {**self.signed, "key": self.key, "signature": base64.b64encode(self.signature).decode("ascii")}

    @classmethod
    def of(cls, line: bytes) -> "RecordSeal":
        """Return the seal of a line; raise ValueError if it is none."""
        form: Any = json.loads(line)
        names = (*_SIGNED, "key", "signature")
        if not (isinstance(form, dict) and all(isinstance(form.get(name), str) for name in names)):
            raise ValueError(f"it is no seal: {', '.join(names)} expected")
        return cls(
            {name: form[name] for name in _SIGNED}, base64.b64decode(form["signature"], validate=True), form["key"]
        )


def seal_file(record: Path) -> Path:
    """Return the file of the seals of a record."""
    return record.with_name(f"{record.name}.seal")


def seals_of(record: Path) -> list[RecordSeal]:
    """Return the seals beside a record; raise ShellError if they cannot be read."""
    path = seal_file(record)
    if not path.exists():
        return []
    try:
        return [RecordSeal.of(line) for line in read_bytes(path).splitlines() if line.strip()]
    except OSError as error:
        raise ShellError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ShellError(f"{path} is damaged: {error}", ExitCode.NOT_MET) from error


def to_seal(record: Path) -> tuple[str, str]:
    """Return the id of a run and the SHA-256 of its record; raise ShellError for one that is not whole."""
    found = read_record(record)
    if found.problems:
        raise ShellError(f"{record} is not sealed: {'; '.join(found.problems)}", ExitCode.NOT_MET)
    return str(found.begin.get("run")), found.file_sha256


async def seal(record: Path, key_file: Path, passphrase: Callable[[], Awaitable[str]] | None = None) -> RecordSeal:
    """Seal a record with a private key (PEM), and return the seal, which is added to those beside it.

    `passphrase` is asked for that of an encrypted key. Raise ShellError for a record that is not whole, and
    MxGatewayArgumentError for a key that cannot be used.
    """
    run, digest = to_seal(record)
    before = seals_of(record)
    key = await SigningKey.read(key_file, passphrase)
    signed = {
        "at": time_text(datetime.now(UTC)),
        "by": f"{user_name()}@{socket.gethostname()}",
        "run": run,
        "sha256": digest,
    }
    made = RecordSeal(signed, key.sign(_text_of(signed)), key.fingerprint)
    lines = "".join(f"{json.dumps(each.form(), sort_keys=True)}\n" for each in [*before, made])
    path = seal_file(record)
    try:
        replace(path, lines.encode("ascii"))
    except OSError as error:
        raise ShellError(f"cannot write {path}: {error.strerror or error}") from error
    return made


def _text_of(signed: Mapping[str, str]) -> bytes:
    # With a name of its own, so that no other text signed with the key is a seal of a record.
    return b"mxgw record " + json.dumps(dict(signed), sort_keys=True, separators=(",", ":")).encode("ascii")
