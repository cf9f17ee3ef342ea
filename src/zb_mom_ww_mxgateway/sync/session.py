"""A live session for programs without an event loop of their own."""

import atexit
import inspect
import weakref
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar, Unpack, cast

from zb_mom_ww_mxgateway.client import GatewayClient
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError
from zb_mom_ww_mxgateway.galaxy import Galaxy
from zb_mom_ww_mxgateway.live.followed_writes import followed_writes
from zb_mom_ww_mxgateway.live.session import LiveSession
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue
from zb_mom_ww_mxgateway.options import ClientOptionNames, ClientOptions
from zb_mom_ww_mxgateway.safety.verification import write_and_verify
from zb_mom_ww_mxgateway.sync.blocking_method import BlockingList, BlockingMethod
from zb_mom_ww_mxgateway.sync.callback_thread import CallbackThread
from zb_mom_ww_mxgateway.sync.loop_thread import LoopThread
from zb_mom_ww_mxgateway.sync.sent_writes import SentWrites
from zb_mom_ww_mxgateway.sync.subscription import SyncSubscription
from zb_mom_ww_mxgateway.system import clock

T = TypeVar("T")

# Seconds for closing everything when the interpreter ends; a gateway that does not answer does not hold it up.
_EXIT_SECONDS = 3.0
_open_parts: "set[_Parts]" = set()


@dataclass(frozen=True, eq=False)
class _Parts:
    """What a session is made of; it lives until it is closed, also where the session is dropped."""

    loop: LoopThread
    client: GatewayClient
    live: LiveSession
    callbacks: CallbackThread

    async def end(self) -> None:
        """Close session and connection, on their loop."""
        _open_parts.discard(self)
        try:
            await self.live.aclose()
        finally:
            await self.client.close()

    def drop(self) -> None:
        """Close everything without waiting for it."""
        if self.loop.is_open:
            self.callbacks.close()
            self.loop.end_with(self.end)

    def close(self) -> None:
        """Close everything, and wait for it."""
        if self.loop.is_open:
            self.loop.check()
            self.callbacks.close()
            try:
                self.loop.run(self.end)
            except MxGatewayError:
                if self.loop.is_open:  # otherwise another thread has closed it meanwhile
                    raise
            finally:
                self.loop.close()


