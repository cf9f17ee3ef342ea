"""Trust: what a TLS channel verifies the gateway against.

The gateway usually serves a certificate it made itself, so the default is trust on first use: an
unverified probe fetches the certificate, it becomes the channel's only root, and it is remembered.
From then on the key goes only to a gateway that has it.
"""

import asyncio
import base64
import logging
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayCertificateChangedError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.options import ClientOptions, split_endpoint
from zb_mom_ww_mxgateway.system.log import TRUST, log
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway.transport.known_gateways import (
    KnownGateway as KnownGateway,
    KnownGateways as KnownGateways,
    default_known_gateways as default_known_gateways,
    endpoint_key,
    fingerprint as fingerprint,
)

_NEXT_AFTER = 0.25
"""Seconds until the next address of a host is tried in addition to one that has not answered."""

TRUST_ADVICE = "have the new one remembered (KnownGateways.remember)"
"""Advice about a certificate that has changed, in the library's words."""


class Trust(NamedTuple):
    """Certificates and names that a channel relies on."""

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
    """Return the trust for these options; probe the gateway where trust on first use needs it."""
    if options.plaintext:
        log(TRUST, logging.INFO, f"{options.endpoint}: plaintext, no certificate", api_key=options.api_key)
        return Trust(None, plaintext=True)
    if not options.trust_on_first_use:
        roots = _system_roots() if options.ca_file is None else _roots_of(Path(options.ca_file))
        against = "the system's roots" if options.ca_file is None else str(options.ca_file)
        log(TRUST, logging.INFO, f"{options.endpoint}: verified against {against}", api_key=options.api_key)
        return Trust(roots, options.server_name_override)
    memory = KnownGateways(options.known_gateways) if options.remember_certificate else None
    known = memory.get(options.endpoint) if memory else None
    first_use = known is None
    if known is None:
        known = await seen_now(options.endpoint, options.connect_timeout)
        if wrong := wrong_dates(known):
            raise MxGatewayTransportError(
                f"cannot connect to {options.endpoint}: its certificate {wrong}; nothing was sent",
                endpoint=options.endpoint,
                call="connect",
            )
    how = "seen for the first time" if first_use else f"as remembered since {known.first_seen}"
    if first_use and not options.remember_certificate:
        how = "trusted for this connection and forgotten after it"
    log(TRUST, logging.INFO, f"{options.endpoint}: certificate {known.sha256} {how}", api_key=options.api_key)
    return Trust(known.pem.encode(), options.server_name_override or known.server_name, False, known, first_use)


async def remembered(options: ClientOptions, trust: Trust) -> Trust:
    """Remember a certificate that was seen for the first time; return the trust from now on.

    Raises MxGatewayCertificateChangedError where another process has remembered another certificate first.
    """
    if trust.known is None or not trust.is_first_use or not options.remember_certificate:
        return trust
    counts = await asyncio.to_thread(KnownGateways(options.known_gateways).first, trust.known)
    if counts.sha256 != trust.known.sha256:
        raise certificate_changed(counts, trust.known)
    log(TRUST, logging.INFO, f"{options.endpoint}: certificate {counts.sha256} remembered", api_key=options.api_key)
    return trust if counts is trust.known else trust._replace(known=counts, is_first_use=False)


async def renewed(options: ClientOptions, trust: Trust) -> Trust | None:
    """Return the trust in a certificate that was remembered in the meantime, in place of the one that `trust` knows.

    Return None where nothing has changed, or where that cannot be read.
    """
    if trust.known is None or not options.remember_certificate:
        return None  # It goes by other roots, or forgets what it saw.
    try:
        now = await asyncio.to_thread(KnownGateways(options.known_gateways).get, options.endpoint)
    except MxGatewayTransportError:
        return None
    if now is None or now.sha256 == trust.known.sha256:
        return None
    log(TRUST, logging.INFO, f"{options.endpoint}: certificate {now.sha256} as remembered meanwhile")
    return Trust(now.pem.encode(), options.server_name_override or now.server_name, known=now)


def wrong_dates(known: KnownGateway) -> str:
    """Return what is wrong with the time for which a certificate is valid, in words; empty where nothing is."""
    try:
        facts = facts_of(known.der)
    except ValueError:
        return ""
    now = datetime.now(UTC)
    if now > facts.not_after:
        return f"expired on {date_and_time(facts.not_after)}; the gateway needs a new one"
    if now < facts.not_before:
        return f"is not yet valid: it is from {date_and_time(facts.not_before)}; is the clock here right?"
    return ""


