"""MQTT 5: a message is acknowledged when the broker has taken responsibility for it (QoS 1)."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from zb_mom_ww_mxgateway.system.extras import extra
from zb_mom_ww_mxgateway_cli.forward.broker import (
    CONNECT_SECONDS,
    MQTT,
    SIGN_OF_LIFE_SECONDS,
    BrokerLostError,
    BrokerRefusedError,
)
from zb_mom_ww_mxgateway_cli.forward.destination import Access, Address
from zb_mom_ww_mxgateway_cli.forward.messages import Message

_WINDOW = 1_000
# Bytes of a packet beside topic and payload.
_PACKET_BYTES = 64
_QOS = 1
# Reasons of a broker that is there and may take us later: unavailable, busy, shutting down, kept alive too long, moved.
_PASSING = {0x88, 0x89, 0x8B, 0x8D, 0x9C, 0x9D}


class MqttConnection:
    """One connection to a broker. paho-mqtt reads and writes in a thread of its own; its answers come on the loop."""

    def __init__(self, client: Any, address: Address, on_lost: Callable[[], None]) -> None:
        self.window = _WINDOW
        self.most_bytes: int | None = None
        self.lost = ""
        self._client = client
        self._address = address
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[Any] = self._loop.create_future()
        # By the id of its packet, what waits for the answer; and its topic.
        self._waiting: dict[int, tuple[asyncio.Future[None], str]] = {}

    @classmethod
    async def open(cls, address: Address, access: Access, client_name: str, on_lost: Callable[[], None]) -> Self:
        """Connect. Raises as :func:`broker_connections.connect` does."""
        mqtt = extra("paho.mqtt.client", "mqtt", MQTT)
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=client_name, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        client.connect_timeout = CONNECT_SECONDS
        # The window is kept here, by what the broker says of its own.
        client.max_inflight_messages_set(0)
        if access.user is not None:
            client.username_pw_set(access.user, access.password)
        if address.is_secure:
            client.tls_set_context(access.tls_context())
        connection = cls(client, address, on_lost)
        client.on_connect = connection._on_connect
        client.on_disconnect = connection._on_disconnect
        client.on_publish = connection._on_publish
        try:
            async with asyncio.timeout(2 * CONNECT_SECONDS):
                await asyncio.to_thread(
                    client.connect, address.host, address.port, SIGN_OF_LIFE_SECONDS, clean_start=True
                )
                client.loop_start()
                reason, properties = await connection._connected
        except (OSError, TimeoutError, ssl.SSLError) as error:
            await connection.aclose()
            raise BrokerLostError(f"{address.text}: {_described(error)}", endpoint=address.text) from None
        except BaseException:
            await connection.aclose()
            raise
        if reason.is_failure:
            await connection.aclose()
            kind = BrokerLostError if reason.value in _PASSING else BrokerRefusedError
            raise kind(f"{address.text}: {reason}", endpoint=address.text, call="connect")
        connection.window = min(_WINDOW, getattr(properties, "ReceiveMaximum", _WINDOW))
        connection.most_bytes = getattr(properties, "MaximumPacketSize", None)
        if connection.most_bytes is not None:
            connection.most_bytes -= _PACKET_BYTES
        return connection

    # In the thread of paho-mqtt.

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._call(self._set_connected, reason, properties)

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._call(self._set_lost, str(reason))

    def _on_publish(self, client: Any, data: Any, number: int, reason: Any, properties: Any) -> None:
        self._call(self._answered, number, reason)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    # On the loop.

    def _set_connected(self, reason: Any, properties: Any) -> None:
        if not self._connected.done():
            self._connected.set_result((reason, properties))

    def _set_lost(self, reason: str) -> None:
        if not self._connected.done():
            self._connected.set_exception(BrokerLostError(f"{self._address.text}: {reason}"))
        elif not self.lost:
            self.lost = f"connection lost: {reason}"
            self._on_lost()

    def _answered(self, number: int, reason: Any) -> None:
        done, topic = self._waiting.pop(number, (None, ""))
        if done is None or done.done():
            return
        if reason.is_failure:
            text = f"{self._address.text}: it refuses the topic {topic}: {reason}"
            done.set_exception(BrokerRefusedError(text, call="publish"))
        else:
            done.set_result(None)

    async def publish(self, message: Message) -> "asyncio.Future[None]":
        """Do what :meth:`BrokerConnection.publish` says."""
        if self.lost:
            raise BrokerLostError(f"{self._address.text}: {self.lost}")
        done: asyncio.Future[None] = self._loop.create_future()
        sent = self._client.publish(message.topic, message.payload, qos=_QOS)
        if sent.rc:
            raise BrokerLostError(f"{self._address.text}: connection lost")
        # Its answer comes by the loop, so not before this.
        self._waiting[sent.mid] = done, message.topic
        return done

    async def aclose(self) -> None:
        """Do what :meth:`BrokerConnection.aclose` says."""
        self.lost = self.lost or "closed"
        self._connected.cancel()
        self._waiting.clear()
        with suppress(Exception):  # It may be lost already, and its client raises errors of any type.
            await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _described(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
