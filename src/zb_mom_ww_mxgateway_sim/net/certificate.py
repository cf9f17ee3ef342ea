"""The gateway's self-signed certificate: made once, kept, and renewed only if it is missing, expired or corrupt."""

import contextlib
import os
import socket
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from zb_mom_ww_mxgateway_sim.runtime.errors import CertificateError

FILE_NAME = "mxgw-sim.pem"
_YEARS = 10
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A leaf certificate and its private key, both PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    @property
    def fingerprint_sha256(self) -> str:
        """``3F:9A:…``, upper case."""
        digest = x509.load_pem_x509_certificate(self.certificate_pem).fingerprint(hashes.SHA256())
        return ":".join(f"{byte:02X}" for byte in digest)


def default_directory() -> Path:
    """Return the user's folder for the certificate. Raise CertificateError if the user has no home folder."""
    from platformdirs import user_data_path

    try:
        path = user_data_path("mxgw-sim", appauthor=False)
        is_known = path.is_absolute()  # Otherwise it is a ~ that could not be expanded.
    except RuntimeError:
        is_known = False
    if not is_known:
        raise CertificateError(
            "there is no home folder to keep the gateway's certificate in: set HOME, or choose a directory for it "
            "(mxgw-sim --certificate-directory DIR)"
        )
    return path


def load_or_renew(directory: Path) -> Certificate:
    """Return the certificate of the folder, or a new one if it is missing, expired or corrupt.

    Raise CertificateError if a new one cannot be kept there.
    """
    return _load(directory / FILE_NAME) or renew(directory)


def renew(directory: Path, now: datetime | None = None) -> Certificate:
    """Make a new certificate and keep it in that folder. Raise CertificateError if that fails."""
    certificate = _make(now or datetime.now(UTC))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory / FILE_NAME, certificate.key_pem + certificate.certificate_pem)
    except OSError as error:
        raise CertificateError(
            f"cannot keep the gateway's certificate in {directory}: {error.strerror or error}; choose another directory"
        ) from error
    return certificate


def _load(path: Path) -> Certificate | None:
    try:
        text = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(text)
        key = serialization.load_pem_private_key(text, None)
    except (OSError, ValueError, TypeError):
        return None
    if key.public_key() != certificate.public_key() or certificate.not_valid_after_utc <= datetime.now(UTC):
        return None
    return _pem(certificate, key)


def _write(path: Path, text: bytes) -> None:
    # One file, replaced at once: two simulators that start together end up with one good pair.
    # mkstemp makes the file private to its owner, where the platform can.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _make(now: datetime) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    names = list(dict.fromkeys(("localhost", *_machine_names())))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MXAccess gateway (simulated)")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # The clocks of client and server may differ.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS + 2))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [*map(x509.DNSName, names), *(x509.IPAddress(ip_address(text)) for text in _LOOPBACK)]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return _pem(certificate, key)


def _pem(certificate: x509.Certificate, key: object) -> Certificate:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def _machine_names() -> list[str]:
    names = [socket.gethostname()]

    def ask() -> None:
        names.append(socket.getfqdn())

    # Without a name server this can take many seconds; the full name is left out then.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(1.0)
    return [name.lower() for name in names if name.isascii() and name]
