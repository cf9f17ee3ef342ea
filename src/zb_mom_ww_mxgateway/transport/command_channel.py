"""The channel of commands and alarms: its event loop, whether it is connected, and its replacement when it is dead."""

import asyncio
import weakref
from contextlib import suppress
from typing import Any, Protocol

import grpc
import grpc.aio

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayTransportError

_READY = grpc.ChannelConnectivity.READY
_CONNECTING = (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.CONNECTING)


class HomeLoop:
    """The event loop on which a client was made: its channels work on no other."""

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:  # made outside of one, for no call
            self._loop = None

    def check(self, call: str, endpoint: str) -> None:
        """Raise MxGatewayTransportError, with nothing sent, where the call is made on another loop."""
        if self._loop is None or asyncio.get_running_loop() is self._loop:
            return
        what = (
            "belongs to an event loop that is closed (each asyncio.run has its own): connect again"
            if self._loop.is_closed()
            else "belongs to another event loop: call it there, from a thread with asyncio.run_coroutine_threadsafe"
        )
        raise MxGatewayTransportError(
            f"{call} at {endpoint}: the client {what}; nothing was sent", endpoint=endpoint, call=call
        )


class ChannelUser(Protocol):
    """What makes calls on a command channel: one client."""

    def break_streams(self, error: MxGatewayError) -> None:
        """End the streams on the channel with `error`: it is given up."""


class CommandChannel:
    """Holds the current channel of its clients, and those it has replaced until their calls have had their time."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.current: grpc.aio.Channel = channel
        self._methods: tuple[grpc.aio.Channel, dict[str, Any]] = channel, {}
        """The current channel, and the unary calls that were made ready on it, by path."""
        self.is_known: bool = False
        """Whether the observers were told that it is connected."""
        # Weak: one that was dropped without being closed is no user any more.
        self._users: weakref.WeakSet[ChannelUser] = weakref.WeakSet()
        # Each is closed by its task.
        self._replaced: dict[asyncio.Task[None], grpc.aio.Channel] = {}

    def unary(self, rpc: wire.Rpc) -> Any:
        """Return the unary call of an RPC on the current channel."""
        channel, methods = self._methods
        if channel is not self.current:
            channel, methods = self._methods = self.current, {}
        if (method := methods.get(rpc.path)) is None:
            method = methods[rpc.path] = channel.unary_unary(
                rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.decode
            )
        return method

    async def first_connected(self) -> bool:
        """Connect, and return whether the first attempt succeeded."""
        state = self.current.get_state(try_to_connect=True)
        while state in _CONNECTING:
            await self.current.wait_for_state_change(state)
            state = self.current.get_state(try_to_connect=True)
        return state is _READY

    async def reconnected(self, timeout: float) -> bool:
        """Connect again where the connection was lost, in at most `timeout` seconds; return whether it is connected."""
        with suppress(TimeoutError, grpc.aio.UsageError):
            async with asyncio.timeout(timeout):
                while (state := self.current.get_state(try_to_connect=True)) is not _READY:
                    await self.current.wait_for_state_change(state)
                return True
        return False

    def is_connected(self) -> bool:
        """Return whether it is connected; where it is not, begin to connect."""
        if self.current.get_state() is _READY:
            return True
        self.current.get_state(try_to_connect=True)
        return False

    def replace(self, channel: grpc.aio.Channel, seconds: float, error: MxGatewayError) -> None:
        """Use `channel` from now on; close the old one after so many seconds, when its calls have had their time.

        The streams of all clients on it end at once, with `error`.
        """
        old, self.current = self.current, channel
        closing = asyncio.create_task(_close_after(seconds, old), name="closing a dead connection")
        self._replaced[closing] = old
        closing.add_done_callback(self._replaced.pop)
        for user in tuple(self._users):
            user.break_streams(error)

    def join(self, user: ChannelUser) -> None:
        """Add a client, which closes it, too."""
        self._users.add(user)

    async def close(self, user: ChannelUser) -> bool:
        """Close all of them with the last client on it; return whether it was the last."""
        self._users.discard(user)
        if self._users:
            return False
        replaced = dict(self._replaced)
        for closing, old in replaced.items():
            closing.cancel()
            await old.close()
        await self.current.close()
        await asyncio.gather(*replaced, return_exceptions=True)
        return True


async def _close_after(seconds: float, channel: grpc.aio.Channel) -> None:
    # Not with a grace of gRPC's: cancelled in the middle of one, a channel counts as closed and stays open.
    await asyncio.sleep(seconds)
    await channel.close()
