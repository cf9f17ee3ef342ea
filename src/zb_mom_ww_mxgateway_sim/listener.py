"""The gRPC server on its port: started, stopped, and started again where it was."""

import socket
from collections.abc import Callable

import grpc

from .certificate import Certificate
from .errors import ListenError

MAX_MESSAGE = 16 * 1024 * 1024

_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    # Else two gateways would share one port without a word.
    ("grpc.so_reuseport", 0),
)


class Listener:
    """One address. ``add_services`` is called for each new server."""

    def __init__(self, host: str, port: int, add_services: Callable[[grpc.aio.Server], None]) -> None:
        self._host = host
        self._port = port
        self._add_services = add_services
        self._server: grpc.aio.Server | None = None

    @property
    def endpoint(self) -> str:
        """Where clients of this machine reach it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)
        return _joined(host, self._port)

    async def start(self, certificate: Certificate | None) -> None:
        """Listens, in plaintext without a certificate; ListenError says what is in the way."""
        _check(self._host, self._port)
        server = grpc.aio.server(options=_OPTIONS)
        self._add_services(server)
        address = _joined(self._host, self._port)
        try:
            if certificate is None:
                port = server.add_insecure_port(address)
            else:
                pair = (certificate.key_pem, certificate.certificate_pem)
                port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except RuntimeError as error:
            raise ListenError(f"cannot listen on {address}: in use, or not an address of this machine") from error
        self._port = port
        self._server = server
        await server.start()

    async def stop(self, grace: float | None = None) -> None:
        """Ends every connection: at once, or when its calls have ended, within ``grace`` real seconds.

        The port stays this listener's for the next start.
        """
        server, self._server = self._server, None
        if server is not None:
            await server.stop(grace)


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check(host: str, port: int) -> None:
    """Tries the address first: grpc's own refusal says no reason and writes to standard error."""
    try:
        ((family, kind, protocol, _, address), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ListenError(f"cannot listen on {_joined(host, port)}: {error.strerror or error}") from error
