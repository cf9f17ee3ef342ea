"""The state of a shell: connections, handles, settings, last result."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayTransportError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.times import show_times_as
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_console.text.terminal_text import retold, safe
from zb_mom_ww_mxgateway_shell.errors import Failure, ShellError
from zb_mom_ww_mxgateway_shell.language.parser import Invocation, Registry
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.variables import given_variables
from zb_mom_ww_mxgateway_shell.output.transcript import Transcript
from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.connection_reports import close_and_report, report_disarming
from zb_mom_ww_mxgateway_shell.state.connection_terms import AskAbout, ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.departure import Departure
from zb_mom_ww_mxgateway_shell.state.file_state import FileState
from zb_mom_ww_mxgateway_shell.state.files_read import FilesRead
from zb_mom_ww_mxgateway_shell.state.journals import Journals
from zb_mom_ww_mxgateway_shell.state.loaded_profiles import LoadedProfiles
from zb_mom_ww_mxgateway_shell.state.run_entries import RunEntries, add_news
from zb_mom_ww_mxgateway_shell.state.settings import Settings
from zb_mom_ww_mxgateway_shell.state.write_terms import WriteTerms

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession, Session
    from zb_mom_ww_mxgateway_shell.galaxy.catalog import TagCatalogue
    from zb_mom_ww_mxgateway_shell.language.literals import TagType
    from zb_mom_ww_mxgateway_shell.output.results import Result
    from zb_mom_ww_mxgateway_shell.output.terminal_signals import WriteRaw
    from zb_mom_ww_mxgateway_shell.state.made_files import MadeFiles, SourceFile
    from zb_mom_ww_mxgateway_shell.state.profiles import Profiles
    from zb_mom_ww_mxgateway_shell.state.recorded_lines import RecordedLine
    from zb_mom_ww_mxgateway_shell.state.script_recorder import ScriptRecorder
    from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists


class Context:
    """What commands work on. One for each shell."""

    def __init__(self, registry: Registry, *, interactive: bool) -> None:
        self.registry = registry
        self.interactive = interactive
        self.connection = Connection()
        """Where ``connect`` without an endpoint connects to while no connection is open."""
        self.connected_as = ""
        """Name of the last connection; empty before the first."""
        self.connections: dict[str, GatewayConnection] = {}
        """The open connections by name."""
        self._current: GatewayConnection | None = None
        self.settings = Settings()
        self._loaded_profiles = LoadedProfiles(registry.commands, rereads=interactive)
        self.spool = Transcript(lambda text: self.alert(text))
        """The copy of what is typed and shown."""
        self.writer = OutputWriter()
        """Standard output and standard error of a run."""
        self.runs_file = False
        """Whether the lines come from a file, ``-e`` or standard input rather than from a person who types."""
        self.start_connections: list[Connection] = []
        """The connections that the user named at the start, and the one that was open then."""
        self.settles_later = False
        """Whether a connection is used before its event stream is known to be read."""
        self.records = False
        """Whether lines that no person types are kept for record-script: from when it asks for them."""
        self.replays = False
        """Whether the lines are those of a file that record-script made, and tries."""
        self.is_demo = False
        """Whether the program is on the simulated gateway inside itself: its journal is another one."""
        self.read_only = ""
        """Why no write is allowed on any connection; empty where writes are."""
        self.write_terms = WriteTerms()
        """The terms on which each connection is written to."""
        self.last: Any = None
        """Value of the last result: ``_``."""
        self.last_result: Result | None = None
        """The last result, for ``copy``."""
        self.failure: Failure | None = None
        """The last error, for ``last-error``."""
        self.record: RunEntries | None = None
        """The record of the run; None while none is kept."""
        self.files_read = FilesRead()
        """The files that the lines read."""
        self.names: dict[str, Any] = {}
        """Names that the Python pane, ``let`` and ``capture`` set: ``$name``."""
        self.given_names: frozenset[str] = frozenset()
        """Names that ``--var`` gave; ``let`` does not change them."""
        self.file = FileState()
        """The state of the command file that runs; a new one for each file."""
        self.awaited_values: Callable[[], str] = lambda: ""
        """Says which first values are awaited; empty while none are."""
        self.early_notices: list[str] = []
        """Notices and alerts from before a front end was there to show them."""
        self.notice: Callable[[str], None] = self.early_notices.append
        """Shows a message about the running command, beside its result."""
        self.alert: Callable[[str], None] = self.early_notices.append
        """Shows a message about an event that no command caused."""
        self.ask: Callable[[str], Awaitable[bool]] | None = None
        """Asks a person yes or no; None where no person can be asked."""
        self.ask_selection: AskAbout | None = None
        """Shows a person a write to the connection named, and returns the answer; None where no person can be asked."""
        self.assume_yes = False
        """Whether ``confirm`` assumes yes."""
        self.ask_text: Callable[[str], Awaitable[str]] | None = None
        """Asks a person for a text, where there is one; it is empty if none is given."""
        self.ask_secret: Callable[[str], Awaitable[str]] | None = None
        """Asks a person for a key; None where no person can be asked."""
        self.ask_value: Callable[[str], Awaitable[str]] | None = None
        """Asks a person for the value of a name; None where no person can be asked."""
        self.ask_unseen: Callable[[str], Awaitable[str]] | None = None
        """Asks a person for the value of a name, typed unseen; None where no person can be asked."""
        self.told_while_opening: Callable[[Connection], AbstractContextManager[None]] = lambda connection: nullcontext()
        """Around the opening of a connection: tells a person where it takes long."""
        self.journals = Journals(lambda text: self.alert(text))
        """The journals of this process."""
        self.source_file: SourceFile | None = None
        """Runs a command file inside this shell; None where there is no prompt."""
        self.made_files: MadeFiles | None = None
        """Looks at the files that this shell makes; None outside a front end."""
        self.write_raw: WriteRaw | None = None
        """Writes a control sequence to the terminal; None where there is no prompt, or it obeys none."""
        self.signal_alarm: Callable[[str], None] = lambda text: None
        """Draws a person's attention to new alarms, as far as that is asked for."""
        self.open_pane: Callable[[], Awaitable[None]] | None = None
        """Opens the Python pane; None without a terminal."""
        self.clear_screen: Callable[[], None] | None = None
        """Clears the screen; None without a prompt, or where its terminal cannot."""
        self.has_screen = False
        """Whether values can be kept in view above a prompt."""
        self.wrote_elsewhere = False
        """Whether another context, for a run of its own, may have written."""
        self.leaving = False
        self.departure = Departure(lambda text: self.alert(text))
        """What this shell leaves in the plant."""
        self.focus_ahead = ""
        """The object that a checked but not executed ``cd`` would focus, while nothing is connected."""

    @property
    def is_typed(self) -> bool:
        """Whether a person types each line, and sees what came of it before the next."""
        return self.interactive and not self.runs_file

    @property
    def current(self) -> GatewayConnection | None:
        """The connection that commands use; for a command the one that was current when it began."""
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
        from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists  # Lazy: most runs never need it.

        return WatchLists(noted=self.note_file)

    def note_file(self, content: bytes, name: str) -> None:
        """Keep for the record of the run that a line read a file."""
        self.files_read.note(content, name, self.record)

    def refresh(self) -> None:
        """Forget what was looked up for the line being typed: it may have changed."""
        if "lists" in self.__dict__:
            self.lists.refresh()

    @cached_property
    def recorder(self) -> "ScriptRecorder":
        """The lines that ran, for record-script."""
        from zb_mom_ww_mxgateway_shell.state.script_recorder import ScriptRecorder

        return ScriptRecorder()

    @property
    def all_names(self) -> Mapping[str, Any]:
        """Values for ``$name``: the names, and the last result as ``$_``."""
        return {**self.names, "_": self.last}

    def give_names(self, variables: Iterable[str]) -> None:
        """Set the names of ``--var NAME=VALUE``; raise ShellError."""
        self.names |= (given := given_variables(variables))
        self.given_names |= given.keys()

    async def connect(
        self,
        connection: Connection,
        name: str = "",
        *,
        terms: ConnectionTerms | None = None,
        attached: str = "",
        beside: "GatewayClient | None" = None,
    ) -> None:
        """Connect, open a session and make it the current one, in addition to the other open connections.

        An open connection of the same name is closed once the new one is open; on failure it stays. The new one is not
        armed, except for what a run may write. `terms` are those of its profile; without them they are none, or of a
        simulated plant those of its earlier connection. `attached` is the id of a session to go on with. The session is
        opened on the connection of the client `beside`, if there is one.
        """
        from zb_mom_ww_mxgateway_shell.state.write_desk import attach, make_desk  # Lazy: it loads the contract.

        terms = self.write_terms.of(connection, terms, self.read_only, self.connections.values())
        desk = make_desk(
            self.journals,
            terms,
            asks_each=self.interactive and not terms.is_demo,
            asks_beyond_range=self.interactive,
            assume_yes=self.assume_yes,
            notice=lambda text: self.notice(text),
        )
        with self.told_while_opening(connection):
            made = await GatewayConnection.open(
                connection,
                name,
                terms,
                desk,
                notice=lambda text: self.notice(text),
                settles_later=self.settles_later and not attached,
                attached=attached,
                beside=beside,
            )
        attach(made, self.ask_selection)
        report_disarming(made, lambda text: self._report_disarmed(made, text))
        made.catalogue.keeps = lambda: self.settings.keep_galaxy == "on" and not made.terms.is_demo
        if self.write_terms.run is not None:
            self.write_terms.run.arm(made)
        former = self.connections.pop(made.name, None)
        self.connection, self.connected_as = connection, made.name
        self.connections[made.name] = self.current = made
        if self.record is not None:
            await self.record.opened(made)
        if self.interactive:
            made.facts.reads_ahead = True
            made.catalogue.start(made.client)
            self.start_alarms(made)
        made.changes.tell = lambda text: self.alert(self._prefix_of(made) + text)
        if former is not None:
            await self.departure.replace(former)
            try:
                await self._close(former)
            except MxGatewayError as error:
                # The reason for replacing it may also prevent closing it.
                self.notice(f"the session before it could not be closed and will expire: {error}")
        # After the former one is closed: what it could not put back is offered, too.
        await made.changes.offer_left_behind()

    def answer_selections(self, ask: "AskAbout") -> None:
        """Have a person asked by this function before a write, on every connection."""
        self.ask_selection = ask
        for each in self.connections.values():
            each.have_asked(ask)

    def start_alarms(self, connected: GatewayConnection) -> None:
        """Start to read the alarms of a connection, unless it has started; report new ones at a prompt."""
        connected.alarms.report_to(
            lambda text: self.alert(retold(text, self._prefix_of(connected) + text)) if self.interactive else None,
            lambda text: self.signal_alarm(self._prefix_of(connected) + text),
        )

    def _report_disarmed(self, connected: GatewayConnection, text: str) -> None:
        add_news(self.record, self.file, connected.name, "disarmed", text)
        self.alert(f"{self._prefix_of(connected)}{text}")

    def _prefix_of(self, connected: GatewayConnection) -> str:
        """Return the name of a connection before a message about it; empty for the current one."""
        return "" if connected is self._current else f"{connected.name}: "

    async def _close(self, connected: GatewayConnection) -> None:
        # A run shows the head with its result.
        shown = {"shows_panel": connected.name in self.connections, "shows_head": not self.runs_file}
        try:
            await self.departure.leave(connected)
        finally:
            await close_and_report(connected, self.notice, self.alert, **shown)
            failed = [str(each.path) for each in connected.recordings.values() if each.has_failed]
            self.departure.failed_recordings += failed

    @property
    def profiles(self) -> "Profiles":
        """The profiles; at a prompt as their file has them now. Raises ShellError with the line of a mistake."""
        return self._loaded_profiles.profiles

    @profiles.setter
    def profiles(self, profiles: "Profiles") -> None:
        self._loaded_profiles.take(profiles)

    @property
    def aliases(self) -> dict[str, str]:
        """Longer lines by their alias."""
        with suppress(ShellError):  # Whoever asks for a profile is told of the mistake.
            self._loaded_profiles.reread()
        return self._loaded_profiles.aliases

    @aliases.setter
    def aliases(self, aliases: dict[str, str]) -> None:
        self._loaded_profiles.aliases = aliases

    def load_profiles(self) -> None:
        """Read the user's profiles file, if there is one, and use its settings and aliases; raise ShellError."""
        if (profiles := self._loaded_profiles.load()) is not None:
            profiles.apply(self.settings)

    async def disconnect(self, name: str | None = None) -> None:
        """Close the connection of that name; without one, all. They are gone from the shell even if closing fails.

        After the current one none is current, also where others are open: nobody has chosen one of them.
        """
        names = list(self.connections) if name is None else [name]
        closing = [self.connections.pop(each) for each in names]
        for each in self.connections.values():
            if each.trend is not None and any(map(each.trend.is_about, closing)):
                each.trend = None
        self.write_terms.forget(closing)
        if self._current in closing:
            self.choose_none()
        self.current = self._current  # Also for the command that closes them.
        failures: list[MxGatewayError] = []
        for each in closing:
            try:
                await self._close(each)
            except MxGatewayError as error:
                failures.append(error)
        if failures:
            # That a gateway does not answer is the least of them.
            gravest = min(failures, key=lambda each: isinstance(each, MxGatewayTransportError))
            for other in failures:
                if other is not gravest:
                    self.notice(str(other))
            raise gravest

    def choose_none(self) -> None:
        """Have no connection in use; connect without an endpoint then means the one that was."""
        if self._current is not None:
            self.connection, self.connected_as = self._current.connection, self._current.name
        self.current = None

    @property
    def has_written(self) -> bool:
        """Whether something that changes the plant was asked for, allowed or not."""
        return self.wrote_elsewhere or any(each.desk.asked_at for each in self.connections.values())

    @property
    def name(self) -> str:
        """Name of the current connection in the prompt; empty without one."""
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
        """The object that a leading dot means; empty for none."""
        return self.current.focus if self.current else self.focus_ahead

    @property
    def connected(self) -> GatewayConnection:
        """The current connection; raises ShellError where there is none, or where it was closed during the command."""
        current = self.current
        if current is None:
            raise ShellError(self.why_none, ExitCode.GUARDED if self.connections else ExitCode.CANNOT_CONNECT)
        if self.is_disconnected:
            raise ShellError(f"the connection {current.name} was closed meanwhile", ExitCode.GUARDED)
        return current

    @property
    def why_none(self) -> str:
        """Why no connection is the current one, and what to do about it, in one line."""
        if self.connections:
            return f"no connection is in use: use NAME chooses one of {safe(', '.join(self.connections))}"
        how = "connect HOST:PORT first" if self.interactive else "a run needs --endpoint HOST:PORT or --demo"
        return f"not connected: {how}"

    @property
    def is_disconnected(self) -> bool:
        """Whether the connection with which a command began was closed."""
        return self.current is not None and self.connections.get(self.current.name) is not self.current

    def recorded_line(self, invocation: Invocation) -> "RecordedLine | None":
        """Return the script line of a line that is about to run, or None where no script needs it.

        Before it runs, because its handles may be invalid afterwards.
        """
        keeps = (self.interactive or self.records) and not self.replays
        return self.recorder.line_of(self, invocation) if keeps else None

    def set_outputs(self, notice: Callable[[str], None], alert: Callable[[str], None] | None = None) -> None:
        """Set where notices and alerts are shown, alerts as notices unless given; show the early ones as notices.

        From now on times are shown as the settings say.
        """
        show_times_as(lambda: self.settings.times)
        self.notice, self.alert = notice, alert or notice
        for text in self.early_notices:
            notice(text)
        self.early_notices.clear()

    @property
    def state(self) -> str:
        """``ready``, ``resuming``, ``rebuilding``, ``lost``, ``none in use`` or ``not connected``."""
        if self.current is not None:
            return self.current.state
        return "none in use" if self.connections else "not connected"

    # What commands ask for.

    @property
    def session(self) -> "Session":
        """The open session; raises ShellError where there is none."""
        return self.live_session.session

    @property
    def live_session(self) -> "LiveSession":
        """The live session; raises ShellError where there is none, or with the reason of its loss."""
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
        """Items of all servers, in the order in which they were added."""
        return list(self.live.session.handles.items.values()) if self.live else []

    def find_item(self, tag: str, server: int | None = None) -> Item | None:
        """Return the item of a tag on this server, or without one on any; None where it was not added."""
        return self.live.session.handles.find(tag, server) if self.live else None

    def type_of(self, tag: str, item: Item | None) -> "TagType | None":
        """Return the type of a tag, from its value or else from the galaxy; None where it is unknown."""
        from zb_mom_ww_mxgateway.value_types import DataType
        from zb_mom_ww_mxgateway.values import Array
        from zb_mom_ww_mxgateway_shell.language.literals import TagType

        value = self.live.latest(*item.key) if self.live and item else None
        if value is not None and value.data_type not in (DataType.UNSPECIFIED, DataType.UNKNOWN, DataType.NO_DATA):
            return TagType(value.data_type, isinstance(value.value, Array), value.variant_type)
        return self.catalogue.type_of(tag)

    def registered(self) -> frozenset[tuple[str, int]]:
        """Return the servers of all connections, each with the name of its connection."""
        connections = self.connections.items()
        return frozenset((name, server) for name, each in connections for server in each.live.session.handles.servers)

    @property
    def own_servers(self) -> list[int]:
        """The servers that a line can mean: those of former files do not count beside one of this file."""
        own = [each for each in self.servers if (self.name, each) not in self.file.former_servers]
        return own or list(self.servers)

    def default_server(self) -> int:
        """Return the single registered server; raise ShellError where there is none or more than one."""
        servers = self.own_servers
        if len(servers) == 1:
            return servers[0]
        if not servers:
            raise ShellError("nothing is registered: register NAME first")
        raise ShellError(f"several servers: say which, one of {', '.join(map(str, servers))}")

    async def server_for(self, asked: int | None) -> int:
        """Return the given server, the single one, or a new registration of this shell, which a notice reports."""
        if asked is not None:
            return asked
        async with self.connected.registering:
            if not self.servers:
                handle = await self.session.register("mxgw-shell")
                self.notice(f"registered mxgw-shell as server {handle}")
        return self.default_server()


def context_of(scope: Scope) -> Context:
    """Return the context behind a line's scope, for arguments that need more than the language knows."""
    if not isinstance(scope, Context):
        raise TypeError(f"a line is read in a Context, not in a {type(scope).__name__}")
    return scope
