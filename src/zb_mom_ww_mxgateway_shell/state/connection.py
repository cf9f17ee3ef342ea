"""One connected gateway with its live session, galaxy, history, alarms and recordings."""

import asyncio
import warnings
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError, MxGatewayError, MxGatewayTransportError
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.connection_terms import AskAbout, ConnectionTerms

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession
    from zb_mom_ww_mxgateway.safety.desk import WriteDesk
    from zb_mom_ww_mxgateway.safety.doubtful_writes import DoubtfulWrites
    from zb_mom_ww_mxgateway_shell.output.results import Chart
    from zb_mom_ww_mxgateway_shell.output.watch_table import WatchTable
    from zb_mom_ww_mxgateway_shell.samples.alarm_monitor import AlarmMonitor
    from zb_mom_ww_mxgateway_shell.samples.recorder import RunningRecording
    from zb_mom_ww_mxgateway_shell.state.users import LoggedInUser, LoggedInUsers


_MOMENT_SECONDS = 0.1
_CLOSING_SECONDS = 3.0
"""How long a gateway has to confirm that a session is closed, without the few seconds that the library takes itself: an
unresponsive gateway does not block the exit."""


_LOST_STATES = ("rebuilding", "closed")
SESSION_LOST, STREAM_LOST, REDEPLOYED = "the session was lost", "the event stream was lost", "the galaxy was redeployed"
"""Why a connection is no longer armed."""


