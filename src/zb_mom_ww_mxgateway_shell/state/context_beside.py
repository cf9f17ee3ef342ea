"""A context for one of several runs of a process: what the user gave is the same, and what a run makes is its own."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient


def context_beside(base: Context, writer: OutputWriter) -> Context:
    """Return a context with the user's consent, names and settings; it has no connection yet."""
    made = Context(base.registry, interactive=False)
    made.writer = writer
    made.connection, made.start_connections = base.connection, list(base.start_connections)
    made.is_demo, made.read_only = base.is_demo, base.read_only
    made.settles_later, made.assume_yes = base.settles_later, base.assume_yes
    made.write_terms.consent = base.write_terms.consent
    made.departure.must_be_clean = base.departure.must_be_clean
    made.names, made.given_names = dict(base.names), base.given_names
    made.profiles = base.profiles
    made.aliases, made.settings = dict(base.aliases), replace(base.settings)
    return made


@dataclass(frozen=True, slots=True)
class SharedConnection:
    """A connection on which every run has a session, and a write guard, of its own."""

    client: "GatewayClient"
    """Keeps the connection open between the runs."""
    connection: Connection
    name: str
    terms: ConnectionTerms
    color: str
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a session is opened: the warnings of the process belong to one at a time."""

    @classmethod
    def of(cls, context: Context) -> "SharedConnection | None":
        """Return the connection of a context, which outlives its session; None without one."""
        opened = context.current
        if opened is None:
            return None
        # The limits of the command line are added again for each session.
        terms = opened.terms._replace(limits="") if context.write_terms.consent.limits else opened.terms
        return cls(opened.client.beside(None), opened.connection, opened.name, terms, opened.color)

    async def open_in(self, context: Context) -> None:
        """Open a session for a context; raise the library's errors, or ShellError."""
        async with self._opening:
            await context.connect(self.connection, self.name, terms=self.terms, beside=self.client)
        context.connected.color = self.color
