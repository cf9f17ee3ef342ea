"""Commands of a session about itself."""

from typing import Any

from zb_mom_ww_mxgateway import arguments, wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.results import WorkerInfo
from zb_mom_ww_mxgateway.status import SessionState


class ControlCommands:
    """Signs of life, state and worker of a session."""

    def __init__(self, link: SessionLink) -> None:
        self._link = link

    async def ping(self, *, timeout: float | None = None) -> None:
        """Ask the gateway for a sign of life of this session, in `timeout` seconds; that renews its lease."""
        await self._link.send(self._link.request("ping"), timeout=timeout)

    async def get_session_state(self, *, timeout: float | None = None) -> SessionState | int:
        """Return the session's state; a number where the gateway knows more states than this library."""
        return wire.session_state(await self._link.run("get_session_state", timeout=timeout))

    async def get_worker_info(self, *, timeout: float | None = None) -> WorkerInfo:
        """Return process id, versions and start of the session's worker."""
        return wire.worker_info(await self._link.run("get_worker_info", timeout=timeout))

    async def drain_events(self, max_events: int = 0, *, timeout: float | None = None) -> list[MxEvent]:
        """Take events that wait in the worker, at most `max_events`; 0 is all. Not for a session with a stream."""
        reply = await self._link.run(
            "drain_events", timeout=timeout, max_events=arguments.whole("max_events", max_events)
        )
        return wire.drained_events(reply)

    async def shutdown_worker(self, *, timeout: float | None = None) -> None:
        """End the session's worker. The session cannot be used any more."""
        await self._link.run("shutdown_worker", timeout=timeout)

    async def call_json(self, kind: str, fields: str = "", *, timeout: float | None = None) -> dict[str, Any]:
        """Send any command of the contract and return its reply, both as JSON objects.

        `kind` is the contract's name in lower case (``add_item``), `fields` the text of a JSON object with the fields
        of that command. The mapping is protobuf's own, with the contract's field names: enum values by name, times in
        UTC, numbers of 64 bits as text. What changes the plant is asked of the write guard, and never sent again.

        Raises MxGatewayArgumentError, with nothing sent, for an unknown kind or field, and what every command raises.
        """
        from zb_mom_ww_mxgateway.wire import json_commands  # Lazy: protobuf's JSON mapping is slow to import.

        request = self._link.repeat(json_commands.command_from_json(kind, fields))
        return json_commands.reply_to_json(await self._link.send(request, timeout=timeout))
