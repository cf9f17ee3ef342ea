"""When all is quiet again: what the client believes is held against what the simulated gateway did."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from library_faults_rig import CALL_TIMEOUT, PATIENT_TIMEOUT, TAGS, Rig
from library_waiting import soon

from zb_mom_ww_mxgateway import (
    Item,
    LiveState,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    WriteOutcome,
    WriteResult,
)
from zb_mom_ww_mxgateway_sim import SimulatedSession

T = TypeVar("T")

# How often a write may have happened, by what the client said of it; what is refused by the plant never does.
HAPPENED = {"completed": (1, 1), "accepted": (1, 1), "refused": (0, 0), "not-sent": (0, 0), "unknown": (0, 1)}
# Far more than it takes: a machine may be as busy as it likes.
SETTLED_WITHIN = 120.0


async def settled(rig: Rig) -> None:
    """Ends every fault, and waits until the session is live and has been given every event."""
    rig.gateway.faults.calm()
    rig.client.options = replace(rig.client.options, call_timeout=PATIENT_TIMEOUT)

    def live() -> bool:
        return rig.live.state is LiveState.LIVE and _attached(rig)

    def quiet() -> bool:
        session = _session(rig)
        return (
            live() and session is not None and session.last_sequence == rig.live.last_worker_sequence == rig.trail.last
        )

    if not await _commands_are_answered(rig):
        return
    # The plant moves again, as it may do so unseen just before a connection is found broken: a client that has had no
    # event of a session yet cannot tell that it lost some before it gets one.
    for _ in range(5):
        if not await _eventually(rig, live, "live again"):
            return
        for tag in TAGS:
            rig.move(tag)
        if await soon(quiet, 2.5):
            return
    await _eventually(rig, quiet, "the last event arrives")


async def _commands_are_answered(rig: Rig) -> bool:
    """Waits until a dead connection of the commands, if it is one, has been given up."""
    until, last = time.monotonic() + SETTLED_WITHIN, MxGatewayError("")
    while time.monotonic() < until:
        try:
            await rig.live.session.ping(timeout=1.0)
        except MxGatewayError as error:
            last = error
            await asyncio.sleep(0.05)
        else:
            return True
    rig.problems.append(f"not within {SETTLED_WITHIN:g} s: a command is answered ({rig.live.state.value}, {last})")
    return False


def _session(rig: Rig) -> SimulatedSession | None:
    return rig.gateway.sessions.get(rig.live.session.session_id)


def _attached(rig: Rig) -> bool:
    session = _session(rig)
    return session is not None and session.attached


async def _eventually(rig: Rig, condition: Callable[[], bool], what: str) -> bool:
    found = await soon(condition, SETTLED_WITHIN)
    if not found:
        session, live = _session(rig), rig.live
        rig.problems.append(
            f"not within {SETTLED_WITHIN:g} s: {what}; the client is {live.state.value} ({live.lost}), at event "
            f"{live.last_worker_sequence}, the session "
            + (f"{session.state}, at {session.last_sequence}, attached: {session.attached}" if session else "unknown")
        )
    return found


async def check(rig: Rig) -> None:
    """Notes every contradiction in ``rig.problems``."""
    rig.problems += rig.trail.problems
    _check_subscriber(rig)
    _check_items(rig)
    await _check_values(rig)
    await _check_it_works(rig)
    _check_writes(rig)


def _check_subscriber(rig: Rig) -> None:
    """The trail's subscriber is never read and has room for one."""
    missed = rig.trail.offered - rig.trail.subscription.dropped
    if missed != min(1, rig.trail.offered):
        rig.problems.append(f"of {rig.trail.offered} events {rig.trail.subscription.dropped} were counted as dropped")


def _doubtful(rig: Rig, tag: str) -> bool:
    return (rig.live.session.session_id, tag) in rig.doubts


def _check_items(rig: Rig) -> None:
    session = _session(rig)
    theirs = Counter((item.address, item.advised) for item in session.items) if session else Counter()
    ours = Counter((item.tag, item.advised) for item in rig.live.session.handles.items.values())
    for tag, advised in sorted({*theirs, *ours}):
        if theirs[tag, advised] != ours[tag, advised] and not _doubtful(rig, tag):
            how = "advised" if advised else "not advised"
            numbers = f"{ours[tag, advised]} at the client, {theirs[tag, advised]} at the gateway"
            rig.problems.append(f"{tag}, {how}: {numbers}")


