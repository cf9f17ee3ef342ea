"""Certificates that a gateway may show beside its own usual one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from zb_mom_ww_mxgateway_sim.net.certificate import FILE_NAME


def serve_certificate(
    directory: Path,
    *,
    dns: Sequence[str] = (),
    addresses: Sequence[str] = (),
    common_name: str = "gateway",
    from_authority: bool = False,
    began_days_ago: int = 1,
    ends: datetime | None = None,
) -> Path:
    """Has a simulated gateway of that directory serve this certificate; returns the PEM of what issued it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    authority_key = ec.generate_private_key(ec.SECP256R1()) if from_authority else key
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Plant CA")]) if from_authority else subject
    builder = _builder(subject, issuer, key, began_days_ago, ends).add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    names = [*map(x509.DNSName, dns), *(x509.IPAddress(ip_address(address)) for address in addresses)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = _pem(builder.sign(authority_key, hashes.SHA256()))
    directory.mkdir(exist_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / FILE_NAME).write_bytes(private + certificate)
    if from_authority:
        authority = _builder(issuer, issuer, authority_key, began_days_ago).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        certificate = _pem(authority.sign(authority_key, hashes.SHA256()))
    root = directory / "root.pem"
    root.write_bytes(certificate)
    return root


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    began_days_ago: int,
    ends: datetime | None = None,
) -> x509.CertificateBuilder:
    began = datetime.now(UTC) - timedelta(days=began_days_ago)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(ends or began + timedelta(days=30))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
