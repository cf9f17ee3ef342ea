"""The pending reverts of one connection, in memory and on disk; and those that earlier processes left behind."""

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.safety.revert_files import DamagedRevert, RevertFolder, RevertRecord
from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertStage
from zb_mom_ww_mxgateway.safety.typed_forms import typed_of
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway.values import Typed


class PendingReverts:
    """Reverts that are not over, at most one for each tag. What concerns the disk raises OSError, or TimeoutError where
    another process holds the folder."""

    def __init__(self, folder: RevertFolder, endpoint: str, session_id: Callable[[], str]) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._session_id = session_id
        self._reverts: dict[str, Revert] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def all(self) -> list[Revert]:
        """The reverts in the order of their times."""
        return sorted(self._reverts.values(), key=lambda each: each.planned_at)

    def of(self, tag: str) -> Revert | None:
        """Return the revert of a tag; None where there is none."""
        return self._reverts.get(item_key(tag))

    def add(self, revert: Revert) -> None:
        """Add a revert; :meth:`store` puts it on disk."""
        self._reverts[item_key(revert.tag)] = revert

    def forget(self, revert: Revert) -> None:
        """Remove a revert that is over; :meth:`store` removes it from the disk."""
        self._reverts = {tag: each for tag, each in self._reverts.items() if each is not revert}

    async def store(self, revert: Revert) -> None:
        """Bring the file of a revert up to date; return when it is on disk. Cancelling does not leave it half way."""
        task = asyncio.get_running_loop().create_task(self._store(revert), name=f"file of {revert.key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _store(self, revert: Revert) -> None:
        async with self._turn:
            if self.of(revert.tag) is revert:
                await asyncio.to_thread(self._folder.save, self._record(revert))
            else:
                await asyncio.to_thread(self._folder.remove, revert.key)

    def _record(self, revert: Revert) -> RevertRecord:
        due = revert.planned_at
        ours: list[Typed] = []
        for each in revert.ours:
            if (typed := typed_of(each)) is not None and typed not in ours:
                ours.append(typed)
        return RevertRecord(
            key=revert.key,
            endpoint=self._endpoint,
            session_id=self._session_id(),
            who=revert.who,
            tag=revert.tag,
            original=revert.original,
            ours=tuple(ours or [revert.original]),
            written_at=revert.written_at,
            due_at=revert.planned,
            due_monotonic=due if math.isfinite(due) else clock.monotonic(),
            may_happen_until=datetime.now(UTC) + timedelta(seconds=revert.may_still_happen_for),
            stage=revert.stage,
            why=revert.why,
        )

    async def left_behind(self) -> list[RevertRecord | DamagedRevert]:
        """Return the reverts at this endpoint whose processes have ended, and files that cannot be read."""
        found = await asyncio.to_thread(self._folder.left_behind)
        return [each for each in found if isinstance(each, DamagedRevert) or each.endpoint == self._endpoint]

    async def discard_left_behind(self) -> None:
        """Remove the files of all processes that have ended, whatever the endpoint."""
        for each in await asyncio.to_thread(self._folder.left_behind):
            if isinstance(each, RevertRecord):
                await asyncio.to_thread(self._folder.remove, each.key)

    async def adopt(self, record: RevertRecord) -> Revert | None:
        """Take over a revert that was left behind, as a question; None where another process was faster."""
        if self.of(record.tag) is not None:
            return None
        claimed = await asyncio.to_thread(self._folder.claim, record.key)
        if claimed is None:
            return None
        left = (claimed.may_happen_until - datetime.now(UTC)).total_seconds()
        revert = Revert(claimed.key, claimed.tag, claimed.original, claimed.who, claimed.written_at)
        # A clock that was set meanwhile does not make it longer.
        sent_at = clock.monotonic() - COMMAND_SECONDS + min(left, COMMAND_SECONDS)
        revert.adopt(claimed.ours, sent_at, claimed.due_at)
        revert.stop(RevertStage.QUESTION, claimed.why or "its session ended before its time")
        self.add(revert)
        return revert

    def file_exists(self, key: str) -> bool:
        """Return whether a revert is on disk."""
        return self._folder.path_of(key).exists()

    async def aclose(self) -> None:
        """Finish what is being written. What is pending stays on disk, for the next start to offer."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.to_thread(self._folder.close)