class GatewayConnection:
    """A client, its live session, and what is known of the gateway's galaxy."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        client: "GatewayClient",
        live: "LiveSession",
        terms: ConnectionTerms,
        desk: "WriteDesk",
    ) -> None:
        self.name = name
        """Its name in the prompt and for ``use``."""
        self.connection = connection
        self.client = client
        self.live = live
        from zb_mom_ww_mxgateway.transport.known_gateways import endpoint_key
        from zb_mom_ww_mxgateway_shell.galaxy.brief_galaxy import BriefGalaxy
        from zb_mom_ww_mxgateway_shell.galaxy.catalog import TagCatalogue
        from zb_mom_ww_mxgateway_shell.samples.history import History
        from zb_mom_ww_mxgateway_shell.samples.write_moments import WriteMoments
        from zb_mom_ww_mxgateway_shell.state.plant_changes import PlantChanges
        from zb_mom_ww_mxgateway_shell.state.tag_facts import GalaxyFacts

        self.catalogue = TagCatalogue()
        self.brief_galaxy = BriefGalaxy(client.options.endpoint)
        """What is asked of the galaxy only to help."""
        self.facts = GalaxyFacts(live, self.catalogue, self.told_security_of)
        """What the galaxy tells of its tags."""
        self.focus = ""
        """The object that a leading dot means: with Plant.Tank1, ``.Level`` is Plant.Tank1.Level."""
        self.color = ""
        """Colour of its prompt; empty for the default."""
        self.terms = terms
        self.desk = desk
        """What decides about its writes, asks and keeps the journal."""
        self.arming = desk.rules.arming
        desk.records.doubtful.live = live
        self.changes = PlantChanges(
            live, desk.records, endpoint=endpoint_key(client.options.endpoint), is_demo=terms.is_demo
        )
        """What it changed, and its timed writes."""
        self.changes.decimals_of = lambda tag: self.facts.known(tag).decimals
        self.write_moments = WriteMoments(live, self.changes.ledger)
        """When it sent its last writes."""
        desk.rules.awaits_revert = self.changes.awaits_revert
        self._watch_arming()
        self.registering = asyncio.Lock()
        """Held while the shell registers by itself, so that only one of several concurrent lines does."""
        self.opened_at = clock.monotonic()
        """Monotonic seconds, by the library's clock."""
        self._deployed_at_first: datetime | None = None
        self._is_settled = False
        self._securities: dict[tuple[str, datetime | None], int | None] = {}
        self._patience_ends: float | None = None
        self.history = History(live)
        """Samples since the connection was opened."""
        self.trend: Chart | None = None
        """The trend above the prompt."""
        self._users: LoggedInUsers | None = None
        self.is_attached = False
        """Whether another program opened the session: it stays open when this connection is closed."""
        self.recordings: dict[Path, RunningRecording] = {}
        """Recordings by path, those that ended included."""

    def _watch_arming(self) -> None:
        """Have it disarmed by what makes another plant, or another view of it, of this connection."""
        live, arming = self.live, self.arming
        arming.watch("session", lambda: (live.session.session_id, live.state.value in _LOST_STATES), SESSION_LOST)
        arming.watch("stream", lambda: (live.resumes, live.state.value == "live"), STREAM_LOST)
        arming.watch("galaxy", lambda: self.catalogue.redeployed_at, REDEPLOYED)

    def have_asked(self, ask: "AskAbout") -> None:
        """Have a person asked by this function before each write that demands it."""
        self.desk.rules.ask = lambda selection: ask(selection, self.name)

    @cached_property
    def alarms(self) -> "AlarmMonitor":
        """The active alarms. Lazy: a run reads them only when a command asks."""
        from zb_mom_ww_mxgateway_shell.samples.alarm_monitor import AlarmMonitor  # Lazy: most runs never need it.

        return AlarmMonitor(self.client)

    @property
    def users(self) -> "LoggedInUsers":
        """Users who are logged in."""
        if self._users is None:
            from zb_mom_ww_mxgateway_shell.state.users import LoggedInUsers  # Lazy: most runs never need it.

            self._users = LoggedInUsers(self.live)
        return self._users

    @cached_property
    def panel(self) -> "WatchTable":
        """The watched items."""
        from zb_mom_ww_mxgateway_shell.output.watch_table import WatchTable  # Lazy: most runs never need it.

        return WatchTable(self.live, self.history, self.facts, self.name)

    @property
    def has_panel(self) -> bool:
        """Whether anything was ever watched."""
        return "panel" in self.__dict__

    @property
    def doubtful(self) -> "DoubtfulWrites":
        """Writes whose outcome is unknown, and what was seen of them since."""
        return self.desk.records.doubtful

    def logged_in(self) -> "list[LoggedInUser]":
        """Return the users whose ids the worker knows."""
        return [] if self._users is None else self._users.valid()

    def lost_users(self) -> "list[LoggedInUser]":
        """Forget the users whose ids died with their session or server handle, and return them."""
        return [] if self._users is None else self._users.take_lost()

    @classmethod
    async def open(
        cls,
        connection: Connection,
        name: str,
        terms: ConnectionTerms,
        desk: "WriteDesk",
        *,
        notice: Callable[[str], None],
        settles_later: bool = False,
        attached: str = "",
        beside: "GatewayClient | None" = None,
    ) -> Self:
        """Connect and open a session, and return when its event stream is read, or earlier with `settles_later`.

        `attached` is the id of a session of another program, to go on with instead: it is neither closed nor replaced.
        With `beside` it uses the connection of that client.
        Raises the library's errors, or ShellError.
        """
        import dataclasses

        from zb_mom_ww_mxgateway import GatewayClient, LiveSession, MxGatewayWarning, OpenSessionOptions

        options = dataclasses.replace(connection.client_options(), write_guard=desk)
        with warnings.catch_warnings(record=True) as early:
            warnings.simplefilter("always", MxGatewayWarning)
            client = beside.beside(desk) if beside is not None else await GatewayClient.connect(options)
        try:
            with warnings.catch_warnings(record=True) as later:
                warnings.simplefilter("always", MxGatewayWarning)
                options_here = OpenSessionOptions(client_session_name="mxgw-shell")
                session = client.attach(attached) if attached else await client.open_session(options_here)
            for warning in [*early, *later]:
                notice(str(warning.message))
            live = LiveSession(session, rebuild=not attached)
            made = cls(name or options.endpoint, connection, client, live, terms, desk)
            made.is_attached = bool(attached)
        except BaseException:
            await client.close()
            raise
        if not settles_later:
            try:
                await made.settled()
            except BaseException:
                await made.aclose()
                raise
        return made

    async def settled(self) -> None:
        """Wait until the session's event stream is known to be read; raise the reason of its loss, or ShellError."""
        if self._is_settled:
            return
        try:
            async with asyncio.timeout(self.client.options.connect_timeout):
                await self.live.ready()
        except TimeoutError:
            why = f": {self.live.lost}" if self.live.lost else ""
            raise ShellError(
                f"{self.client.options.endpoint} opened a session that does not answer{why}", ExitCode.CANNOT_CONNECT
            ) from None
        self._is_settled = True

    async def reconnected(self) -> None:
        """Wait until a lost connection or stream is back, at most the connect timeout since the first of these waits.

        What does not come back is reported by the command that needs it.
        """
        ends = self._patience_ends or clock.monotonic() + self.client.options.connect_timeout
        self._patience_ends = ends
        with suppress(TimeoutError, MxGatewayError):
            async with asyncio.timeout(ends - clock.monotonic()):
                while True:
                    if not await self.client.reconnected(0):
                        if not await self.client.reconnected(ends - clock.monotonic()):
                            return
                        # A lost stream shows a moment later than a lost connection.
                        await asyncio.sleep(_MOMENT_SECONDS)
                    elif self.live.state.value in ("stale", "rebuilding"):
                        await self.live.ready()
                    else:
                        self._patience_ends = None
                        return

    @property
    def deployed_at(self) -> datetime | None:
        """When the galaxy was last deployed, as far as this connection has asked."""
        return self.catalogue.deployed_at or self._deployed_at_first

    def was_redeployed(self, last_deploy: "datetime | None") -> bool:
        """Return whether the galaxy is known to have been deployed at another time than `last_deploy` since this was
        opened.

        Only times of the gateway's clock are compared with each other.
        """
        if last_deploy is None:
            return False
        self._deployed_at_first = self._deployed_at_first or last_deploy
        return self.catalogue.redeployed_at is not None or last_deploy != self._deployed_at_first

    async def security_of(self, tag: str) -> int | None:
        """Return the security classification that the galaxy gives a tag; None where it cannot be had soon."""
        try:
            return await self.told_security_of(tag)
        except MxGatewayError:
            return None

    async def told_security_of(self, tag: str) -> int | None:
        """Return the security classification that the galaxy gives a tag; None where it gives none, or the key may not
        ask. Raises MxGatewayError where the galaxy does not answer soon.

        What the catalogue does not know is asked of the gateway, once for each tag while the galaxy stays the same.
        """
        known = self.catalogue.security_of(tag) if self.catalogue.is_current else None
        if known is not None:
            return known
        key = tag_key(tag), self.catalogue.redeployed_at
        if key not in self._securities:
            from zb_mom_ww_mxgateway_shell.galaxy.lookup import locate

            try:
                place = await self.brief_galaxy.answer(lambda: locate(self.client, tag))
                attribute = place.attribute
                if place.found is not None:
                    self.catalogue.learn(place.found)  # What is below the tag tells its range.
            except MxGatewayAuthorizationError:
                attribute = None  # Without metadata:read there is no galaxy for this key, and MXAccess decides.
            self._securities[key] = None if attribute is None else attribute.security_classification
        return self._securities[key]

    @property
    def failures(self) -> "dict[str, BaseException]":
        """Errors that ended background tasks, by the name of the task."""
        ended = [task for task in (*self.history.tasks, *self.catalogue.tasks) if task.done() and not task.cancelled()]
        return {task.get_name(): error for task in ended if (error := task.exception()) is not None}

    @property
    def recording(self) -> "list[RunningRecording]":
        """The recordings that are still running."""
        return [each for each in self.recordings.values() if each.is_running]

    @property
    def state(self) -> str:
        """``ready``, ``resuming``, ``rebuilding`` or ``lost``."""
        state = self.live.state.value
        return {"live": "ready", "stale": "resuming", "closed": "lost"}.get(state, state)

    async def aclose(self) -> None:
        """Disarm it, stop the recordings, close the session and the connection."""
        self.arming.close()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._end_records)
            stack.push_async_callback(self.client.close)
            stack.push_async_callback(self._close_session)
            stack.push_async_callback(self.history.aclose)
            stack.push_async_callback(self.changes.aclose)
            if "alarms" in self.__dict__:  # Made when they were first asked for.
                stack.push_async_callback(self.alarms.aclose)
            stack.push_async_callback(self.catalogue.aclose)
            stack.push_async_callback(self.facts.aclose)
            for recording in self.recordings.values():
                stack.push_async_callback(recording.stop)

    async def _end_records(self) -> None:
        self.arming.close()
        self.desk.records.closed()
        if self.desk.records.journal is not None:
            await self.desk.records.journal.drained()

    async def _close_session(self) -> None:
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await (self.live.detach() if self.is_attached else self.live.aclose())
        except TimeoutError:
            endpoint = self.client.options.endpoint
            raise MxGatewayTransportError(
                f"{endpoint} does not answer: whether {self.live.session.session_id} is closed is unknown; "
                "if not, it expires by itself",
                endpoint=endpoint,
                call="close_session",
            ) from None


def lost_text(live: "LiveSession") -> str:
    """Return in words how many events were lost; a number that is not known is never shown as one that is."""
    if live.lost_is_known:
        return f"{live.lost_events} lost"
    return f"at least {live.lost_events} lost" if live.lost_events else "an unknown number lost"


def connection_text(connected: GatewayConnection | None) -> str:
    """Return endpoint and trust, in words."""
    if connected is None:
        return "not connected"
    client = connected.client
    trust = client.trust
    if trust.plaintext:
        how = "plaintext"
    elif trust.known is None:
        how = "TLS, certificate verified"
    else:
        ends = f"{trust.known.sha256[:5]}…:{trust.known.sha256[-2:]}"
        how = f"TLS, certificate {ends} {'trusted on first use' if trust.is_first_use else 'as remembered'}"
    return f"{client.options.endpoint} ({how})"
