"""Writes of a live session: each waits for its outcome, by handles or by the names of tags."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from zb_mom_ww_mxgateway import arguments, wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.commands.writes import BulkEntry, WriteSignature, bulk_write_request, write_request
from zb_mom_ww_mxgateway.errors import (
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewayWaitError,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.awaited_writes import AwaitedWrite
from zb_mom_ww_mxgateway.live.followed_writes import FollowedCall, followed
from zb_mom_ww_mxgateway.live.hub import EventHub
from zb_mom_ww_mxgateway.live.value_reader import ValueReader
from zb_mom_ww_mxgateway.live.values import LiveState
from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.models.results import BulkWriteResult
from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.status import hresult_text
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.values import MxValueInput, NormalValue, normalize

# Seconds for a last look at what has come when the time for a completion is over.
_LAST_LOOK = 1.0


class TagWriter:
    """Writes to items and tags of a live session."""

    def __init__(self, hub: EventHub, link: SessionLink, reader: ValueReader) -> None:
        self._hub = hub
        self._link = link
        self._reader = reader

    async def write_and_confirm(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput | SparseArray,
        user_id: int = 0,
        *,
        timestamp: datetime | None = None,
        signature: WriteSignature | None = None,
        timeout: float = 30.0,
        in_turn: bool = True,
    ) -> WriteResult:
        """Write, and wait for the OnWriteComplete event that tells the outcome.

        `timeout` is in seconds for all of it, from when the write guard has said yes. While another write to the item
        is unanswered, it waits for that one first: calls in flight together have no order at the gateway, and a
        completion names the item alone. When `timeout` ends before that, it raises MxGatewayWorkerError with nothing
        sent. Without `in_turn` it is sent at once, and both are in doubt: where their completions differ, each is
        *accepted* and `ambiguous`.

        Raises, with nothing written, when the session is not live, the value is invalid, or the gateway refused the
        call itself; a refusal of MXAccess is an outcome. Never sends again. Cancelling stops the
        waiting, not the write.
        """
        self._hub.raise_if_closed()
        request = write_request(
            self._link, server_handle, item_handle, value, user_id, timestamp=timestamp, signature=signature
        )
        gaps = self._hub.gaps
        with (
            self._hub.tracker.awaiting(request, timeout, self._hub.latest, in_turn=in_turn) as call,
            self._link.transport.followed(request) as confirmed,
        ):
            follower = followed(call)
            try:
                await self._link.send(request)
            except MxGatewayError as error:
                result = _unanswered(error)
            else:
                follower.accept()
                (awaited,) = call.writes
                try:
                    result = await self._outcome(awaited, gaps)
                except asyncio.CancelledError:
                    follower.interrupt([_interrupted(request, awaited)])
                    confirmed(follower.results or ())
                    raise
            result = replace(result, correlation_id=wire.correlation_of(request))
            follower.results = [result]
            confirmed([result])
            return result

    async def write_bulk_and_confirm(
        self, server_handle: int, entries: Sequence[BulkEntry], *, timeout: float = 30.0
    ) -> list[WriteResult]:
        """Write many values in one call, and wait for the outcome of each; return the outcomes in input order.

        The entries are all of one type, which tells the call: `WriteEntry`, `Write2Entry`, `WriteSecuredEntry` or
        `WriteSecured2Entry`. An item may be there once only. `timeout` is in seconds for all of it, as for
        :meth:`write_and_confirm`, and the call waits for earlier writes to its items as that one does. The write guard
        is asked once, with all entries.

        An entry that the gateway or MXAccess refuses is *refused*, and leaves the others alone. When the answer is
        lost, all are *unknown*. Raises, with nothing written, what ``write_and_confirm`` raises. Never sends again.
        Cancelling stops the waiting, not the writes.
        """
        self._hub.raise_if_closed()
        arguments.seconds("timeout", timeout)
        request = bulk_write_request(self._link, server_handle, entries)
        gaps = self._hub.gaps
        with (
            self._hub.tracker.awaiting(request, timeout, self._hub.latest) as call,
            self._link.transport.followed(request) as confirmed,
        ):
            follower = followed(call)
            try:
                answers = wire.write_results(request, await self._link.send(request))
            except MxGatewayError as error:
                results = [_unanswered(error)] * len(call.writes)
            else:
                follower.accept()
                results = await self._outcomes(request, call.writes, answers, gaps, follower, confirmed)
            results = [replace(each, correlation_id=wire.correlation_of(request)) for each in results]
            follower.results = results
            confirmed(results)
            return results

    async def _outcomes(
        self,
        request: pb.MxCommandRequest,
        writes: Sequence[AwaitedWrite],
        answers: Sequence[BulkWriteResult],
        gaps: int,
        follower: FollowedCall,
        confirmed: Callable[[Sequence[WriteResult]], None],
    ) -> list[WriteResult]:
        kind = wire.kind_name(request)
        results = [
            _interrupted(request, awaited) if answer.was_successful else self._refused(kind, answer)
            for awaited, answer in zip(writes, answers, strict=True)
        ]

        async def wait(index: int) -> None:
            results[index] = await self._outcome(writes[index], gaps)

        try:
            async with asyncio.TaskGroup() as tasks:
                for index, answer in enumerate(answers):
                    if answer.was_successful:
                        tasks.create_task(wait(index))
        except asyncio.CancelledError:
            follower.interrupt(results)
            confirmed(results)
            raise
        return results

    def _refused(self, kind: str, answer: BulkWriteResult) -> WriteResult:
        words = [answer.error_message, *map(str, answer.statuses)]
        if answer.hresult:
            words.insert(0, hresult_text(answer.hresult))
        reason = self._link.transport.printable("; ".join(word for word in words if word)) or "no reason given"
        error = MxAccessError(
            f"{kind}: item {answer.item_handle} was refused: {reason}",
            call=kind,
            endpoint=self._link.endpoint,
            hresult=answer.hresult,
            statuses=answer.statuses,
        )
        return WriteResult(WriteOutcome.REFUSED, statuses=answer.statuses, error=error)

    async def _outcome(self, awaited: AwaitedWrite, gaps: int) -> WriteResult:
        """Return the outcome of a write that was accepted; `gaps` counts those before it was sent."""
        accepted = awaited.seconds
        event = await awaited.completion(self._hub.changed, self._all_taken)
        if event is not None:
            outcome = WriteOutcome.REFUSED if event.failed else WriteOutcome.COMPLETED
            return WriteResult(outcome, accepted, awaited.seconds, event.statuses)
        if self._hub.state is LiveState.LIVE and self._hub.gaps == gaps and not awaited.is_lost:
            return WriteResult(WriteOutcome.ACCEPTED, accepted, ambiguous=awaited.is_ambiguous)
        return WriteResult(WriteOutcome.UNKNOWN, accepted, error=self._hub.lost)

    def unsettled_writes(self, since: float, *, unanswered: bool = False) -> int:
        """Return how many writes sent since then have no known outcome yet; with `unanswered` only those that are not
        known to be accepted.

        `since` is in seconds of :func:`zb_mom_ww_mxgateway.system.clock.monotonic`.
        """
        return self._hub.tracker.unsettled(since, unanswered=unanswered)

    async def _all_taken(self) -> None:
        """Wait until everything that has come by now was looked at; the loop may have been busy, or stopped."""
        await self._reader.caught_up(timeout=_LAST_LOOK)

    async def write(
        self,
        tag: str,
        value: MxValueInput,
        *,
        timeout: float = 30.0,
        server_handle: int | None = None,
        user_id: int = 0,
    ) -> WriteResult:
        """Write a tag and wait for the outcome, as :meth:`write_and_confirm` does.

        It first does what is needed: it registers, adds and advises the tag, and waits for its first value, before
        which MXAccess takes no write. `timeout` is in seconds for all of it, except for a write guard.

        Raises, with nothing written: MxGatewayCommandError when the tag is refused, MxGatewayWaitError when it has no
        value in time, MxGatewayArgumentError for an invalid value, and what ``write_and_confirm`` raises.
        """
        arguments.text("tag", tag)
        arguments.seconds("timeout", timeout)
        checked = normalize(value)
        until = clock.monotonic() + timeout
        (item,) = await self._writable([tag], server_handle, timeout)
        left = max(0.001, until - clock.monotonic())
        return await self.write_and_confirm(*item.key, checked, user_id, timeout=left)

    async def _writable(self, tags: Sequence[str], server_handle: int | None, timeout: float) -> list[Item]:
        try:
            async with clock.timeout(timeout):
                items = await self._hub.tags.subscribe_tags(tags, server_handle)
                for item in items:
                    await self._reader.first_value(item)
        except TimeoutError:
            raise MxGatewayWaitError(
                f"write: {', '.join(tags)} had no value within {timeout:g} s, and MXAccess takes no write before one; "
                f"nothing was written",
                call="write",
            ) from None
        return items

    async def write_each(
        self, values: object, timeout: float, in_flight: int, server_handle: int | None, user_id: int
    ) -> dict[str, WriteResult]:
        """Do what ``LiveSession.write_many`` says."""
        wanted = _wanted(values)
        arguments.seconds("timeout", timeout)
        arguments.whole("in_flight", in_flight, 1)
        results: dict[str, WriteResult] = {}
        items, refused = await self._prepared(list(wanted), server_handle, timeout)
        turns = asyncio.Semaphore(in_flight)

        async def write(tag: str, item: Item) -> None:
            async with turns:
                try:
                    results[tag] = await self.write_and_confirm(*item.key, wanted[tag], user_id, timeout=timeout)
                except MxGatewayError as error:
                    results[tag] = WriteResult(WriteOutcome.NOT_SENT, error=error)

        async with asyncio.TaskGroup() as tasks:
            for tag in wanted:
                if tag in refused:
                    results[tag] = WriteResult(WriteOutcome.NOT_SENT, error=refused[tag])
                else:
                    tasks.create_task(write(tag, items[tag]))
        return {tag: results[tag] for tag in wanted}

    async def _prepared(
        self, tags: list[str], server_handle: int | None, timeout: float
    ) -> tuple[dict[str, Item], dict[str, MxGatewayError]]:
        """Return items that can be written, and why others cannot."""
        items: dict[str, Item] = {}
        refused: dict[str, MxGatewayError] = {}
        try:
            async with clock.timeout(timeout):
                items, reasons = await self._hub.tags.advise_tags(tags, server_handle)
                for tag, reason in reasons.items():
                    refused[tag] = MxGatewayCommandError(f"{tag} was refused: {reason}", call="subscribe_bulk")
                for item in items.values():
                    await self._reader.first_value(item)
        except TimeoutError:
            for tag in tags:
                if tag not in refused and (tag not in items or self._hub.latest(*items[tag].key) is None):
                    refused[tag] = MxGatewayWaitError(f"{tag} had no value within {timeout:g} s", call="write")
        return items, refused


def _interrupted(request: pb.MxCommandRequest, awaited: AwaitedWrite) -> WriteResult:
    """Return the outcome of a write that was accepted, for a caller that no longer waits for its completion."""
    error = MxGatewayError("the wait for its completion was interrupted", outcome_unknown=True)
    return WriteResult(WriteOutcome.ACCEPTED, awaited.seconds, error=error, correlation_id=wire.correlation_of(request))


def _unanswered(error: MxGatewayError) -> WriteResult:
    """Return the outcome of a write whose call failed; raise the error where nothing was written."""
    if isinstance(error, MxAccessError):
        return WriteResult(WriteOutcome.REFUSED, statuses=error.statuses, error=error)
    if not error.outcome_unknown:
        raise error
    return WriteResult(WriteOutcome.UNKNOWN, error=error)


def _wanted(values: object) -> dict[str, NormalValue]:
    """Return the values to write, by tag; raise MxGatewayArgumentError for an invalid one and for a tag named twice."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise MxGatewayArgumentError(f"values must be a mapping of tags to values, not {type(values).__name__}")
    wanted: dict[str, NormalValue] = {}
    seen: dict[str, str] = {}
    pairs = values.items() if isinstance(values, Mapping) else values
    for pair in pairs:
        if isinstance(pair, str | bytes) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise MxGatewayArgumentError(f"values must be a mapping, or pairs of a tag and a value, not {pair!r}")
        tag, value = pair
        arguments.text("a tag of values", tag)
        if (other := seen.setdefault(tag_key(tag), tag)) != tag or tag in wanted:
            raise MxGatewayArgumentError(f"{tag} is named twice{f', as {other} too' if other != tag else ''}")
        try:
            wanted[tag] = normalize(value)
        except MxGatewayArgumentError as error:
            raise MxGatewayArgumentError(f"{tag}: {error}") from None
    return wanted
