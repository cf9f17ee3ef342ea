"""Checks before any key is sent: host name, port, certificate."""

import asyncio
import base64
import dataclasses
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta

from zb_mom_ww_mxgateway.options import ClientOptions, split_endpoint
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway.transport import tls
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.diagnosis.findings import Finding, bad, note, ok
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process.unwaited import unwaited

_SOON = timedelta(days=30)


class NetworkProbe:
    """Checks of each part of the way; they trust and remember nothing."""

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._host, self._port = split_endpoint(options.endpoint)
        self.known: tls.KnownGateway | None = None
        """The remembered certificate, after :meth:`certificate` has run."""

    async def name(self) -> list[Finding]:
        """Check whether the host has an address."""
        try:
            found = await _addresses(self._host, self._port)
        except socket.gaierror as error:
            why = f"the host name {self._host} is unknown here: check its spelling, and the name server or hosts file"
            return [bad("name", f"{self._host}: {error.strerror}", why, ExitCode.CANNOT_CONNECT)]
        return [ok("name", f"{self._host} is {', '.join(found)}")]

    async def reach(self) -> list[Finding]:
        """Check whether one of its addresses accepts connections."""
        failures: list[OSError] = []
        for address in await _addresses(self._host, self._port):
            try:
                _, writer = await asyncio.open_connection(address, self._port)
            except OSError as error:
                failures.append(error)
                continue
            writer.transport.abort()
            return [ok("port", f"{address} port {self._port} accepts connections")]
        if any(isinstance(error, ConnectionRefusedError) for error in failures):
            why = "connection refused: nothing listens on the port; check that the gateway runs, and the port"
        else:
            why = "the machine cannot be reached from here: check the network, the address and the firewall"
        return [bad("port", "; ".join(map(_reason, failures)), why, ExitCode.CANNOT_CONNECT)]

    async def certificate(self, timeout: float) -> list[Finding]:
        """Check the certificate that the gateway shows within `timeout` seconds.

        The findings say whether it is the remembered one, its names, its validity, and whether it verifies where it
        must. Raises the library's errors.
        """
        options = self._options
        if options.plaintext:
            return [
                note("certificate", "none: plaintext, as asked", "anyone on the way can read the key and every value")
            ]
        now = await tls.seen_now(options.endpoint, timeout)
        facts = tls.facts_of(base64.b64decode(now.certificate))
        found = [self._trust(now)]
        names = ", ".join(facts.names) or facts.common_name or "none"
        if options.trust_on_first_use or self._host in facts.names:
            found.append(ok("names", names))
        else:
            found.append(note("names", f"{names}; not {self._host}"))
        found += [_validity(facts), *await self._verified()]
        return found

    def _trust(self, now: tls.KnownGateway) -> Finding:
        options = self._options
        shown = f"SHA-256 {now.sha256}"
        if not options.trust_on_first_use:
            return ok("certificate", shown)
        known = None
        if options.remember_certificate:
            known = self.known = tls.KnownGateways(options.known_gateways).get(options.endpoint)
        if known is None:
            why = f"compare the fingerprint with the gateway's log: connecting to {options.endpoint} trusts it"
            return note("certificate", f"{shown}, not remembered", why if options.remember_certificate else "")
        if known.sha256 == now.sha256:
            return ok("certificate", f"{shown}, as remembered since {known.since}")
        return dataclasses.replace(
            bad(
                "certificate",
                f"CHANGED: {shown}; remembered since {known.since} is {known.sha256}",
                "the gateway shows another certificate than before, so no key was sent. If it was reinstalled, compare "
                "the fingerprint with its log; if not, someone may be intercepting",
                ExitCode.CANNOT_CONNECT,
            ),
            tries=(f"mxgw-shell trust {options.endpoint}",),
        )

    async def _verified(self) -> list[Finding]:
        """Check whether the certificate verifies, where it must."""
        options = self._options
        if options.trust_on_first_use:
            return []
        roots = str(options.ca_file) if options.ca_file else None
        try:
            context = ssl.create_default_context(cafile=roots)
        except OSError as error:
            raise ShellError(f"the roots in {roots} cannot be read: they must be PEM certificates") from error
        context.set_alpn_protocols(["h2"])
        name = options.server_name_override or self._host
        against = roots or "the system's roots"
        try:
            _, writer = await asyncio.open_connection(self._host, self._port, ssl=context, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            why = (
                f"the certificate does not verify for {name} against {against}: {error.verify_message}. Name its root "
                f"with --ca-file, the name it carries with --server-name-override, or trust it on first use"
            )
            return [bad("verified", error.verify_message, why, ExitCode.CANNOT_CONNECT)]
        writer.transport.abort()
        return [ok("verified", f"for {name} against {against}")]


def _validity(facts: tls.CertificateFacts) -> Finding:
    now = datetime.now(UTC)
    text = f"{date_and_time(facts.not_before)} to {date_and_time(facts.not_after)}; now {date_and_time(now)} here"
    if now < facts.not_before:
        why = "the certificate is not valid yet: the clock of this machine is slow, or the gateway's was fast"
        return bad("validity", text, why, ExitCode.CANNOT_CONNECT)
    if now > facts.not_after:
        why = "the certificate has expired (or the clock of this machine is fast): the gateway needs a new one"
        return bad("validity", text, why, ExitCode.CANNOT_CONNECT)
    if facts.not_after - now < _SOON:
        return note("validity", text, "the certificate expires soon")
    return ok("validity", text)


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


async def _addresses(host: str, port: int) -> list[str]:
    """Return the host's addresses. The thread that asks is not awaited: a name server can take half a minute."""

    def ask() -> list[str]:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(info[4][0]) for info in infos))

    return await unwaited(ask, "name resolution")
