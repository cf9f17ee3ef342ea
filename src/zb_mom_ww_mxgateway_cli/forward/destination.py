"""Where messages go: the broker's URL, what proves who we are, and whom we trust."""

import re
import ssl
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError

Protocol = Literal["nats", "mqtt", "print"]

STANDARD_OUTPUT = "-"
_SCHEMES: dict[str, tuple[Protocol, bool, int]] = {
    "nats": ("nats", False, 4222),
    "tls": ("nats", True, 4222),
    "natss": ("nats", True, 4222),
    "mqtt": ("mqtt", False, 1883),
    "mqtts": ("mqtt", True, 8883),
}
"""By scheme: protocol, whether TLS is used, default port."""
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?")


@dataclass(frozen=True)
class Address:
    """One broker. Its text never contains a password, because none is accepted in a URL."""

    protocol: Protocol
    host: str = ""
    port: int = 0
    is_secure: bool = False
    text: str = STANDARD_OUTPUT


def address_of(url: str) -> Address:
    """Parse ``nats://HOST[:PORT]``, ``tls://…``, ``natss://…``, ``mqtt://…``, ``mqtts://…`` or ``-``.

    Raises MxGatewayArgumentError, which never quotes the URL: it may contain a password.
    """
    if url == STANDARD_OUTPUT:
        return Address("print")
    if "@" in url:
        raise MxGatewayArgumentError(
            "a user or a password does not belong in the broker's URL, where other programs can read it: "
            "use --broker-user, and --broker-password-env or --broker-password-file"
        )
    schemes = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
    # What follows may be a password at a wrong place, so it is not quoted.
    scheme = next((each for each in _SCHEMES if url.lower().startswith(f"{each}://")), "")
    if not scheme:
        raise MxGatewayArgumentError(f"the broker's URL begins with {schemes}, or is -")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise MxGatewayArgumentError(
            f"the broker's URL names a host, and a port from 1 to 65535 if any: {scheme}://HOST or {scheme}://HOST:PORT"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise MxGatewayArgumentError(
            f"the broker's URL ends with its host or port, as {scheme}://HOST:PORT does: --topic names topics"
        )
    protocol, is_secure, usual = _SCHEMES[scheme]
    host = parts.hostname
    bracketed = f"[{host}]" if ":" in host else host
    return Address(protocol, host, port or usual, is_secure, f"{scheme}://{bracketed}:{port or usual}")


@dataclass(frozen=True)
class Access:
    """What a broker is given to know us, and what we know it by."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    """The password of `user`; for NATS without a user, a token."""
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    def tls_context(self) -> ssl.SSLContext:
        """Return the context of a verified connection; raise MxGatewayArgumentError for a file that cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise MxGatewayArgumentError(f"cannot read the roots {self.ca_file}: {_reason(error)}") from None
        if self.certificate_file is not None:
            try:
                # Without a password function OpenSSL would ask on the terminal.
                context.load_cert_chain(self.certificate_file, self.key_file, password=lambda: "")
            except (OSError, ssl.SSLError) as error:
                files = f"{self.certificate_file} and {self.key_file or 'its key'}"
                raise MxGatewayArgumentError(
                    f"cannot use the certificate {files}: {_reason(error)} (a key with a passphrase is not supported)"
                ) from None
        return context


@dataclass(frozen=True)
class Destination:
    """Brokers of one cluster, which are tried in turn, and the access to them."""

    addresses: tuple[Address, ...]
    access: Access

    @property
    def protocol(self) -> Protocol:
        """The protocol that all of them speak."""
        return self.addresses[0].protocol


def destination_of(urls: tuple[str, ...], access: Access) -> Destination:
    """Return the destination of these URLs; raise MxGatewayArgumentError where they cannot be right together."""
    addresses = tuple(map(address_of, urls))
    if len({(each.protocol, each.is_secure) for each in addresses}) > 1:
        raise MxGatewayArgumentError("several brokers are one cluster: all URLs begin with the same scheme")
    first = addresses[0]
    if first.protocol == "print":
        if len(addresses) > 1 or access != Access():
            raise MxGatewayArgumentError("standard output takes no other broker, user, password or certificate")
        return Destination(addresses, access)
    tls_files = access.ca_file or access.certificate_file or access.key_file
    if tls_files and not first.is_secure:
        secure = "tls" if first.protocol == "nats" else "mqtts"
        raise MxGatewayArgumentError(f"a certificate is for a connection with TLS: begin the URL with {secure}://")
    if access.key_file and not access.certificate_file:
        raise MxGatewayArgumentError("a key file belongs to a certificate: name it, too")
    if first.protocol == "mqtt" and access.password is not None and access.user is None:
        raise MxGatewayArgumentError("a password of MQTT belongs to a user: name it, too")
    if first.protocol == "nats" and access.user is not None and access.password is None:
        raise MxGatewayArgumentError("a user of NATS has a password: name its source, too")
    if first.is_secure:
        access.tls_context()
    return Destination(addresses, access)


def _reason(error: OSError | ssl.SSLError) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
