"""Checks of the way from this machine to a gateway: one step after the other, each with its deadline.

The checks trust, remember and change nothing; they open a session and close it again.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from zb_mom_ww_mxgateway.auth import redact_key
from zb_mom_ww_mxgateway.contract.adoption import spoken
from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError, MxGatewayCommandError, MxGatewayError
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway.version import GATEWAY_PROTOCOL_VERSION
from zb_mom_ww_mxgateway_console.connect.options import API_KEY_VARIABLE, Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, exit_code_of
from zb_mom_ww_mxgateway_console.text.wording import error_text
from zb_mom_ww_mxgateway_shell.diagnosis.findings import Diagnosis, Finding, Verdict, bad, note, ok, worst
from zb_mom_ww_mxgateway_shell.diagnosis.network import NetworkProbe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.profiles import with_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession

SECONDS = {
    "name": 5.0,
    "port": 5.0,
    "certificate": 10.0,
    "contract": 5.0,
    "key": 15.0,
    "session": 40.0,
    "clock": 5.0,
    "version": 5.0,
    "galaxy": 10.0,
    "alarms": 10.0,
}
"""Time limit of each step. A session is a process that the gateway has to start."""
_CLOSING_SECONDS = 3.0
"""Seconds in which the gateway confirms that the session is closed, without the few that the library takes itself."""
_SILENT = {
    "name": "the name server does not answer",
    "port": "no answer from the address, or a firewall drops it: check the address, the port and the firewall",
    "certificate": "the port accepts connections but does not answer in TLS: it may not be the gateway's",
    "contract": "the file of the contract cannot be read",
    "key": "the gateway does not answer a call",
    "session": "the gateway started no worker in this time: its log has the reason",
    "clock": "the gateway does not answer",
    "version": "the gateway does not answer",
    "galaxy": "the gateway does not answer for its galaxy: its database may be slow",
    "alarms": "the gateway does not answer for its alarms",
}
_SKEW = timedelta(minutes=2)


class Doctor:
    """Feed of findings about one gateway. `keyed` gives the connection with its key when a step needs it."""

    def __init__(self, subject: str, connection: Connection, keyed: Callable[[], Awaitable[Connection]]) -> None:
        self._subject = subject
        self._connection = connection
        self._keyed = keyed
        self._options = with_key(connection, None).client_options()
        self._way = NetworkProbe(self._options)
        self._findings: list[Finding] = []
        self._client: GatewayClient | None = None
        self._live: LiveSession | None = None
        self._opened = datetime.now(UTC), datetime.now(UTC)
        self._step, self._step_began = "", clock.monotonic()

    def step(self) -> str:
        """Return the step that it takes, and for how long."""
        return f"{self._step}, {age_text(clock.monotonic() - self._step_began)}"

    async def follow(self, show: Callable[[str], None]) -> Diagnosis:
        """Show each finding as it comes; stop where the next step would fail for the same reason."""
        steps: tuple[tuple[str, Callable[[], Awaitable[list[Finding]]], bool], ...] = (
            ("name", self._way.name, True),
            ("port", self._way.reach, True),
            ("certificate", lambda: self._way.certificate(SECONDS["certificate"]), True),
            ("contract", self._contract, True),
            ("key", self._key, True),
            ("session", self._session, False),
            ("clock", self._clock, False),
            ("version", self._version, False),
            ("galaxy", self._galaxy, False),
            ("alarms", self._alarms, False),
        )
        try:
            for name, step, is_needed in steps:
                found = await self._findings_of(name, step)
                for finding in found:
                    self._findings.append(finding)
                    show(finding.line())
                if is_needed and any(finding.verdict is Verdict.BAD for finding in found):
                    break
        finally:
            await self._close_connection(show)
        return dataclasses.replace(self.result(), shown=True)

    def result(self) -> Diagnosis:
        """Return the findings so far."""
        if not self._findings:
            return Diagnosis(self._subject, (), Finding("", Verdict.UNKNOWN, ""), exit_code=ExitCode.INTERRUPTED)
        deciding = worst(self._findings)
        if deciding.verdict is not Verdict.BAD:
            noted = f", but {deciding.meaning}" if deciding.meaning else ""
            deciding = Finding("", Verdict.OK, "", f"nothing is wrong with {self._options.endpoint}{noted}")
        return Diagnosis(
            self._subject or self._options.endpoint,
            tuple(self._findings),
            deciding,
            exit_code=deciding.exit_code if deciding.verdict is Verdict.BAD else ExitCode.DONE,
        )

    async def _findings_of(self, name: str, step: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
        """Run a step and return its findings; an error becomes a finding."""
        seconds = SECONDS[name]
        self._step, self._step_began = name, (started := clock.monotonic())
        try:
            # A person who types the key has no time limit.
            connection = await self._keyed() if name == "key" else None
            started = clock.monotonic()
            async with asyncio.timeout(seconds):
                if connection is not None:
                    self._connection = connection
                found = await step()
        except TimeoutError:
            silence = f"no answer within {seconds:g} s"
            found = [bad(name, silence, f"{silence}: {_SILENT[name]}", ExitCode.CANNOT_CONNECT)]
        except ShellError as error:
            found = [bad(name, str(error), str(error), error.exit_code)]
        except click.UsageError as error:
            found = [bad(name, error.format_message(), error.format_message(), ExitCode.USAGE)]
        except (MxGatewayError, OSError, ValueError) as error:
            code = exit_code_of(error) if isinstance(error, MxGatewayError) else ExitCode.CANNOT_CONNECT
            found = [bad(name, error_text(error), error_text(error), code)]
        took = (clock.monotonic() - started) * 1000
        return [dataclasses.replace(found[0], milliseconds=took), *found[1:]] if found else []

    async def _close_connection(self, show: Callable[[str], None]) -> None:
        live, client, self._live, self._client = self._live, self._client, None, None
        self._step, self._step_began = "closing the session", clock.monotonic()
        try:
            if live is not None:
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await live.aclose()
        except (MxGatewayError, TimeoutError) as error:
            why = error_text(error) if isinstance(error, MxGatewayError) else f"no answer within {_CLOSING_SECONDS:g} s"
            finding = note("session", f"not closed: {why}", "it ends by itself when its lease runs out")
            self._findings.append(finding)
            show(finding.line())
        finally:
            if client is not None:
                await client.close()

    async def _contract(self) -> list[Finding]:
        """Which contract is spoken: what comes next goes by it."""
        found = spoken()
        if found.is_built_in:
            return [ok("contract", "built-in")]
        return [ok("contract", f"{found}; mxgw-py contract reset goes back to the built-in one")]

    # The gateway.

    async def _key(self) -> list[Finding]:
        from zb_mom_ww_mxgateway import GatewayClient

        options = self._connection.client_options()
        # A check must not make a certificate trusted; a remembered one counts.
        if self._way.known is None:
            options = dataclasses.replace(options, remember_certificate=False)
        self._options = options = dataclasses.replace(options, protocol_mismatch="ignore")
        self._client = await GatewayClient.connect(options)
        if options.api_key is None:
            return [ok("key", "not needed")]
        return [ok("key", f"{redact_key(options.api_key)} from {_source(self._connection)} is accepted")]

    async def _session(self) -> list[Finding]:
        from zb_mom_ww_mxgateway import LiveSession, OpenSessionOptions

        assert self._client is not None  # set by the step before
        before = datetime.now(UTC)
        session = await self._client.open_session(OpenSessionOptions(client_session_name="mxgw-shell doctor"))
        self._opened = before, datetime.now(UTC)
        self._live = await LiveSession.open(self._client, session)
        started = clock.monotonic()
        await session.ping(timeout=5.0)
        took = (clock.monotonic() - started) * 1000
        worker = session.info.worker_process_id
        return [ok("session", f"opens, with its event stream; worker {worker} answers in {took:.1f} ms")]

    async def _clock(self) -> list[Finding]:
        """Compare the clocks here and there: the worker was started while the session was opened."""
        if self._live is None:
            return []
        try:
            started = (await self._live.session.get_worker_info()).started_at
        except MxGatewayError as error:
            return [Finding("clock", Verdict.UNKNOWN, f"cannot be checked: {error}")]
        if started is None:
            return [Finding("clock", Verdict.UNKNOWN, "the gateway does not report when its worker started")]
        before, after = self._opened
        off = started - min(max(started, before), after)
        began = f"the worker started at {date_and_time(started)} by the gateway's clock"
        if abs(off) <= _SKEW:
            return [ok("clock", f"{began}, as here")]
        way = "ahead of" if off > timedelta() else "behind"
        why = f"the gateway's clock is {age_text(abs(off).total_seconds())} {way} this machine's"
        return [note("clock", f"{began}, at {date_and_time(after)} here", why)]

    async def _version(self) -> list[Finding]:
        if self._live is None:
            return []
        theirs, ours = self._live.session.info.gateway_protocol_version, GATEWAY_PROTOCOL_VERSION
        if theirs == ours:
            return [ok("version", f"gateway protocol {theirs}, as here")]
        text = f"gateway protocol {theirs or 'unknown'}, here {ours}"
        why = "commands may fail or mean something else: use a client and a gateway of the same protocol version"
        return [bad("version", text, why, ExitCode.REFUSED)]

    async def _galaxy(self) -> list[Finding]:
        assert self._client is not None
        try:
            answers = await self._client.galaxy.test_connection()
            deployed = await self._client.galaxy.last_deploy_time()
        except MxGatewayAuthorizationError:
            return [note("galaxy", "not for this key: it lacks metadata:read", "tags cannot be browsed or completed")]
        if not answers:
            why = (
                "the gateway does not reach the galaxy's database: check its configuration and the SQL Server. "
                "Until then browse and Tab may show a copy, and nothing that was deployed since"
            )
            return [bad("galaxy", "its database does not answer", why, ExitCode.REFUSED)]
        return [ok("galaxy", f"answers; {f'last deploy {date_and_time(deployed)}' if deployed else 'never deployed'}")]

    async def _alarms(self) -> list[Finding]:
        from zb_mom_ww_mxgateway import ActiveAlarm, AlarmProviderStatus

        assert self._client is not None
        count = 0
        try:
            async with self._client.stream_alarms() as messages:
                async for message in messages:
                    count += isinstance(message, ActiveAlarm)
                    if isinstance(message, AlarmProviderStatus):
                        if not message.degraded:
                            break
                        why = (
                            "alarms come from subtags, not from the alarm manager: some may be missing, references "
                            "name each object's own area, and an acknowledgement that is taken back is not reported"
                        )
                        return [note("alarms", f"{count} active, degraded: {message.reason}", why)]
        except MxGatewayAuthorizationError:
            return [note("alarms", "not for this key: it lacks events:read", "alarms cannot be shown")]
        except MxGatewayCommandError as error:
            return [note("alarms", f"none: {error}", "the gateway's configuration does not enable alarms")]
        return [ok("alarms", f"{count} active")]


def _source(connection: Connection) -> str:
    if connection.api_key_file:
        return f"the file {connection.api_key_file}"
    if type(connection) is not Connection:
        return "the source that the profile names"
    return f"the variable {connection.api_key_env or API_KEY_VARIABLE}"
