"""The certificates that were trusted on first use, each for its endpoint."""

import base64
import hashlib
import ipaddress
import json
import logging
import os
import socket
import ssl
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayTransportError
from zb_mom_ww_mxgateway.options import split_endpoint
from zb_mom_ww_mxgateway.system.config_dir import config_folder
from zb_mom_ww_mxgateway.system.file_locks import locked
from zb_mom_ww_mxgateway.system.log import TRUST, log
from zb_mom_ww_mxgateway.system.private_files import make_private_file, open_to_others
from zb_mom_ww_mxgateway.system.regular_files import other_encoding, read_bytes
from zb_mom_ww_mxgateway.times import shown_text

_LOCK_SECONDS = 10.0


def default_known_gateways() -> Path:
    """Return the user's file of remembered certificates; raise MxGatewayArgumentError where the user has no home."""
    return config_folder() / "known_gateways"


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a DER certificate as ``3F:9A:…``."""
    return hashlib.sha256(certificate).digest().hex(":").upper()


def endpoint_key(endpoint: str) -> str:
    """Return the endpoint in the one spelling that look-ups compare: ``HOST.:05000`` is ``host:5000``."""
    try:
        host, port = split_endpoint(endpoint)
    except MxGatewayArgumentError:
        return endpoint.lower()
    host = host.lower().removesuffix(".")
    if ":" in host:
        address = ipaddress.IPv6Address(host)
        return f"{address.ipv4_mapped}:{port}" if address.ipv4_mapped else f"[{address}]:{port}"
    if host[-1:].isdigit():
        with suppress(OSError):
            # As resolvers read addresses: 127.1 is 127.0.0.1.
            host = socket.inet_ntoa(socket.inet_aton(host))
    return f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class KnownGateway:
    """A certificate that was trusted on first use."""

    endpoint: str
    sha256: str
    first_seen: str
    """ISO 8601, UTC."""
    server_name: str
    """The name that the certificate carries and the channel expects."""
    certificate: str
    """Base64 of the DER certificate."""

    @property
    def since(self) -> str:
        """When it was first seen, for a person."""
        return shown_text(self.first_seen)

    @property
    def der(self) -> bytes:
        """DER certificate; raises ValueError where it is no base64."""
        return base64.b64decode(self.certificate)

    @property
    def pem(self) -> str:
        """PEM certificate; raises ValueError where `certificate` is no base64."""
        return ssl.DER_cert_to_PEM_cert(self.der)


class KnownGateways:
    """The file of remembered certificates: one JSON object a line, the last one of an endpoint counts.

    It is for its owner alone: one that others may write, or in a folder of that kind, is refused.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path: Path = Path(path) if path is not None else default_known_gateways()

    def get(self, endpoint: str) -> KnownGateway | None:
        """Return the entry of an endpoint, however it is spelled.

        Raises MxGatewayTransportError for a file that cannot be read as one of remembered certificates.
        """
        data = self._data(endpoint)
        if data and not data.endswith(b"\n"):
            # Edited by hand, or another process is just appending to it.
            with suppress(OSError), self._lock():
                data = self._data(endpoint)
        return self._find(data, endpoint)

    def _data(self, endpoint: str) -> bytes:
        try:
            return read_bytes(self.path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise MxGatewayTransportError(
                f"cannot read {self.path}: {error.strerror or error}", endpoint=endpoint
            ) from error

    def _lock(self) -> AbstractContextManager[None]:
        return locked(self.path.with_name(f"{self.path.name}.lock"), _LOCK_SECONDS)

    def _find(self, data: bytes, endpoint: str) -> KnownGateway | None:
        if others := open_to_others(self.path):
            raise MxGatewayTransportError(
                f"the remembered certificates cannot be relied on: {others}, when you have made sure that its lines "
                f"are yours; nothing was sent",
                endpoint=endpoint,
                call="connect",
            )
        wanted, found = endpoint_key(endpoint), None
        for number, line in enumerate(self._text(data, endpoint).splitlines(), start=1):
            if line.strip() and endpoint_key((entry := self._entry(line, number, endpoint)).endpoint) == wanted:
                found = entry
        return found

    def _text(self, data: bytes, endpoint: str) -> str:
        try:
            if other := other_encoding(data):
                raise ValueError(f"it is {other}: save it as UTF-8, with the same lines")
            return data.decode("utf-8-sig")
        except ValueError as error:
            raise MxGatewayTransportError(f"cannot read {self.path}: {error}", endpoint=endpoint) from error

    def _entry(self, line: str, number: int, endpoint: str) -> KnownGateway:
        # A wrong line is never skipped: it may be the one that keeps an impostor out.
        where = f"{self.path}:{number}"
        try:
            read: Any = json.loads(line)
            known = {field.name for field in fields(KnownGateway)}
            if isinstance(read, dict) and (newer := sorted(read.keys() - known)) and known <= read.keys():
                raise MxGatewayTransportError(
                    f"{where}: a newer version of mxgw wrote this entry ({', '.join(newer)}), and what that means is "
                    f"not known here: use that version, or another file. The line still keeps strangers out: keep it",
                    endpoint=endpoint,
                )
            entry = KnownGateway(**read)
            entry.pem  # noqa: B018  # its decoding is the check
            if not isinstance(entry.endpoint, str):
                raise TypeError("endpoint must be text")
        except (ValueError, TypeError) as error:
            raise MxGatewayTransportError(
                f"{where}: not an entry of known gateways: restore the line. Without it, whatever the gateway shows "
                f"next would be trusted",
                endpoint=endpoint,
            ) from error
        return entry

    def first(self, entry: KnownGateway) -> KnownGateway:
        """Return the entry that counts for the endpoint from now on: the one that is there already, or else this one.

        Look-up, decision and writing are one step, also between processes. Blocks for as long as another has it.
        """
        return self._locked(entry, keeps_first=True)

    def remember(self, entry: KnownGateway) -> None:
        """Append an entry, which replaces any other of its endpoint from now on."""
        self._locked(entry, keeps_first=False)
        log(TRUST, logging.WARNING, f"{entry.endpoint}: certificate {entry.sha256} trusted from now on, in {self.path}")

    def _locked(self, entry: KnownGateway, *, keeps_first: bool) -> KnownGateway:
        try:
            make_private_file(self.path)
            with self._lock():
                there = self._find(self._data(entry.endpoint), entry.endpoint) if keeps_first else None
                if there is None:
                    self._append(entry)
                return there or entry
        except OSError as error:
            raise MxGatewayTransportError(
                f"cannot remember the certificate of {entry.endpoint} in {self.path}: {error}",
                endpoint=entry.endpoint,
            ) from error

    def _append(self, entry: KnownGateway) -> None:
        with self.path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            # Edited by hand, the last line may lack its end.
            start = "" if file.read(1) in (b"", b"\n") else "\n"
            file.seek(0, os.SEEK_END)
            file.write(f"{start}{json.dumps(asdict(entry), sort_keys=True)}\n".encode())