async def _check_values(rig: Rig) -> None:
    for item in rig.live.session.handles.items.values():
        if not item.advised or _doubtful(rig, item.tag):
            continue
        held, true = rig.live.latest(*item.key), rig.gateway.read(item.tag)
        if held is None:
            rig.problems.append(f"{item.tag} is advised and has no value")
        elif (held.value, held.quality) != (true.value, true.quality):
            rig.problems.append(f"{item.tag} is {held.value} at the client, {true.value} in the plant")
        elif not await soon(partial(_is_fresh, rig, item.key), SETTLED_WITHIN):
            rig.problems.append(f"{item.tag} has had a data change and is still stale")
    try:
        # A write that was on its way when the noise ended may take effect between this reading and the look at
        # the plant: what is wrong once is read again.
        if await _wrong_readings(rig):
            await asyncio.sleep(CALL_TIMEOUT)
            rig.problems += await _wrong_readings(rig)
    except MxGatewayError as error:
        rig.problems.append(f"reading fails when all is quiet: {error!r}")


def _is_fresh(rig: Rig, key: tuple[int, int]) -> bool:
    """A busy machine may miss a sign of life, and have the next."""
    value = rig.live.latest(*key)
    return value is not None and value.stale_since is None


async def _wrong_readings(rig: Rig) -> list[str]:
    readings = await _in_the_end(lambda: rig.live.read(TAGS, timeout=PATIENT_TIMEOUT))
    return [
        f"read gave {reading.value} for {tag}, which is {rig.gateway.read(tag).value}"
        for tag, reading in zip(TAGS, readings, strict=True)
        if reading.value != rig.gateway.read(tag).value and not (reading.cached and _doubtful(rig, tag))
    ]


async def _check_it_works(rig: Rig) -> None:
    """Every item that both sides have takes one more write, under its own name."""
    for item in list(rig.live.session.handles.items.values()):
        if not item.advised or _doubtful(rig, item.tag):
            continue
        # Whose completion it is cannot be known while that of an earlier write may still come.
        unsure = any(attempt.tag == item.tag and attempt.said in ("unknown", "accepted") for attempt in rig.attempts)
        try:
            value, result = await _written(rig, item)
            # A machine that is too busy for a sign of life gives a good connection up, and says so.
            for _ in range(10):
                if result.outcome is not WriteOutcome.UNKNOWN or result.error is None or result.error.call != "ping":
                    break
                unsure = True
                value, result = await _written(rig, item)
        except MxGatewayError as error:
            rig.problems.append(f"writing {item.tag} fails when all is quiet: {error!r}")
            continue
        fine = (WriteOutcome.COMPLETED, WriteOutcome.ACCEPTED) if unsure else (WriteOutcome.COMPLETED,)
        if result.outcome not in fine:
            rig.problems.append(f"writing {item.tag} when all is quiet: {result.outcome.value} ({result.error})")
        await _eventually(rig, partial(_has, rig, item.tag, value), f"{value} reaches {item.tag}")


async def _written(rig: Rig, item: Item) -> tuple[int, WriteResult]:
    value = rig.new_value(item.tag)
    write = partial(rig.live.write_and_confirm, *item.key, value, timeout=PATIENT_TIMEOUT)
    return value, await _in_the_end(write)


async def _in_the_end(call: Callable[[], Awaitable[T]]) -> T:
    """The client's commands may still be without a connection, or it is not live, and it says so: that is tried again
    for a while."""
    last = time.monotonic() + SETTLED_WITHIN
    while True:
        try:
            return await call()
        except (MxGatewayTransportError, MxGatewaySessionError) as error:
            if error.outcome_unknown or time.monotonic() > last:
                raise
        await asyncio.sleep(0.02)


def _has(rig: Rig, tag: str, value: int) -> bool:
    return rig.gateway.read(tag).value == value


def _check_writes(rig: Rig) -> None:
    happened = Counter((write.tag, write.value) for write in rig.gateway.writes)
    for attempt in rig.attempts:
        least, most = HAPPENED[attempt.said]
        times = happened[attempt.tag, attempt.value]
        if isinstance(attempt.value, str):
            if attempt.said == "completed":
                rig.problems.append(f"a write that {attempt.tag} cannot take is said to be completed")
        elif not least <= times <= most:
            rig.problems.append(
                f"{attempt.value} to {attempt.tag}: {attempt.said} ({attempt.detail}), and happened {times} times"
            )
