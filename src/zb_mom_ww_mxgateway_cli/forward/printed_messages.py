"""Standard output in place of a broker, to try a forwarder, or to hand its messages to another program."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from zb_mom_ww_mxgateway_cli.forward.messages import Message

PrintLine = Callable[[dict[str, Any], str, "asyncio.Future[None] | None"], None]
"""Prints a result: its JSON form, or its text for a person. Never waits; the future is done when it is written."""


class PrintedMessages:
    """Prints each message. A message counts as acknowledged when it is written."""

    def __init__(self, print_line: PrintLine) -> None:
        self.window = 1_000
        self.most_bytes: int | None = None
        self.lost = ""
        self._print_line = print_line

    async def publish(self, message: Message) -> "asyncio.Future[None]":
        """Do what :meth:`BrokerConnection.publish` says."""
        text = message.payload.decode()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._print_line(json.loads(text), text, done)
        return done

    async def aclose(self) -> None:
        """Do nothing: standard output stays open."""