async def seen_now(endpoint: str, timeout: float) -> KnownGateway:
    """Return the certificate that the gateway shows now, unverified. `timeout` is in seconds.

    Raises MxGatewayTransportError naming the endpoint.
    """
    host, port = split_endpoint(endpoint)
    certificate = await _fetch_certificate(endpoint, host, port, timeout)
    return KnownGateway(
        endpoint=endpoint_key(endpoint),
        sha256=fingerprint(certificate),
        first_seen=datetime.now(UTC).isoformat(timespec="seconds"),
        server_name=_carried_name(certificate, host),
        certificate=base64.b64encode(certificate).decode("ascii"),
    )


def certificate_changed(known: KnownGateway, now: KnownGateway) -> MxGatewayCertificateChangedError:
    """Return the error for a gateway that shows another certificate than the remembered one."""
    log(TRUST, logging.WARNING, f"{known.endpoint}: certificate changed from {known.sha256} to {now.sha256}")
    wrong = wrong_dates(known)
    expired = (
        f" The trusted one {wrong.partition(';')[0]}, so a new one was due." if wrong.startswith("expired") else ""
    )
    return MxGatewayCertificateChangedError(
        f"the certificate of {known.endpoint} has changed: trusted {known.sha256} (first seen {known.since}), "
        f"now {now.sha256}.{expired} Nothing was sent. If the gateway was reinstalled or given a new certificate, "
        f"compare the fingerprint with its log, then {TRUST_ADVICE}",
        trusted=known.sha256,
        presented=now.sha256,
        first_seen=known.first_seen,
        endpoint=known.endpoint,
        call="connect",
        advice=TRUST_ADVICE,
    )


async def _fetch_certificate(endpoint: str, host: str, port: int, timeout: float) -> bytes:
    advice = ""
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
        # A gateway in plaintext answers a TLS greeting with noise, or closes the connection.
        advice = "a gateway that runs in plaintext needs plaintext=True"
        reason = f"no TLS there; {advice}"
    except OSError as error:
        reason = error.strerror or str(error)
    if isinstance(reason, bytes):
        return reason
    raise MxGatewayTransportError(
        f"cannot connect to {endpoint}: {reason}", endpoint=endpoint, call="connect", advice=advice
    )


async def _shown(host: str, port: int) -> bytes | str:
    """Return the certificate shown in a handshake that verifies nothing, or why there is none."""
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
    """Return a connection to the first of the host's addresses that accepts one."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    failure: OSError | None = None
    trying: set[asyncio.Task[asyncio.StreamWriter]] = set()
    try:
        while addresses or trying:
            if addresses:
                trying.add(asyncio.create_task(_writer(addresses.pop(0), port), name=f"connecting to {host}"))
            # One that does not answer must not take the time of the others.
            done, trying = await asyncio.wait(
                trying, timeout=_NEXT_AFTER if addresses else None, return_when=asyncio.FIRST_COMPLETED
            )
            for each in done:
                error = each.exception()
                if error is None:
                    done.discard(each)
                    trying |= done
                    return each.result()
                if not isinstance(error, OSError):
                    raise error
                # The error that nothing listens says more than that another address leads nowhere.
                failure = failure if isinstance(failure, ConnectionRefusedError) else error
    finally:
        await _given_up(trying)
    raise failure or socket.gaierror(socket.EAI_NONAME, "no address")


async def _writer(address: str, port: int) -> asyncio.StreamWriter:
    return (await asyncio.open_connection(address, port))[1]


async def _given_up(trying: set[asyncio.Task[asyncio.StreamWriter]]) -> None:
    """End attempts that are not needed any more, and close the connections they made."""
    for each in trying:
        each.cancel()
    if trying:
        await asyncio.wait(trying)
    for each in trying:
        if not each.cancelled() and each.exception() is None:
            each.result().transport.abort()


class CertificateFacts(NamedTuple):
    """Facts that a certificate states. Times are UTC."""

    names: tuple[str, ...]
    """DNS names, then addresses."""
    common_name: str
    not_before: datetime
    not_after: datetime


def facts_of(certificate: bytes) -> CertificateFacts:
    """Read a DER certificate; raise ValueError where it is none."""
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
    """Return a name the certificate carries: localhost, which the gateway's own always does, or another one."""
    facts = facts_of(certificate)
    for wanted in ("localhost", host):
        if wanted in facts.names:
            return wanted
    return facts.names[0].replace("*", "gateway", 1) if facts.names else facts.common_name or host


def _roots_of(path: Path) -> bytes:
    try:
        roots = read_bytes(path)
    except OSError as error:
        raise MxGatewayArgumentError(f"ca_file {path}: {error.strerror}") from None  # Its own text has the path, too.
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=roots.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise MxGatewayArgumentError(f"ca_file {path}: no PEM certificates in it") from error
    return roots


def _system_roots() -> bytes | None:
    """Return the system's roots as PEM; None, which is gRPC's own bundle, where the system names none."""
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in found).encode("ascii") or None
