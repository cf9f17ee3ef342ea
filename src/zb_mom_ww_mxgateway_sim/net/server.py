"""The gRPC server behind its port: started, stopped, and started again on the same port."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import grpc

from zb_mom_ww_mxgateway_sim.net.certificate import Certificate
from zb_mom_ww_mxgateway_sim.net.tcp_proxy import TcpProxy
from zb_mom_ww_mxgateway_sim.runtime.errors import ListenError

MAX_MESSAGE = 16 * 1024 * 1024

_OPTIONS = (
    # The pipeline refuses replies that are too large, but an injected one must get through.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    # Otherwise two gateways would silently share one port.
    ("grpc.so_reuseport", 0),
)

# Address of the server itself; clients come through the proxy.
_INSIDE = "127.0.0.1:0"


class GatewayServer:
    """One port. ``add_services`` is called for each new server. The caller lets starts and stops take turns."""

    def __init__(
        self,
        host: str,
        port: int,
        add_services: Callable[[grpc.aio.Server], Awaitable[None]],
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._add_services = add_services
        self._interceptors = interceptors
        self._server: grpc.aio.Server | None = None
        self.proxy: TcpProxy = TcpProxy()
        self._listening = False

    @property
    def address(self) -> str:
        """Host and port for clients of this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)
        return _host_and_port(host, self._port)

    async def start(self, certificate: Certificate | None) -> None:
        """Listen, in plaintext if there is no certificate. Raise ListenError with the reason."""
        if not self._listening:
            address = _check(self._host, self._port)
            try:
                self._port = await self.proxy.start(address, self._port)
            except OSError as error:
                where = _host_and_port(self._host, self._port)
                raise ListenError(f"cannot listen on {where}: {error.strerror or error}") from error
            self._listening = True
        server = grpc.aio.server(interceptors=self._interceptors, options=_OPTIONS)
        await self._add_services(server)
        if certificate is None:
            port = server.add_insecure_port(_INSIDE)
        else:
            pair = (certificate.key_pem, certificate.certificate_pem)
            port = server.add_secure_port(_INSIDE, grpc.ssl_server_credentials([pair]))
        self._server = server
        await _to_completion(server.start())
        self.proxy.forward_to(port)

    async def stop(self, grace: float | None = None) -> None:
        """End every connection: at once, or after its calls, within ``grace`` real seconds. The port stays reserved."""
        server, self._server = self._server, None
        # Another process may get the inner port meanwhile: new connections must not reach it.
        self.proxy.forward_to(0)
        if server is not None:
            await _to_completion(server.stop(grace))

    async def aclose(self, grace: float) -> None:
        """Stop, and release the port. Idempotent."""
        await self.stop(grace)
        self._listening = False
        await self.proxy.aclose()


async def _to_completion(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, even if cancelled: gRPC crashes the process if a server goes while it starts or stops."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _host_and_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check(host: str, port: int) -> str:
    """Return the address of that host after a trial: asyncio's own error is not a readable line."""
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
            return str(address[0])
    except OSError as error:
        raise ListenError(f"cannot listen on {_host_and_port(host, port)}: {error.strerror or error}") from error