class SyncSession:
    """A client with one live session, whose calls block. Made by :func:`connect`; also a context manager.

    Its event loop runs in a thread of its own, so values stay live between two calls, also in a notebook. Every method
    may be called from any thread but that one. Ctrl-C ends the wait and cancels the call; where a write was sent by
    then, a note of the KeyboardInterrupt says that its outcome is unknown. After a fork the session belongs to the
    parent, and its calls raise in the child. It is closed when the interpreter ends.
    """

    def __init__(self, loop: LoopThread, client: GatewayClient, live: LiveSession) -> None:
        self._loop = loop
        self._client = client
        self._live = live
        self._callbacks = CallbackThread("mxgw callbacks")
        self._parts = _Parts(loop, client, live, self._callbacks)
        _open_parts.add(self._parts)
        weakref.finalize(self, self._parts.drop).atexit = False

    # The table of methods: each is that of a part, and waits for it.

    ready: Final = BlockingMethod("_live", LiveSession.ready)
    read: Final = BlockingMethod("_live", LiveSession.read)
    wait_for: Final = BlockingMethod("_live", LiveSession.wait_for)
    write: Final = BlockingMethod("_live", LiveSession.write)
    write_many: Final = BlockingMethod("_live", LiveSession.write_many)
    write_and_confirm: Final = BlockingMethod("_live", LiveSession.write_and_confirm)
    write_bulk_and_confirm: Final = BlockingMethod("_live", LiveSession.write_bulk_and_confirm)
    write_and_verify: Final = BlockingMethod("_live", write_and_verify)
    subscribe_tags: Final = BlockingMethod("_live", LiveSession.subscribe_tags)
    advise_tags: Final = BlockingMethod("_live", LiveSession.advise_tags)
    unsubscribe_tags: Final = BlockingMethod("_live", LiveSession.unsubscribe_tags)
    first_value: Final = BlockingMethod("_live", LiveSession.first_value)
    caught_up: Final = BlockingMethod("_live", LiveSession.caught_up)
    fresh_mark: Final = BlockingMethod("_live", LiveSession.fresh_mark)
    discover: Final = BlockingList("_galaxy", Galaxy.discover)
    query_active_alarms: Final = BlockingList("_client", GatewayClient.query_active_alarms)

    @property
    def _galaxy(self) -> Galaxy:
        return self._client.galaxy

    def subscribe(
        self,
        tags: str | Sequence[str],
        callback: Callable[[LiveValue], object],
        *,
        server_handle: int | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> SyncSubscription:
        """Call `callback` with the value held, if there is one, and with every change of the tags from then on.

        It ends when the subscription that is returned is closed. Returns when all tags are advised; raises
        MxGatewayCommandError where one is refused, and then there is no callback. The function is called in a thread
        for the callbacks of this session, one call after another; it may call the session. While it is 10,000 changes
        behind, the oldest are dropped, and the subscription counts them.

        `on_error` gets, in that thread, what `callback` raises, and why there are no more changes of a tag; without
        `on_error` the error is logged by the logger ``asyncio``. The next change is reported all the same.
        """
        made = SyncSubscription(tags, callback, on_error, self, self._callbacks, self._loop)
        self._run("subscribe", lambda: made._begin(self._live, server_handle))
        return made

    def latest(self, tag: str) -> LiveValue:
        """Return the latest value of a tag that is advised, in any letter case; KeyError before its first change.

        Makes no call, and does not wait.
        """
        return self._live[tag]

    @property
    def state(self) -> LiveState:
        """What holds of the values now."""
        return self._live.state

    @property
    def lost(self) -> MxGatewayError | None:
        """Why the stream or the session was lost, while it is."""
        return self._live.lost

    # What else there is.

    @property
    def client(self) -> GatewayClient:
        """The client, for :meth:`run`: galaxy, alarms and everything else. Its calls belong to the session's loop."""
        return self._client

    @property
    def live(self) -> LiveSession:
        """The live session, for :meth:`run`. Its attributes may be read anywhere; its calls belong to its loop."""
        return self._live

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop of the session, wait for it, and return its result or raise its error.

        For example ``plant.run(plant.client.acknowledge_alarm("Galaxy!Area.Tank1.Level.Hi"))``.
        """
        if not isinstance(work, Coroutine):
            raise MxGatewayArgumentError(f"run takes a coroutine, such as plant.client.close(), not {work!r}")
        try:
            return self._run("run", lambda: work)
        finally:
            if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
                work.close()  # Python would warn that it was never awaited

    def _run(self, call: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        sent = SentWrites()

        async def followed() -> T:
            sent.follow()
            with followed_writes() as sent.calls:
                return await work()

        def interrupted(interruption: BaseException) -> None:
            if note := sent.note():
                interruption.add_note(f"{call} was interrupted after {note}; nothing is sent again")

        return self._loop.run(followed, interrupted)

    # Closing.

    def close(self) -> None:
        """Close the session and the connection, and end the callbacks. Idempotent.

        Calls that wait in other threads raise MxGatewayError. A callback that runs goes on.
        """
        self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        # What the block raised says more than that the session could not be closed either.
        with suppress(*([] if kind is None else [MxGatewayError])):
            self.close()

    def __repr__(self) -> str:
        return f"<SyncSession of {self._client.options.endpoint} {self.state.value}>"


def connect(
    options: ClientOptions | str | None = None,
    *,
    wait: float = 0.0,
    rebuild: bool = True,
    **names: Unpack[ClientOptionNames],
) -> SyncSession:
    """Connect, open a session, and return it when it is live; it blocks until then.

    The arguments are those of :meth:`GatewayClient.connect`, and `rebuild` that of :meth:`LiveSession.open`. Raises
    what these raise; then nothing stays open.
    """
    given = cast("dict[str, Any]", names)
    loop = LoopThread("mxgw session", "the session")
    try:
        return loop.run(lambda: _opened(loop, options, wait, rebuild, given))
    except BaseException:
        loop.close()
        raise
    finally:
        # Frames of an error keep no key.
        given.clear()


async def _opened(
    loop: LoopThread, options: ClientOptions | str | None, wait: float, rebuild: bool, names: dict[str, Any]
) -> SyncSession:
    client = await GatewayClient.connect(options, wait=wait, **names)
    try:
        return SyncSession(loop, client, await LiveSession.open(client, rebuild=rebuild))
    except BaseException:
        await client.close()
        raise


@atexit.register
def _close_all() -> None:
    # Not those of the process from which this one was forked.
    left = [parts for parts in tuple(_open_parts) if parts.loop.is_open]
    for parts in left:
        parts.loop.abandon_calls()
        parts.drop()
    until = clock.monotonic() + _EXIT_SECONDS
    for parts in left:
        parts.loop.join(max(0.0, until - clock.monotonic()))
