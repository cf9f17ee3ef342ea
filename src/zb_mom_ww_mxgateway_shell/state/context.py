"""The state of a shell: connections, handles, settings, last result."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_console.connect import profiles_path
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.errors import Failure, InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.parser import Invocation, Registry
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.variables import variable
from zb_mom_ww_mxgateway_shell.output.transcript import Transcript
from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection, WriteInterlock
from zb_mom_ww_mxgateway_shell.state.settings import Settings

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession, Session
    from zb_mom_ww_mxgateway_shell.galaxy.catalog import TagCatalogue
    from zb_mom_ww_mxgateway_shell.language.literals import TagType
    from zb_mom_ww_mxgateway_shell.state.profiles import Profiles
    from zb_mom_ww_mxgateway_shell.state.script_recorder import RecordedLine, ScriptRecorder
    from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists

FIRST_VALUE_TIMEOUT = 15.0
"""Seconds to wait for an item's first value: a fresh session on a real gateway takes 3 to 8."""


class Context:
    """What commands work on. One of it per shell."""

    def __init__(self, registry: Registry, *, interactive: bool) -> None:
        self.registry = registry
        self.interactive = interactive
        self.connection = Connection()
        """What ``connect`` without an endpoint connects to, while nothing is open."""
        self.connected_as = ""
        """How the last connection was called; empty before the first."""
        self._disarmed: set[str] = set()
        """Connections that were disarmed when they were closed, by name."""
        self.connections: dict[str, GatewayConnection] = {}
        """All that is open, by name."""
        self._current: GatewayConnection | None = None
        self.settings = Settings()
        self.aliases: dict[str, str] = {}
        """What stands for a longer line, by its name."""
        self.spool = Transcript(lambda text: self.alert(text))
        """A copy of what is typed and shown."""
        self.writer = OutputWriter()
        """Standard output and standard error of a run."""
        self.runs_file = False
        """Whether the lines come from a file, or one in its place, and not from a person who types them."""
        self.start_connections: list[Connection] = []
        """What the person who started it named, and what it was connected to then."""
        self.settles_later = False
        """Whether a connection is taken before its event stream is known to be read: what needs it waits for it."""
        self.records = False
        """Whether what runs is kept for record-script: where a person types, or since it has been asked for."""
        self.read_only = ""
        """Why nothing may be written whatever is typed; empty where it may."""
        self.last: Any = None
        """The value of the last result: ``_``."""
        self.failure: Failure | None = None
        """What went wrong last, for ``last-error``."""
        self.names: dict[str, Any] = {}
        """Names set in the Python pane, and by ``let`` and ``capture``: ``$name``."""
        self.given_names: frozenset[str] = frozenset()
        """Those that ``--var`` gave: ``let`` leaves them as they are."""
        self.lines_ahead: Sequence[str] = ()
        """The lines of a file that follow the one that runs, where they are known."""
        self.step = ""
        """The title of the step that statements belong to; empty before the first one."""
        self.on_error: Literal["stop", "continue"] = "stop"
        """What a file does after a statement that failed."""
        self.early_notices: list[str] = []
        """Notices from before there was a front end to say them."""
        self.notice: Callable[[str], None] = self.early_notices.append
        """Says something beside the result of the command that runs."""
        self.alert: Callable[[str], None] = self.early_notices.append
        """Says something that happened by itself, whatever runs or is being typed."""
        self.ask: Callable[[str], Awaitable[bool]] | None = None
        """Asks a person yes or no, where there is one."""
        self.assume_yes = False
        """Whether ``confirm`` takes the yes for given."""
        self.ask_secret: Callable[[str], Awaitable[str]] | None = None
        """Asks a person for a key, where there is one."""
        self.open_pane: Callable[[], Awaitable[None]] | None = None
        """Opens the Python pane, where there is a terminal."""
        self.has_screen = False
        """True where values can be kept in view above a prompt."""
        self.leaving = False
        self.focus_ahead = ""
        """While nothing is connected: what a cd that was read, but not run, would focus."""

    @property
    def current(self) -> GatewayConnection | None:
        """The connection that commands are for. To a command it stays the one that was current when it began."""
        return self._current

    @current.setter
    def current(self, connected: GatewayConnection | None) -> None:
        self._current = connected

    @cached_property
    def _no_catalogue(self) -> "TagCatalogue":
        from zb_mom_ww_mxgateway_shell.galaxy.catalog import TagCatalogue

        return TagCatalogue()

    @cached_property
    def lists(self) -> "WatchLists":
        """The user's lists of tags."""
        from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists  # Most files have no need of it.

        return WatchLists()

    def refresh(self) -> None:
        """Forgets what was looked up for the line that was being typed, and may be otherwise by now."""
        if "lists" in self.__dict__:
            self.lists.refresh()

    @cached_property
    def recorder(self) -> "ScriptRecorder":
        """What ran, for record-script."""
        from zb_mom_ww_mxgateway_shell.state.script_recorder import ScriptRecorder

        return ScriptRecorder()

    @property
    def all_names(self) -> Mapping[str, Any]:
        """What ``$name`` may stand for: the names, and the last result as ``$_``."""
        return {**self.names, "_": self.last}

    def give_names(self, variables: Iterable[str]) -> None:
        """Takes the names of ``--var NAME=VALUE``; raises ShellError."""
        given = {}
        for text in variables:
            try:
                name, value = variable(text)
            except InputError as error:
                # It stands in no line that could be shown.
                where = f" {text}: {error}, at character {error.start + 1}" if error.start else f": {error}"
                raise ShellError(f"--var{where}") from None
            given[name] = value
        self.names |= given
        self.given_names |= given.keys()

    # Connections.

    async def connect(self, connection: Connection, name: str = "", *, read_only: str = "") -> None:
        """Connects, opens a session and makes it the current one, beside the others that are open.

        One of the same name is let go of once the new one is open; on failure it stays. What was disarmed stays
        so. `read_only` says why nothing may be written to it, if so.
        """
        for_good = self.read_only or read_only
        arming = WriteInterlock(not for_good, for_good)
        made = await GatewayConnection.open(
            connection, name, arming, notice=lambda text: self.notice(text), settles_later=self.settles_later
        )
        former = self.connections.pop(made.name, None)
        if made.name in self._disarmed or (former is not None and not former.arming.armed):
            arming.armed = False
        self._disarmed.discard(made.name)
        self.connection, self.connected_as = connection, made.name
        self.connections[made.name] = self.current = made
        if self.interactive:
            made.catalogue.start(made.client)
            self.start_alarms(made)
        if former is not None:
            try:
                await self._close_connection(former)
            except MxGatewayError as error:
                # What it was replaced for may well be why it cannot be closed.
                self.notice(f"the session before it could not be closed and will expire: {error}")

    def start_alarms(self, connected: GatewayConnection) -> None:
        """Begins to read the alarms of a connection, if that has not begun; at a prompt what is new is said."""

        def say(text: str) -> None:
            if self.interactive:
                self.alert(text if connected is self._current else f"{connected.name}: {text}")

        connected.alarms.speak(say)

    @cached_property
    def profiles(self) -> "Profiles":
        """What the profiles file says, where it has been read."""
        from zb_mom_ww_mxgateway_shell.state.profiles import Profiles

        try:
            path = profiles_path.default_path()
        except MxGatewayArgumentError:
            path = Path("~/.config/mxgw/profiles.toml")  # Where it would be for a user who had a home.
        return Profiles(path, {}, {}, {})

    def load_profiles(self) -> None:
        """Takes what the user's profiles file says, if there is one; raises ShellError."""
        if profiles_path.is_there():
            from zb_mom_ww_mxgateway_shell.state.profiles import (
                load,  # Slow to import for a file that most do not have.
            )

            self.take_profiles(load(commands=self.registry.commands))

    def take_profiles(self, profiles: "Profiles") -> None:
        """Takes what a profiles file says: its settings and aliases hold from now on."""
        self.profiles = profiles
        profiles.apply(self.settings)
        self.aliases |= profiles.aliases

    async def disconnect(self, name: str | None = None) -> None:
        """Closes the connection of that name; without one, all. The shell has let go of them even if that fails."""
        names = list(self.connections) if name is None else [name]
        closing = [self.connections.pop(each) for each in names]
        self._disarmed |= {each.name for each in closing if not each.arming.armed}
        if self._current in closing:
            self._current = next(reversed(self.connections.values()), None)
        self.current = self._current  # To the command that closes them, too.
        failures: list[MxGatewayError] = []
        for each in closing:
            try:
                await self._close_connection(each)
            except MxGatewayError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def _close_connection(self, connected: GatewayConnection) -> None:
        running = connected.recording
        watched = [item.tag for item in connected.panel.items] if connected.name in self.connections else []
        try:
            await connected.aclose()
        finally:
            for recording in running:
                self.notice(f"{recording.path} closed: {counted(recording.samples, 'sample')}")
            if watched:
                self.notice(f"no longer watched: {', '.join(watched[:5])}{' …' if len(watched) > 5 else ''}")

    @property
    def name(self) -> str:
        """How the prompt calls the current connection."""
        return self.current.name if self.current else ""

    @property
    def client(self) -> "GatewayClient | None":
        return self.current.client if self.current else None

    @property
    def live(self) -> "LiveSession | None":
        return self.current.live if self.current else None

    @property
    def catalogue(self) -> "TagCatalogue":
        """The galaxy of the current connection; an empty one when there is none."""
        return self.current.catalogue if self.current else self._no_catalogue

    @property
    def focus(self) -> str:
        """The object that a leading dot stands for; empty for none."""
        return self.current.focus if self.current else self.focus_ahead

    @property
    def connected(self) -> GatewayConnection:
        """The current connection; raises ShellError when there is none, or it was closed while a command waited."""
        current = self.current
        if current is None:
            how = "connect HOST:PORT first" if self.interactive else "a run needs --endpoint HOST:PORT or --demo"
            raise ShellError(f"not connected: {how}", ExitCode.CANNOT_CONNECT)
        if self.is_disconnected:
            raise ShellError(f"the connection {current.name} was closed meanwhile", ExitCode.GUARDED)
        return current

    @property
    def is_disconnected(self) -> bool:
        """Whether the connection that a command began with is one no longer."""
        return self.current is not None and self.connections.get(self.current.name) is not self.current

    def recorded_line(self, invocation: Invocation) -> "RecordedLine | None":
        """A line that is about to run, as a script has it, where one may be made of it: when it has run, its handles
        may mean nothing any more. None where none may."""
        return self.recorder.line_of(self, invocation) if self.interactive or self.records else None

    def set_outputs(self, notice: Callable[[str], None], alert: Callable[[str], None] | None = None) -> None:
        """Takes a front end's ways of saying notices, and alerts where those are said otherwise; what could not be
        said before is a notice."""
        self.notice, self.alert = notice, alert or notice
        for text in self.early_notices:
            notice(text)
        self.early_notices.clear()

    @property
    def state(self) -> str:
        """``ready``, ``resuming``, ``rebuilding``, ``lost`` or ``not connected``."""
        return self.current.state if self.current else "not connected"

    # What commands ask for.

    @property
    def session(self) -> "Session":
        """The open session; raises ShellError when there is none."""
        return self.live_session.session

    @property
    def live_session(self) -> "LiveSession":
        """The live session; raises ShellError when there is none, or what it was lost to."""
        live = self.connected.live
        if live.state.value == "closed":
            raise ShellError(f"the session is lost: {live.lost}; connect opens a new one", ExitCode.REFUSED)
        return live

    @property
    def servers(self) -> Mapping[int, str]:
        """Client names by server handle."""
        return self.live.session.handles.servers if self.live else {}

    @property
    def items(self) -> list[Item]:
        """Items of all servers, in the order they were added."""
        return list(self.live.session.handles.items.values()) if self.live else []

    def find_item(self, tag: str, server: int | None = None) -> Item | None:
        """The item of a tag, if it was added: to this server, or without one to any."""
        return self.live.session.handles.find(tag, server) if self.live else None

    def type_of(self, tag: str, item: Item | None) -> "TagType | None":
        """What is known of a tag's type: from its value, or else from the galaxy."""
        from zb_mom_ww_mxgateway.value_types import DataType
        from zb_mom_ww_mxgateway.values import Array
        from zb_mom_ww_mxgateway_shell.language.literals import TagType

        value = self.live.latest(*item.key) if self.live and item else None
        if value is not None and value.data_type not in (DataType.UNSPECIFIED, DataType.UNKNOWN, DataType.NO_DATA):
            return TagType(value.data_type, isinstance(value.value, Array), value.variant_type)
        return self.catalogue.type_of(tag)

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
        async with self.connected.registering:
            if not self.servers:
                handle = await self.session.register("mxgw-shell")
                self.notice(f"registered mxgw-shell as server {handle}")
        return self.default_server()


class BoundContext(Context):
    """Shares everything with the context it is made of, but for which connection is meant.

    Another line, a task or the Python pane may make another connection the current one while a command waits: its
    words were read, and its items looked up, on the one that was current when it began.
    """

    __slots__ = ("_meant",)  # The only thing of its own.

    def __init__(self, context: Context) -> None:
        self.__dict__ = context.__dict__
        self._meant = context.current

    @property
    def current(self) -> GatewayConnection | None:
        return self._meant

    @current.setter
    def current(self, connected: GatewayConnection | None) -> None:
        """By a command that goes from one to another: it goes along."""
        self._meant = self._current = connected


def context_of(scope: Scope) -> Context:
    """The context as which a line's scope is given; for arguments that know more than the language does."""
    if not isinstance(scope, Context):
        raise TypeError(f"a line is read in a Context, not in a {type(scope).__name__}")
    return scope
