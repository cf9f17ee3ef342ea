"""Options of a client and of a session: frozen, keyword-only, checked when they are made."""

import functools
import inspect
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from zb_mom_ww_mxgateway.arguments import seconds
from zb_mom_ww_mxgateway.auth import ApiKey, check_api_key, redact, redact_key
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.models.client_observer import ClientObserver
    from zb_mom_ww_mxgateway.models.write_guard import WriteGuard

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_-]{1,63})*\.?")
_PORT = re.compile(r"0*[0-9]{1,5}")


def split_endpoint(endpoint: str) -> tuple[str, int]:
    """Return host and port of ``host:port`` or ``[v6]:port``; raise MxGatewayArgumentError for anything else."""
    if not isinstance(endpoint, str):
        raise MxGatewayArgumentError(f"endpoint must be text like localhost:5000, not {type(endpoint).__name__}")
    if "://" in endpoint:
        raise MxGatewayArgumentError(
            f"endpoint {endpoint!r}: host:port expected, without a scheme; "
            f"TLS is the default, plaintext has its own option"
        )
    host, colon, port_text = endpoint.rpartition(":")
    if not colon or not _PORT.fullmatch(port_text) or not 1 <= int(port_text) <= 65535:
        raise MxGatewayArgumentError(f"endpoint {endpoint!r}: host:port expected, for example localhost:5000")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port_text)
        except ValueError:
            raise MxGatewayArgumentError(f"endpoint {endpoint!r}: {host[1:-1]!r} is not an IPv6 address") from None
    if not _HOST_NAME.fullmatch(host):
        raise MxGatewayArgumentError(
            f"endpoint {endpoint!r}: {host!r} is not a host name or address (an IPv6 address goes in brackets)"
        )
    return host, int(port_text)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ClientOptions:
    """How to reach and trust one gateway."""

    endpoint: str
    """``host:port``."""
    api_key: str | None = None
    """``mxgw_<id>_<secret>``; None for a gateway without keys. Shown redacted. Options with a key cannot be
    pickled."""
    plaintext: bool = False
    """No TLS. It must be asked for; the host's name never implies it."""
    ca_file: str | Path | None = None
    """PEM file of the root certificates that verify the gateway."""
    require_certificate_validation: bool = False
    """Verify against the system's root certificates. Without this and `ca_file`: trust on first use."""
    server_name_override: str | None = None
    """Name to expect in the certificate, in place of the endpoint's host."""
    remember_certificate: bool = True
    """Remember a certificate that was trusted on first use, and refuse another one later."""
    known_gateways: str | Path | None = None
    """File of remembered certificates; None is the user's own (see ``tls.default_known_gateways``)."""
    connect_timeout: float = 10.0
    """Seconds for the connection, TLS and the first call together."""
    call_timeout: float = 35.0
    """Seconds for one call; longer than the gateway's 30 s, so that the gateway reports a time-out first."""
    max_message_bytes: int = 16 * 1024 * 1024
    """Largest message in either direction; the gateway's own limit."""
    write_guard: "WriteGuard | None" = None
    """Asked before every call that changes the plant: an async function of a :class:`PendingWrite`. It returns True to
    allow the call, or False or a reason to refuse it."""
    event_buffer_bytes: int = 128 * 1024 * 1024
    """Bytes of each stream for events that were read but not yet taken. When they are full, the oldest events are
    dropped and a replay gap takes their place."""
    protocol_mismatch: Literal["warn", "error", "ignore"] = "warn"
    """What to do when a gateway speaks another protocol version than this library."""
    http_proxy: bool = False
    """Whether gRPC may use ``http_proxy`` and similar environment variables."""
    contract: str | Path | None = None
    """The gateway's descriptor set, which this process speaks from its first client on; another one is refused then.
    None is the contract that is spoken anyway, see ``contract.use``."""
    observers: "Sequence[ClientObserver]" = ()
    """Told of calls, states, gaps, outcomes of writes and more, as they happen."""

    def __post_init__(self) -> None:
        split_endpoint(self.endpoint)
        if self.api_key is not None:
            object.__setattr__(self, "api_key", ApiKey(check_api_key(self.api_key)))
        for name in ("plaintext", "require_certificate_validation", "remember_certificate", "http_proxy"):
            if not isinstance(getattr(self, name), bool):
                raise MxGatewayArgumentError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.plaintext and (self.ca_file or self.require_certificate_validation or self.server_name_override):
            raise MxGatewayArgumentError(
                "plaintext contradicts ca_file, require_certificate_validation and server_name_override"
            )
        if self.ca_file and self.require_certificate_validation:
            raise MxGatewayArgumentError("ca_file and require_certificate_validation exclude each other: name one")
        if self.write_guard is not None and not callable(self.write_guard):
            raise MxGatewayArgumentError("write_guard must be an async function of a PendingWrite")
        if self.protocol_mismatch not in ("warn", "error", "ignore"):
            raise MxGatewayArgumentError(
                f"protocol_mismatch must be 'warn', 'error' or 'ignore', not {self.protocol_mismatch!r}"
            )
        if self.contract is not None and not isinstance(self.contract, str | Path):
            raise MxGatewayArgumentError(f"contract must be the path of a descriptor set, not {self.contract!r}")
        if self.observers != ():
            object.__setattr__(self, "observers", _checked_observers(self.observers))
        seconds("connect_timeout", self.connect_timeout)
        seconds("call_timeout", self.call_timeout)
        for name in ("max_message_bytes", "event_buffer_bytes"):
            size = getattr(self, name)
            if not isinstance(size, int) or size < 1024:
                raise MxGatewayArgumentError(f"{name} must be a whole number of at least 1024, not {size!r}")

    @property
    def trust_on_first_use(self) -> bool:
        """Whether TLS verifies the gateway by the certificate that was seen first."""
        return not (self.plaintext or self.ca_file or self.require_certificate_validation)

    def __repr__(self) -> str:
        shown = []
        for field in fields(self):
            value = getattr(self, field.name, field.default)  # Traceback tools show half-made options too.
            if value != field.default:
                shown.append(f"{field.name}={_shown(field.name, value)}")
        return f"ClientOptions({', '.join(shown)})"


