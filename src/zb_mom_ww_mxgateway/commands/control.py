"""Commands of a session about itself."""

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
