"""Sessions at the gateway, one after another: the one from before a restart if it is there, else another."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from zb_mom_ww_mxgateway.client import GatewayClient
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayContractError,
    MxGatewayError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.live.session import LiveSession
from zb_mom_ww_mxgateway.models.handles import HandleChange
from zb_mom_ww_mxgateway.options import OpenSessionOptions
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_cli.forward.messages import Gap, MessageForms
from zb_mom_ww_mxgateway_cli.forward.outbox import Outbox
from zb_mom_ww_mxgateway_cli.forward.progress import Position, Saved, SessionItems
from zb_mom_ww_mxgateway_cli.forward.session_feed import SessionFeed
from zb_mom_ww_mxgateway_console.render.forms import counted

# Trying again would end the same.
_FINAL = (
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayContractError,
)
# Seconds between attempts, each a random quarter more or less.
_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0)
# Seconds for which the gateway keeps a session without a reader, and may not have noticed the end of the last one.
_GRACE = 30.0
# Seconds to close what is left of a session.
_CLOSE_SECONDS = 5.0


class GatewayFeed:
    """Keeps the outbox fed, whatever happens to the session."""

    def __init__(
        self,
        client: GatewayClient,
        tags: Sequence[str],
        forms: MessageForms,
        outbox: Outbox,
        *,
        name: str,
        keeps_session: bool,
        most_events: int | None,
        on_opened: Callable[[str], Awaitable[None]],
        on_items: Callable[[SessionItems | None], Awaitable[None]],
        news: Callable[[str, str], None],
    ) -> None:
        """`on_opened` is awaited with the id of each session before anything of it is put.

        With `keeps_session` the session is left open at the end, for a forwarder that goes on with it.
        """
        self.sessions: int = 0
        """Sessions opened, or gone on with."""
        self._client = client
        self._tags = tags
        self._forms = forms
        self._outbox = outbox
        self._name = name
        self._keeps_session = keeps_session
        self._left = most_events
        self._on_opened = on_opened
        self._on_items = on_items
        self._news = news
        self._told = ""

    async def run(self, saved: Saved) -> None:
        """Feed until there were as many events as wanted. Raise what no other attempt can change, as a refused key."""
        first = await self._resumed(saved)
        failures = 0
        while True:
            began = clock.monotonic()
            try:
                live, feed = first or await self._opened()
                first = None
                if await self._fed(live, feed):
                    return
            except _FINAL:
                raise
            except MxGatewayError as error:
                if str(error) != self._told:
                    self._told = str(error)
                    self._news("gateway lost", f"{error}; another session is opened")
            failures = 0 if clock.monotonic() - began > _GRACE else failures
            await asyncio.sleep(_DELAYS[min(failures, len(_DELAYS) - 1)] * random.uniform(0.75, 1.25))
            failures += 1

    async def _fed(self, live: LiveSession, feed: SessionFeed) -> bool:
        """Feed from a session; return whether there were as many events as wanted. Raise what it was lost to."""
        session_id = live.session.session_id
        self.sessions += 1
        lost: MxGatewayError | None = None
        is_kept = False
        try:
            lost = await feed.run(self._tags, self._on_items, self._tell_refused)
        except MxGatewayError as error:
            lost = error  # Some tags may be added twice now: this session is given up.
        except asyncio.CancelledError:
            is_kept = self._keeps_session
            raise
        finally:
            if self._left is not None:
                self._left -= feed.events
            is_kept = is_kept or (lost is None and self._keeps_session)
            await _end(live, is_kept)
        if lost is None:
            return True
        text = f"GAP the session was lost: {lost}; what happened until the next value of each tag is unknown"
        self._outbox.put(self._forms.gap(Gap(session_id, feed.last, None, None, "session", text)))
        raise lost

    def _tell_refused(self, refused: dict[str, str]) -> None:
        tag, why = next(iter(refused.items()))
        others = f", and {len(refused) - 1} others" if len(refused) > 1 else ""
        self._news("refused", f"not forwarded: {tag} ({why}){others}")

    async def _opened(self) -> tuple[LiveSession, SessionFeed]:
        session = await self._client.open_session(OpenSessionOptions(client_session_name=self._name))
        await self._on_opened(session.session_id)
        live, feed = await self._live(session, 0)
        self._told = ""
        self._news("session", f"{session.session_id} opened for {counted(len(self._tags), 'tag')}")
        return live, feed

    async def _resumed(self, saved: Saved) -> tuple[LiveSession, SessionFeed] | None:
        """Go on with the session of before; mark a gap and return None if it is not there any more, or cannot be."""
        position = saved.position
        if position is not None:
            if saved.opened:
                why = "another one had taken its place"
            elif not position.sequence:
                why = "it ended before its first event"  # After 0 a stream begins anew: what was missed does not come.
            elif saved.items is None:
                why = "its items are not known"
            else:
                found = await self._attached(position, saved.items)
                if not isinstance(found, MxGatewayError):
                    self._news("session", f"{position.session_id} goes on after sequence {position.sequence}")
                    return found
                why = str(found)
            self._mark_gone(position, why)
        for session_id in saved.opened:
            self._mark_gone(Position(session_id, 0), "the position in it was not kept yet")
        return None

    async def _attached(
        self, position: Position, items: SessionItems
    ) -> tuple[LiveSession, SessionFeed] | MxGatewayError:
        """Go on with a session; return why that is not possible."""
        until = clock.monotonic() + _GRACE
        while True:
            session = self._client.attach(position.session_id)
            _name_items(session, items)
            try:
                return await self._live(session, position.sequence)
            except _FINAL:
                raise
            except MxGatewayError as error:
                # The gateway may not have noticed yet that the reader of before is gone.
                may_pass = error.grpc_code == "ALREADY_EXISTS" or isinstance(error, MxGatewayTransportError)
                if not may_pass or clock.monotonic() > until:
                    return error
            await asyncio.sleep(_DELAYS[0])

    def _mark_gone(self, position: Position, why: str) -> None:
        text = f"GAP the session of before the restart is gone ({why}); what happened meanwhile is unknown"
        self._outbox.put(self._forms.gap(Gap(position.session_id, position.sequence, None, None, "session", text)))
        self._news("gap", text)

    async def _live(self, session: Session, after: int) -> tuple[LiveSession, SessionFeed]:
        """Read a session; raise why that is not possible. What it brings is taken from the first event on."""
        live = LiveSession(session, rebuild=False, after=after)
        feed = SessionFeed(live, self._forms, self._outbox, after=after, most_events=self._left)
        try:
            await live.ready(timeout=self._client.options.connect_timeout)
        except BaseException:
            await _end(live, is_kept=bool(after))
            raise
        return live, feed


async def _end(live: LiveSession, is_kept: bool) -> None:
    with suppress(MxGatewayError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await (live.detach() if is_kept else live.aclose())


def _name_items(session: Session, items: SessionItems) -> None:
    """Let a session that was attached know the items that it had before."""
    handles, server = session.handles, items.server_handle
    handles.apply(HandleChange("registered", server, name="mxgw-py"))
    for handle, tag in items.tags.items():
        handles.apply(HandleChange("added", server, handle, tag))
        handles.apply(HandleChange("advised", server, handle))
