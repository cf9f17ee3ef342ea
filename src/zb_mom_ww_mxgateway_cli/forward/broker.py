"""A connection to a broker, whichever it is, and what can go wrong with it."""

import asyncio
from typing import Protocol

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_cli.forward.messages import Message

CONNECT_SECONDS = 10.0
"""Seconds for a connection to be made."""
SIGN_OF_LIFE_SECONDS = 10
"""Seconds between signs of life on a connection."""
NATS, MQTT = "Forwarding to NATS", "Forwarding to MQTT"
"""What needs an extra, in words."""


class BrokerLostError(MxGatewayError):
    """The broker cannot be reached, or the connection to it broke."""


class BrokerRefusedError(MxGatewayError):
    """The broker answers, and refuses us or a message."""


class BrokerConnection(Protocol):
    """A connection that is made once, and over when it is lost: another one takes its place.

    Messages reach the broker in the order in which they are published.
    """

    window: int
    """Most messages that may be unacknowledged at a time."""
    most_bytes: int | None
    """Bytes of the largest message; None for no limit."""
    lost: str
    """Why it was lost; empty while it is not."""

    async def publish(self, message: Message) -> "asyncio.Future[None]":
        """Send a message; return what is done when the broker has it, and fails where the broker refuses it.

        Raises BrokerLostError where the connection is lost.
        """

    async def aclose(self) -> None:
        """End it. Idempotent; never raises."""
