"""The certificate that a gateway shows now beside the remembered one, for a person who decides whom to trust."""

import os
from dataclasses import dataclass
from typing import Self

from zb_mom_ww_mxgateway.transport.tls import KnownGateway, KnownGateways, seen_now, wrong_dates
from zb_mom_ww_mxgateway_console.connect.options import KNOWN_GATEWAYS_VARIABLE

QUESTION = "Is this the fingerprint in the gateway's log? Trust it from now on"
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """What a gateway shows, unverified, and what is remembered of it."""

    endpoint: str
    file: KnownGateways
    known: KnownGateway | None
    """The remembered certificate; None for a gateway that was never trusted."""
    now: KnownGateway

    @classmethod
    async def of(cls, endpoint: str, known_gateways: str | None) -> Self:
        """Ask a gateway; raise the library's errors. Nothing is sent to it, and nothing is remembered."""
        file = KnownGateways(known_gateways or os.environ.get(KNOWN_GATEWAYS_VARIABLE) or None)
        known = file.get(endpoint)
        return cls(endpoint, file, known, await seen_now(endpoint, _TIMEOUT))

    @property
    def lines(self) -> list[str]:
        """Both fingerprints, and what is wrong with the dates of the certificate."""
        wrong = wrong_dates(self.now)
        return [
            *([f"trusted  SHA-256 {self.known.sha256}   (first seen {self.known.since})"] if self.known else []),
            f"now      SHA-256 {self.now.sha256}",
            *([f"note     it {wrong}"] if wrong else []),
        ]

    @property
    def is_trusted(self) -> bool:
        """Whether it is the remembered one."""
        return self.known is not None and self.known.sha256 == self.now.sha256

    def problem_with(self, fingerprint: str | None) -> str:
        """Return why nothing is changed where this fingerprint was named, with or without colons; empty if it is its.

        That the shown certificate is trusted already is no reason to pass over another name for it.
        """
        if fingerprint is None or fingerprint.replace(":", "").strip().upper() == self.now.sha256.replace(":", ""):
            return ""
        return f"{self.endpoint} does not show the certificate {fingerprint}: nothing was changed"

    def remember(self) -> str:
        """Trust it from now on; return that in words. Raise MxGatewayTransportError where it cannot be written."""
        self.file.remember(self.now)
        return f"{self.endpoint} is trusted from now on, in {self.file.path}"
