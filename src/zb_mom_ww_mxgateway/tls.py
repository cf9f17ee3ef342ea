"""Trust: what a TLS channel verifies the gateway against.

The gateway usually serves a certificate it made itself, so the default is trust on first use: an
unverified probe fetches the certificate, it becomes the channel's only root, and it is remembered.
From then on the key goes to nobody else.
"""

import asyncio
import base64
import hashlib
import json
import socket
import ssl
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayCertificateChangedError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.options import ClientOptions, split_endpoint
from zb_mom_ww_mxgateway.places import config_folder


def default_known_gateways() -> Path:
    """The user's file of remembered certificates."""
    return config_folder() / "known_gateways"


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a DER certificate as ``3F:9A:…``."""
    return hashlib.sha256(certificate).digest().hex(":").upper()


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
    def pem(self) -> str:
        return ssl.DER_cert_to_PEM_cert(base64.b64decode(self.certificate))


class KnownGateways:
    """The file of remembered certificates: one JSON object a line, the last one of an endpoint counts."""

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path) if path is not None else default_known_gateways()

    def get(self, endpoint: str) -> KnownGateway | None:
        """The entry of an endpoint. Raises MxGatewayTransportError for a file that cannot be read as one."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise MxGatewayTransportError(f"cannot read {self.path}: {error}", endpoint=endpoint) from error
        found = None
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                entry = KnownGateway(**json.loads(line))
                entry.pem  # noqa: B018  # its decoding is the check
            except (ValueError, TypeError) as error:
                # Never passed over: the line may be the one that keeps a stranger out.
                raise MxGatewayTransportError(
                    f"{self.path}:{number}: not an entry of known gateways; remove the line to trust anew",
                    endpoint=endpoint,
                ) from error
            if entry.endpoint.lower() == endpoint.lower():
                found = entry
        return found

    def remember(self, entry: KnownGateway) -> None:
        """Appends an entry, which from now on counts for its endpoint."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            # Edited by hand, the last line may lack its end.
            start = "" if self.path.read_bytes()[-1:] in (b"", b"\n") else "\n"
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"{start}{json.dumps(asdict(entry), sort_keys=True)}\n")
        except OSError as error:
            raise MxGatewayTransportError(
                f"cannot remember the certificate of {entry.endpoint} in {self.path}: {error.strerror}",
                endpoint=entry.endpoint,
            ) from error


@dataclass(frozen=True, slots=True)
class Trust:
    """What a channel relies on."""

    roots: bytes | None
    """PEM roots; None is gRPC's own default, or no TLS at all when `plaintext`."""
    server_name: str | None = None
    """Name expected instead of the endpoint's host."""
    plaintext: bool = False
    known: KnownGateway | None = None
    """The certificate trusted on first use."""
    is_first_use: bool = False
    """True when it was seen now for the first time, or is not remembered."""


async def settle(options: ClientOptions) -> Trust:
    """What to trust by these options; probes the gateway where trust on first use asks for it."""
    if options.plaintext:
        return Trust(None, plaintext=True)
    if not options.trust_on_first_use:
        roots = _system_roots() if options.ca_file is None else _roots_of(Path(options.ca_file))
        return Trust(roots, options.server_name_override)
    known = KnownGateways(options.known_gateways).get(options.endpoint) if options.remember_certificate else None
    first_use = known is None
    if known is None:
        known = await seen_now(options.endpoint, options.connect_timeout)
    return Trust(known.pem.encode(), options.server_name_override or known.server_name, False, known, first_use)


async def seen_now(endpoint: str, timeout: float) -> KnownGateway:
    """What the gateway shows now, unverified. `timeout` is in seconds.

    Raises MxGatewayTransportError naming the endpoint.
    """
    host, port = split_endpoint(endpoint)
    certificate = await _fetch_certificate(endpoint, host, port, timeout)
    return KnownGateway(
        endpoint=endpoint,
        sha256=fingerprint(certificate),
        first_seen=datetime.now(UTC).isoformat(timespec="seconds"),
        server_name=_carried_name(certificate, host),
        certificate=base64.b64encode(certificate).decode("ascii"),
    )


