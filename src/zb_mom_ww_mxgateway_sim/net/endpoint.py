"""The gateway's port: its server and its certificate, started, restarted and closed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from zb_mom_ww_mxgateway_sim.net import certificate as certificates
from zb_mom_ww_mxgateway_sim.net.certificate import Certificate
from zb_mom_ww_mxgateway_sim.net.server import GatewayServer


class GatewayEndpoint:
    """One port with TLS or in plaintext. Starts and stops take turns here."""

    def __init__(self, server: GatewayServer, *, plaintext: bool, certificate_directory: Path | str | None) -> None:
        """Open nothing yet. Directory None is the user's own data directory."""
        self.server = server
        self.plaintext = plaintext
        self.certificate: Certificate | None = None
        """The certificate that is served now; None in plaintext and before the start."""
        self._directory = Path(certificate_directory) if certificate_directory else None
        # gRPC crashes the process if a server is stopped while it starts.
        self._turn = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Listen. Raise ListenError or CertificateError if that is impossible."""
        if not self.plaintext:
            self.certificate = certificates.load_or_renew(self._certificate_directory())
        await self.server.start(self.certificate)

    async def restart(self, while_down: Callable[[], None]) -> None:
        """Stop, call ``while_down``, and listen on the same port again. Do nothing once closed."""
        async with self._turn:
            if self._closed:
                return
            await self.server.stop()
            while_down()
            await self.server.start(self.certificate)

    async def swap_certificate(self) -> None:
        """Listen on the same port with a new certificate, and keep it. Raise ValueError in plaintext."""
        if self.plaintext:
            raise ValueError("a plaintext gateway has no certificate")
        async with self._turn:
            if self._closed:
                return
            self.certificate = certificates.renew(self._certificate_directory())
            await self.server.stop()
            await self.server.start(self.certificate)

    async def aclose(self, grace: float) -> None:
        """Give calls ``grace`` real seconds to end, then close the port. Idempotent."""
        self._closed = True
        async with self._turn:
            await self.server.aclose(grace)

    def _certificate_directory(self) -> Path:
        return self._directory or certificates.default_directory()
