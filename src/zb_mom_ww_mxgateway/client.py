"""A connected gateway client, and the sessions opened on it."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from zb_mom_ww_mxgateway import arguments, auth, contract, wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink, open_session_raw, tag_of
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewayContractError,
    MxGatewayError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
)
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.results import SessionInfo
from zb_mom_ww_mxgateway.options import ClientOptionNames, ClientOptions, OpenSessionOptions, check_replacement
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.system.process_limits import check_descriptors, warn_of_tracing
from zb_mom_ww_mxgateway.transport import tls
from zb_mom_ww_mxgateway.transport.calls import Transport
from zb_mom_ww_mxgateway.transport.channels import make_channel
from zb_mom_ww_mxgateway.transport.client_observers import tell_of_connection
from zb_mom_ww_mxgateway.transport.command_channel import CommandChannel
from zb_mom_ww_mxgateway.transport.connect_errors import why_not_connected
from zb_mom_ww_mxgateway.transport.observers import CommandObserver, Observation
from zb_mom_ww_mxgateway.transport.streams import MessageStream

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.galaxy import Galaxy
    from zb_mom_ww_mxgateway.models.alarms import ActiveAlarm, AlarmFeedItem
    from zb_mom_ww_mxgateway.models.write_guard import WriteGuard

# Seconds between attempts to connect to a gateway that is waited for, and the least for the last one.
_DELAYS, _LEAST_TIMEOUT = (0.2, 0.5, 1.0, 2.0), 1.0
# Seconds until a connection that a call has lost shows that it is lost.
_MOMENT = 0.1
_SET_KEY = "set api_key="


class GatewayClient:
    """A connected client. Made by :meth:`connect`; also an async context manager.

    Belongs to the event loop it was made on. Every call takes a `timeout` in seconds; without one it is
    ``ClientOptions.call_timeout``. A call that changes the plant and is not answered in time has an unknown outcome.
    """

    def __init__(self, options: ClientOptions, trust: tls.Trust, channel: CommandChannel) -> None:
        self._transport = Transport(options, trust, channel, tag_of)

    @property
    def options(self) -> ClientOptions:
        """Options of this client. Some may be replaced, and count from the next call.

        These are the time-outs, the write guard, `event_buffer_bytes` and `protocol_mismatch`. Another value of
        anything else, and no write guard in place of one, raises MxGatewayArgumentError and changes nothing.
        """
        return self._transport.options

    @options.setter
    def options(self, options: ClientOptions) -> None:
        check_replacement(self.options, options)
        self._transport.options = options

    @property
    def trust(self) -> tls.Trust:
        """What the connection relies on to know the gateway: plaintext, roots, or a remembered certificate."""
        return self._transport.trust

    async def reconnected(self, timeout: float) -> bool:
        """Connect again where the connection was lost, in at most `timeout` seconds; return whether it is connected.

        For a moment after a call has lost it, a connection may still seem to be there: that moment is waited for first.
        """
        await asyncio.sleep(self._transport.failed_at + _MOMENT - clock.monotonic())
        if not self._transport.channel.is_connected():
            await self._transport.renew_trust()
        return await self._transport.channel.reconnected(timeout)

    def beside(self, write_guard: "WriteGuard | None") -> Self:
        """Return another client on the same connection, with this write guard in place of this client's own.

        For sessions whose writes are judged apart. Makes no call. Each is closed by itself, which ends its streams;
        the connection is closed with the last of them.
        """
        self._transport.check_open("beside")
        made = type(self)(replace(self.options, write_guard=write_guard), self.trust, self._transport.channel)
        # It is the same gateway.
        made._transport.agreement = self._transport.agreement
        return made

    def observe(self, observer: CommandObserver) -> Observation:
        """Show every command from now on to `observer`, until the handle returned is ended, or the client is closed."""
        return self._transport.observers.add(observer)

    @cached_property
    def galaxy(self) -> "Galaxy":
        """Galaxy behind this gateway."""
        from zb_mom_ww_mxgateway.galaxy import Galaxy  # A session needs none of it.

        return Galaxy(self._transport)

    @classmethod
    async def connect(
        cls, options: ClientOptions | str | None = None, *, wait: float = 0.0, **names: Unpack[ClientOptionNames]
    ) -> Self:
        """Connect, by :class:`ClientOptions` or by the same names as keywords, and make a first call.

        The endpoint may come first without its name. Where nothing answers yet, it tries again for `wait` seconds: for
        a gateway that is being started. An error that no further attempt can change is raised at once.

        Raises MxGatewayTransportError when the gateway cannot be reached or trusted and
        MxGatewayAuthenticationError when it does not accept the key; MxGatewayContractError when it does not speak the
        contract that is spoken here. Cancelling leaves nothing open.
        """
        options = _options_of(options, cast("dict[str, Any]", names))
        if options.contract is not None:
            contract.use(options.contract)
        if wait != 0:
            arguments.seconds("wait", wait)
        if options.api_key is not None:
            warn_of_tracing()
        until, timeout, tries = clock.monotonic() + wait, options.connect_timeout, 0
        while True:
            check_descriptors(options.endpoint, "connect")
            try:
                client = await cls._connected(options, timeout)
            except MxGatewayError as error:
                tell_of_connection(options, "failed", error)
                if not isinstance(error, MxGatewayTransportError | MxGatewayWorkerError):
                    raise
                left = until - clock.monotonic()
                if left <= 0 or (isinstance(error, MxGatewayTransportError) and error.is_lasting):
                    if tries:
                        error.add_note(f"tried {tries + 1} times within {wait:g} s")
                    raise
            else:
                client._transport.channel.is_known = True
                tell_of_connection(options, "connected")
                return client
            import random  # Lazy: most connect at once.

            await asyncio.sleep(min(left, _DELAYS[min(tries, len(_DELAYS) - 1)] * random.uniform(0.75, 1.25)))
            tries += 1
            timeout = max(_LEAST_TIMEOUT, min(options.connect_timeout, until - clock.monotonic()))

    @classmethod
    async def _connected(cls, options: ClientOptions, timeout: float) -> Self:
        is_reached = False
        try:
            async with asyncio.timeout(timeout):
                trust = await tls.settle(options)
                client = cls(options, trust, CommandChannel(make_channel(options, trust)))
                try:
                    await client._remember()
                    await client._first_call()
                except BaseException:
                    is_reached = client._transport.channel.is_connected()
                    await client.close()
                    raise
        except TimeoutError:
            raise MxGatewayTransportError(
                f"cannot connect to {options.endpoint}: "
                f"{'it is reached, and gave ' if is_reached else ''}no answer within {timeout:g} s; "
                f"{'its galaxy database may hang' if is_reached else 'check the address, the port and the firewall'}",
                endpoint=options.endpoint,
                call="connect",
            ) from None
        return client

    async def _remember(self) -> None:
        """Remember a certificate that is seen for the first time.

        That happens after the certificate has served a connection and before the key is sent, so the key goes to the
        remembered gateway or to none.
        """
        if not self.trust.is_first_use or not self.options.remember_certificate:
            return
        if not await self._transport.channel.first_connected():
            # Only a call says why. It has no key, as the connection may succeed this time.
            with self._transport.without_key(), suppress(MxGatewayAuthenticationError):
                await self._first_call()
        self._transport.trust = await tls.remembered(self.options, self.trust)

    async def _first_call(self) -> None:
        """Prove that the gateway answers and accepts the key, which needs no scope for that."""
        refused: MxGatewayAuthenticationError | None = None
        try:
            reply = await self._transport.unary(wire.TEST_CONNECTION, galaxy_pb.TestConnectionRequest(), call="connect")
            self._transport.agreement.check_connection(reply)
        except MxGatewayContractError:
            raise
        except (MxGatewayAuthorizationError, MxGatewayCommandError):
            pass
        except MxGatewayAuthenticationError as error:
            refused = error
        except MxGatewayTransportError as error:
            raise await why_not_connected(self.options, self.trust, error) from error
        if refused is not None:
            raise MxGatewayAuthenticationError(
                f"no key: {self.options.endpoint} wants one (mxgw_<id>_<secret>); {_SET_KEY}"
                if self.options.api_key is None
                else f"{self.options.endpoint} does not accept the key {auth.redact_key(self.options.api_key)}: "
                f"check that it is whole, not revoked, and this gateway's",
                endpoint=refused.endpoint,
                call="connect",
                grpc_code=refused.grpc_code,
                advice=_SET_KEY if self.options.api_key is None else "",
            ) from refused

    async def open_session(self, options: OpenSessionOptions | None = None, *, timeout: float | None = None) -> Session:
        """Open a session: a worker process with one MXAccess object, until it is closed or its lease ends.

        `timeout` is in seconds. When cancelled, it closes the session that the gateway opens all the same, which takes
        a few seconds at most.
        """
        return Session(await SessionLink.open(self._transport, options, timeout=timeout))

    async def open_session_raw(
        self, options: OpenSessionOptions | None = None, *, timeout: float | None = None
    ) -> pb.OpenSessionReply:
        """Open a session and return the gateway's message; :meth:`attach` takes its session id."""
        return await open_session_raw(self._transport, options, timeout=timeout)

    def attach(self, session_id: str) -> Session:
        """Return a session that was opened elsewhere, by its id. Makes no call; its handles are unknown here."""
        if not isinstance(session_id, str) or not session_id.strip():
            raise MxGatewayArgumentError("session_id must not be empty")
        return Session(SessionLink(self._transport, SessionInfo(session_id, "", 0, 0, 0, (), 0.0)))

    def stream_alarms(self, prefix: str = "") -> "MessageStream[AlarmFeedItem]":
        """Stream the alarms whose reference begins with `prefix`.

        First come those active now, a mark that these are all, and the provider's status; then transitions as they
        happen.
        """
        request = wire.stream_alarms_request(arguments.sendable("prefix", prefix), self._session_less_correlation_id())
        return self._transport.stream(wire.STREAM_ALARMS, request, call="stream_alarms", decode=wire.from_alarm_feed)

    def query_active_alarms(self, prefix: str = "", *, timeout: float | None = None) -> "MessageStream[ActiveAlarm]":
        """Stream the alarms active now whose reference begins with `prefix`; `timeout` is in seconds for all."""
        request = wire.query_active_alarms_request(
            arguments.sendable("prefix", prefix), self._session_less_correlation_id()
        )
        return self._transport.stream(
            wire.QUERY_ACTIVE_ALARMS,
            request,
            call="query_active_alarms",
            decode=wire.from_active_alarm,
            timeout=timeout,
        )

    def _session_less_correlation_id(self) -> str:
        """Return a correlation id; none until the gateway has shown its contract, as it could take it for a filter."""
        return self._transport.next_correlation_id() if self._transport.agreement.is_shown else ""

    async def acknowledge_alarm(
        self, reference: str, comment: str = "", operator: str = "", *, timeout: float | None = None
    ) -> None:
        """Acknowledge an alarm by its reference (``Galaxy!Area.Object.Alarm``) or GUID.

        It counts as a write: the write guard is asked, and an error has ``outcome_unknown`` when it may have happened
        although no answer came.
        """
        from zb_mom_ww_mxgateway.models.alarms import check_reference  # A session needs none of it.

        request = wire.acknowledge_alarm_request(
            check_reference(reference),
            arguments.sendable("comment", comment),
            arguments.sendable("operator", operator),
            self._transport.next_correlation_id(),
        )
        reply = await self._transport.unary(wire.ACKNOWLEDGE_ALARM, request, call="acknowledge_alarm", timeout=timeout)
        wire.raise_for_status(
            reply,
            call="acknowledge_alarm",
            printable=self._transport.printable,
            mutating=True,
            endpoint=self.options.endpoint,
            correlation_id=wire.correlation_of(request),
        )

    async def invoke(self, request: pb.MxCommandRequest, *, timeout: float | None = None) -> pb.MxCommandReply:
        """Send one command and return the reply as it came; a refusal is returned, too, not raised.

        Cancelling stops the waiting, not the command. `timeout` is in seconds; without one it is
        ``ClientOptions.call_timeout``. Raises with ``outcome_unknown`` when a command that changes the plant may have
        run unanswered.
        """
        return await self._transport.invoke(request, timeout=timeout)

    async def close(self) -> None:
        """End all streams and the connection. Idempotent. Sessions stay open until closed or expired."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<GatewayClient {self.options.endpoint}{' closed' if self._transport.closed else ''}>"


def _options_of(options: ClientOptions | str | None, names: dict[str, Any]) -> ClientOptions:
    """Return the options that :meth:`GatewayClient.connect` was given. Empties `names`: error frames keep no key."""
    given = ", ".join(names)
    try:
        if options is None:
            return ClientOptions(**names)
        if isinstance(options, str):
            if "endpoint" in names:
                raise MxGatewayArgumentError("endpoint given twice: first, and by its name")
            return ClientOptions(endpoint=options, **names)
    finally:
        names.clear()
    if not isinstance(options, ClientOptions):
        raise MxGatewayArgumentError(
            f"connect takes ClientOptions, or an endpoint like localhost:5000, not {type(options).__name__}"
        )
    if given:
        raise MxGatewayArgumentError(f"options given twice: as an object and as {given}")
    return options