def certificate_changed(known: KnownGateway, now: KnownGateway) -> MxGatewayCertificateChangedError:
    """The error for a gateway that shows another certificate than the remembered one."""
    return MxGatewayCertificateChangedError(
        f"the certificate of {known.endpoint} has changed: trusted {known.sha256} (first seen {known.first_seen}), "
        f"now {now.sha256}. Nothing was sent. If the gateway was reinstalled, compare the fingerprint with its log, "
        f"then: mxgw-shell trust {known.endpoint}",
        trusted=known.sha256,
        presented=now.sha256,
        first_seen=known.first_seen,
        endpoint=known.endpoint,
        call="connect",
    )


async def _fetch_certificate(endpoint: str, host: str, port: int, timeout: float) -> bytes:
    try:
        async with asyncio.timeout(timeout):
            reason = await _shown(host, port)
    except socket.gaierror as error:
        reason = f"the host name {host} cannot be resolved ({error.strerror}); check the spelling and the network"
    except ConnectionRefusedError:
        reason = "nothing listens there; check that the gateway runs, and the port"
    except TimeoutError:
        reason = f"no answer within {timeout:g} s; check the address, the port and the firewall"
    except (ssl.SSLError, ConnectionError):
        # A gateway in plaintext answers a TLS greeting with noise or by hanging up.
        reason = "no TLS there; a gateway that runs in plaintext needs --plaintext (plaintext=True)"
    except OSError as error:
        reason = error.strerror or str(error)
    if isinstance(reason, bytes):
        return reason
    raise MxGatewayTransportError(f"cannot connect to {endpoint}: {reason}", endpoint=endpoint, call="connect")


async def _shown(host: str, port: int) -> bytes | str:
    """The certificate shown in a handshake that verifies nothing, or why there is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    writer = await _connected(host, port)
    try:
        await writer.start_tls(context, server_hostname=host)
        certificate: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    return certificate or "it showed no certificate"


async def _connected(host: str, port: int) -> asyncio.StreamWriter:
    """A connection to the first of the host's addresses that takes one."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for *_, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return (await asyncio.open_connection(str(address[0]), port))[1]
        except OSError as error:
            # Rather that nothing listens than that another address leads nowhere.
            failure = failure if isinstance(failure, ConnectionRefusedError) else error
    raise failure or socket.gaierror(socket.EAI_NONAME, "no address")


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says of itself. Times are UTC."""

    names: tuple[str, ...]
    """DNS names, then addresses."""
    common_name: str
    not_before: datetime
    not_after: datetime


def facts_of(certificate: bytes) -> CertificateFacts:
    """Reads a DER certificate; raises ValueError for what is none."""
    from cryptography import x509  # Slow to import, and only needed on first use.

    parsed = x509.load_der_x509_certificate(certificate)
    names: tuple[str, ...] = ()
    with suppress(x509.ExtensionNotFound):
        carried = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = map(str, carried.get_values_for_type(x509.IPAddress))
        names = (*carried.get_values_for_type(x509.DNSName), *addresses)
    common = parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return CertificateFacts(
        names=names,
        common_name=str(common[0].value) if common else "",
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
    )


def _carried_name(certificate: bytes, host: str) -> str:
    """A name the certificate carries: localhost, which the gateway's own always does, or another one."""
    facts = facts_of(certificate)
    for wanted in ("localhost", host):
        if wanted in facts.names:
            return wanted
    return facts.names[0].replace("*", "gateway", 1) if facts.names else facts.common_name or host


def _roots_of(path: Path) -> bytes:
    try:
        roots = path.read_bytes()
    except OSError as error:
        raise MxGatewayArgumentError(f"ca_file {path}: {error.strerror}") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=roots.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise MxGatewayArgumentError(f"ca_file {path}: no PEM certificates in it") from error
    return roots


def _system_roots() -> bytes | None:
    """The system's roots as PEM; None, which is gRPC's own bundle, where the system names none."""
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in found).encode("ascii") or None
