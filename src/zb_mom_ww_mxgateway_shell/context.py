"""The state of a shell: connection, live session, handles, catalogue, last result."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.handles import Item
from zb_mom_ww_mxgateway_cli.connection import Connection
from zb_mom_ww_mxgateway_cli.output import ExitCode
from zb_mom_ww_mxgateway_shell.catalogue import Catalogue
from zb_mom_ww_mxgateway_shell.problems import ShellError, closest
from zb_mom_ww_mxgateway_shell.registry import Registry

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession, Session

FIRST_VALUE_TIMEOUT = 15.0
"""Seconds to wait for an item's first value: a fresh session on a real gateway takes 3 to 8."""


class Context:
    """What commands work on. One of it per shell."""

    def __init__(self, registry: Registry, *, interactive: bool) -> None:
        self.registry = registry
        self.interactive = interactive
        self.name = ""
        """How the prompt calls the connection."""
        self.connection = Connection()
        self.client: GatewayClient | None = None
        self.live: LiveSession | None = None
        self.catalogue = Catalogue()
        self.last: Any = None
        """The value of the last result: ``_``."""
        self.names: dict[str, Any] = {}
        """Names of the Python pane."""
        self.unsaid: list[str] = []
        """Notices from before there was a front end to say them."""
        self.notice: Callable[[str], None] = self.unsaid.append
        """Says something beside the result of the command that runs."""
        self.open_pane: Callable[[], Awaitable[None]] | None = None
        """Opens the Python pane, where there is a terminal."""
        self.leaving = False

    # Connection.

    async def connect(self, connection: Connection, name: str = "") -> None:
        """Connects and opens a session, then lets go of the former ones; on failure those stay."""
        from zb_mom_ww_mxgateway import GatewayClient, LiveSession, MxGatewayProtocolWarning, OpenSessionOptions

        options = connection.client_options()
        client = await GatewayClient.connect(options)
        live: LiveSession | None = None
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always", MxGatewayProtocolWarning)
                session = await client.open_session(OpenSessionOptions(client_session_name="mxgw-shell"))
            for warning in said:
                self.notice(str(warning.message))
            live = await LiveSession.open(client, session)
            async with asyncio.timeout(options.connect_timeout):
                await live.ready()
        except BaseException as error:
            if live is not None:
                await live.aclose()
            await client.close()
            if isinstance(error, TimeoutError):
                raise ShellError(
                    f"{options.endpoint} opened a session that does not answer", ExitCode.CANNOT_CONNECT
                ) from error
            raise
        try:
            await self.disconnect()
        finally:
            self.connection, self.client, self.live = connection, client, live
            self.name = name or options.endpoint
            if self.interactive:
                self.catalogue.start(client)

    def say_by(self, notice: Callable[[str], None]) -> None:
        """Takes a front end's way of saying notices, which then says what could not be said before."""
        self.notice = notice
        for text in self.unsaid:
            notice(text)
        self.unsaid.clear()

    async def disconnect(self) -> None:
        """Closes the session and the connection, if there are any. The shell is disconnected even if that fails."""
        live, client, catalogue = self.live, self.client, self.catalogue
        self.live = self.client = None
        self.catalogue = Catalogue()
        await catalogue.aclose()
        try:
            if live is not None:
                await live.aclose()
        finally:
            if client is not None:
                await client.close()

    @property
    def state(self) -> str:
        """``ready``, ``resuming``, ``rebuilding``, ``lost`` or ``not connected``."""
        if self.live is None:
            return "not connected"
        state = self.live.state.value
        return {"live": "ready", "stale": "resuming", "closed": "lost"}.get(state, state)

    # What commands ask for.

    @property
    def session(self) -> "Session":
        """The open session; raises ShellError when there is none."""
        return self.live_session.session

    @property
    def live_session(self) -> "LiveSession":
        """The live session; raises ShellError when there is none, or what it was lost to."""
        if self.live is None:
            raise ShellError("not connected: connect HOST:PORT first", ExitCode.CANNOT_CONNECT)
        if self.live.state.value == "closed":
            raise ShellError(f"the session is lost: {self.live.lost}; connect opens a new one", ExitCode.REFUSED)
        return self.live

    @property
    def servers(self) -> Mapping[int, str]:
        """Client names by server handle."""
        return self.live.session.handles.servers if self.live else {}

    @property
    def items(self) -> list[Item]:
        """Items of all servers, in the order they were added."""
        return list(self.live.session.handles.items.values()) if self.live else []

    def find_item(self, tag: str) -> Item | None:
        """The item of a tag, if it was added."""
        return self.live.session.handles.find(tag) if self.live else None

    def default_server(self) -> int:
        """The single registered server; raises ShellError when there is none or more than one."""
        servers = list(self.servers)
        if len(servers) == 1:
            return servers[0]
        if not servers:
            raise ShellError("nothing is registered: register NAME first")
        raise ShellError(f"several servers: say which, one of {', '.join(map(str, servers))}")

    async def server_for(self, asked: int | None) -> int:
        """The server asked for, the single one, or a new registration of this shell, which is said."""
        if asked is not None:
            return asked
        if not self.servers:
            handle = await self.session.register("mxgw-shell")
            self.notice(f"registered mxgw-shell as server {handle}")
        return self.default_server()

    def said_servers(self) -> str:
        """What servers there are, in words."""
        names = ", ".join(f"{handle} ({name})" for handle, name in self.servers.items())
        return f"there is {names}" if names else "nothing is registered; register NAME does"

    def said_items(self, server: int) -> str:
        """What items a server has, in words."""
        handles = [str(item.item_handle) for item in self.items if item.server_handle == server]
        shown = ", ".join(handles[:10]) + (" …" if len(handles) > 10 else "")
        return f"there is {shown}" if handles else "it has none; add-item TAG adds one"

    def closest_item(self, tag: str) -> str:
        """A hint at an item of a similar name, or nothing."""
        return closest(tag, [item.tag for item in self.items])
