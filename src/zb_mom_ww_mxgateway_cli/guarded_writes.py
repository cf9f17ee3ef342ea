"""The write guard of ``mxgw-py``: it decides as that of ``mxgw-shell`` does, with nobody to ask.

Where nothing guards the writes of a command it refuses none, and only says which value is outside the range of its tag.
In both cases it notes whether a call was sent, for a command that is interrupted.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.write_guard import Admission
from zb_mom_ww_mxgateway_cli.write_policy import GuardedRun, WritePolicy

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession, ReadResult, Session
    from zb_mom_ww_mxgateway.models.write_guard import PendingWrite, WriteAnswer
    from zb_mom_ww_mxgateway_cli.tag_ranges import TagRanges
    from zb_mom_ww_mxgateway_cli.write_desk import OneShotDesk


class WritingConnection(Protocol):
    """The connection whose writes are guarded."""

    @property
    def client(self) -> "GatewayClient": ...

    def attached(self, session_id: str) -> "Session":
        """Return a session of the connection by its id."""
        ...


class GuardedWrites:
    """The write guard of one connection. Nothing is loaded, and no journal written, before the first write."""

    def __init__(self, policy: WritePolicy | None, connection: WritingConnection) -> None:
        """Without a `policy` nothing is refused."""
        self.live: LiveSession | None = None
        """The live session of the command that runs, if it has one: its values count."""
        self.is_sent: bool = False
        """Whether the command that runs has sent a call that changes the plant."""
        self._policy = policy
        self._connection = connection
        self._run: GuardedRun | None = None
        self._desk: OneShotDesk | None = None
        self._ranges: TagRanges | None = None
        self._pending: PendingWrite | None = None

    def begin(self, run: GuardedRun) -> None:
        """Let the writes from now on be those of this command."""
        self._run = run
        self.live = None
        self.is_sent = False

    async def __call__(self, pending: "PendingWrite", /) -> bool | str | Admission:
        answer = await self._decided(pending)
        if isinstance(answer, str) or not answer:
            return answer
        return _NotedAdmission(self, answer if isinstance(answer, Admission) else None)

    async def _decided(self, pending: "PendingWrite") -> bool | str | Admission:
        assert self._run is not None, "a command begins before it writes"
        self._pending = pending
        if self._policy is None:
            await self._point_out(pending, self._run)
            return True
        if self._desk is None:
            from zb_mom_ww_mxgateway_cli.write_desk import OneShotDesk  # Lazy: most commands write nothing.

            self._desk = OneShotDesk(self._policy, self._connection.client, self._read)
        return await self._desk.decide(pending, self._run, self.live)

    async def _point_out(self, pending: "PendingWrite", run: GuardedRun) -> None:
        """Say which values are outside the ranges of their tags."""
        from zb_mom_ww_mxgateway.safety.known_range import beyond_ranges  # Lazy, as below: most commands write nothing.
        from zb_mom_ww_mxgateway.safety.write_note import current_note
        from zb_mom_ww_mxgateway_cli.tag_ranges import TagRanges

        tags = list(dict.fromkeys(each.tag for each in pending.entries if each.tag))
        if not tags or current_note().expects_refusal:
            return
        if self._ranges is None:
            self._ranges = TagRanges(self._connection.client, self._read)
        for text in beyond_ranges(pending.entries, await self._ranges.of(tags, for_a_person=False)):
            run.report.warning(text)

    async def _read(self, tags: Sequence[str], seconds: float) -> "Sequence[ReadResult]":
        """Read tags in the session that is written in; for a call without a session, in one of its own."""
        assert self._pending is not None, "values are read for a write"
        if self._pending.session_id and self._pending.entries:
            session = self._connection.attached(self._pending.session_id)
            return await session.read_bulk(self._pending.entries[0].server_handle, tags, int(seconds * 1000))
        async with await self._connection.client.open_session() as session:
            return await session.read_bulk(await session.register("mxgw-py"), tags, int(seconds * 1000))

    async def aclose(self) -> None:
        """End the session in the journal, if anything is in it, and report its head.

        What cannot be written is a warning: what was done is done.
        """
        if self._desk is None or self._run is None:
            return
        try:
            self._run.report.warning(f"journal head {await self._desk.aclose()}")
        except MxGatewayError as error:
            self._run.report.warning(str(error))


class _NotedAdmission(Admission):
    """A call that was allowed: it is noted in the moment of sending."""

    def __init__(self, guard: GuardedWrites, admission: Admission | None) -> None:
        """`admission` is that of the desk; None without one."""
        self._guard = guard
        self._admission = admission

    def refusal(self) -> str:
        refused = self._admission.refusal() if self._admission else ""
        self._guard.is_sent |= not refused
        return refused

    def answered(self, answer: "WriteAnswer") -> None:
        if self._admission:
            self._admission.answered(answer)

    def confirmed(self, outcomes: Sequence[Any]) -> None:
        if self._admission:
            self._admission.confirmed(outcomes)