_REPLACEABLE = frozenset(("connect_timeout", "call_timeout", "write_guard", "event_buffer_bytes", "protocol_mismatch"))


def check_replacement(former: ClientOptions, options: ClientOptions) -> None:
    """Raise MxGatewayArgumentError where a connected client cannot take `options` in place of its `former` ones."""
    if not isinstance(options, ClientOptions):
        raise MxGatewayArgumentError(f"options must be ClientOptions, not {type(options).__name__}")
    for field in fields(ClientOptions):
        if field.name not in _REPLACEABLE and getattr(options, field.name) != getattr(former, field.name):
            raise MxGatewayArgumentError(f"{field.name} belongs to the client: connect again to change it")
    if former.write_guard is not None and options.write_guard is None:
        # It must not be lost by an oversight, as in options that do not derive from the client's.
        raise MxGatewayArgumentError(
            "options without the client's write_guard: keep it, or use beside(None), a client without one"
        )


def _checked_observers(observers: object) -> "tuple[ClientObserver, ...]":
    from zb_mom_ww_mxgateway.models.client_observer import ClientObserver  # Lazy: most programs have none.

    if not isinstance(observers, Sequence) or not all(isinstance(each, ClientObserver) for each in observers):
        raise MxGatewayArgumentError("observers must be a sequence of ClientObserver objects")
    for each in observers:
        for name in vars(ClientObserver):
            if inspect.iscoroutinefunction(getattr(each, name, None)):
                raise MxGatewayArgumentError(f"{type(each).__name__}.{name} of observers must be a plain function")
    return tuple(observers)


def _shown(name: str, value: object) -> str:
    if name == "api_key":
        return repr(redact_key(value) if isinstance(value, str) else "***")
    return redact(repr(value))  # A key may be in the wrong option.


_checked = ClientOptions.__init__


@functools.wraps(_checked)
def _without_key(self: ClientOptions, *arguments: Any, **names: Any) -> None:
    refused: Exception | None = None
    try:
        _checked(self, *arguments, **names)
    except Exception as error:
        # Its frames hold the plain key, and some tools show the variables of frames.
        refused = error.with_traceback(None)
    if refused is not None:
        names.clear()
        raise refused


ClientOptions.__init__ = _without_key  # type: ignore[method-assign]  # it has the signature of what it wraps


class ClientOptionNames(TypedDict, total=False):
    """Keywords of :class:`ClientOptions`, so that type checkers report an unknown one."""

    endpoint: str
    api_key: str | None
    plaintext: bool
    ca_file: str | Path | None
    require_certificate_validation: bool
    server_name_override: str | None
    remember_certificate: bool
    known_gateways: str | Path | None
    connect_timeout: float
    call_timeout: float
    max_message_bytes: int
    write_guard: "WriteGuard | None"
    event_buffer_bytes: int
    protocol_mismatch: Literal["warn", "error", "ignore"]
    http_proxy: bool
    contract: str | Path | None
    observers: "Sequence[ClientObserver]"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSessionOptions:
    """How to open a session."""

    client_session_name: str = ""
    """Shown in the gateway's dashboard and log; it does not identify the session."""
    command_timeout: float | None = None
    """Seconds that the worker may take for one command; None is the gateway's default (30)."""

    def __post_init__(self) -> None:
        if not isinstance(self.client_session_name, str):
            raise MxGatewayArgumentError(
                f"client_session_name must be text, not {type(self.client_session_name).__name__}"
            )
        if self.command_timeout is not None:
            seconds("command_timeout", self.command_timeout)
