"""What happens at random on a rig: the plant moves, clients read and write and change items, and faults strike.

Everything follows from one seed but the interleaving, which is the machine's.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from random import Random

import grpc
from library_faults_rig import CALL_TIMEOUT, TAGS, Attempt, Rig

from zb_mom_ww_mxgateway import (
    Item,
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayWaitError,
    WriteEntry,
)

# Seconds between two acts of one actor, at most.
PAUSE = 0.05
# No act may take longer: what the library waits for has a time-out of its own, far below, but a machine may be busy.
DEADLINE = 60.0

_KINDS = (
    "write",
    "write_bulk",
    "read_bulk",
    "ping",
    "subscribe_bulk",
    "add_item",
    "advise",
    "remove_item",
    "un_advise",
    "register",
)
_RPCS = ("OpenSession", "CloseSession", "StreamEvents", "Invoke")
_CODES = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "ABORTED", "UNKNOWN", "RESOURCE_EXHAUSTED", "CANCELLED")
_STREAM_ENDS = ("UNAVAILABLE", "INTERNAL", "ABORTED", "UNKNOWN", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED")


async def run(rig: Rig, seed: int, acts: int) -> None:
    """All actors at once, until each is done."""
    actors = (strike, strike, move, write, write, change_items, look)
    async with asyncio.TaskGroup() as group:
        for number, actor in enumerate(actors):
            group.create_task(_act(rig, actor, Random(f"{seed} {number}"), acts))


async def _act(rig: Rig, actor: Callable[[Rig, Random], Awaitable[None]], chance: Random, acts: int) -> None:
    for _ in range(acts * (4 if actor is move else 1)):
        await asyncio.sleep(chance.random() * PAUSE * (0.25 if actor is move else 4 if actor is strike else 1))
        try:
            async with asyncio.timeout(DEADLINE):
                await actor(rig, chance)
        except TimeoutError:
            rig.problems.append(f"{actor.__name__} hung for {DEADLINE:g} s: {traceback.format_exc()}")


# The plant and its users.


async def move(rig: Rig, chance: Random) -> None:
    """The plant changes a tag."""
    rig.move(chance.choice(TAGS))


def _some_item(rig: Rig, chance: Random) -> Item | None:
    items = list(rig.live.session.handles.items.values())
    return chance.choice(items) if items else None


async def write(rig: Rig, chance: Random) -> None:
    """Writes one value, or two at once, in any of the ways; sometimes what the tag cannot take."""
    how = chance.choice(("confirm", "confirm", "confirm", "plain", "bulk"))
    good, give_up = chance.random() < 0.8, chance.random() < 0.1
    item = _some_item(rig, chance)
    if item is None:
        return
    value = rig.new_value(item.tag) if good else "no number"
    live, said, detail = rig.live, "completed", ""
    try:
        async with asyncio.timeout(0.02 if give_up else DEADLINE):
            if how == "confirm":
                result = await live.write_and_confirm(*item.key, value, timeout=0.3)
                said, detail = result.outcome.value, str(result.error or "")
            elif how == "plain":
                await live.session.write(*item.key, value)
                said = "accepted"
            else:
                (entry,) = await live.session.write_bulk(item.server_handle, [WriteEntry(item.item_handle, value)])
                said = "accepted" if entry.was_successful else "refused"
    except TimeoutError:
        if not give_up:
            raise
        said, detail = "unknown", "given up"
    except MxAccessError as error:
        said, detail = "refused", str(error)
    except MxGatewayError as error:
        said, detail = "unknown" if error.outcome_unknown else "not-sent", str(error)
    rig.attempts.append(Attempt(item.tag, value, said, detail))


async def change_items(rig: Rig, chance: Random) -> None:
    """Adds, advises, unadvises or removes an item. What fails may have happened."""
    live, session, tag = rig.live, rig.live.session, chance.choice(TAGS)
    before = session.session_id
    item = session.handles.find(tag, rig.server)
    act = chance.choice(("subscribe", "subscribe", "add", "remove", "unadvise", "advise"))
    try:
        if act == "add":
            await session.add_item(rig.server, tag)
        elif act == "subscribe" or item is None:
            await live.subscribe_tags([tag], rig.server)
        elif act == "remove":
            await session.remove_item(*item.key)
        elif act == "unadvise":
            await session.unadvise(*item.key)
        else:
            await session.advise(*item.key)
    except (MxAccessError, MxGatewayArgumentError):
        pass
    except MxGatewayError:
        rig.doubts |= {(before, tag), (session.session_id, tag)}


async def look(rig: Rig, chance: Random) -> None:
    """Reads some tags, or waits for a value; nothing that another tag has may come back."""
    live = rig.live
    before, tags = live.session.session_id, chance.sample(TAGS, 3)
    try:
        if chance.random() < 0.6:
            for tag, reading in zip(tags, await live.read(tags, timeout=0.2), strict=True):
                known = {rig.gateway.read(tag).value, None} | rig.history[tag]
                if reading.tag != tag or (not reading.error and reading.value not in known):
                    rig.problems.append(f"read gave {reading.value!r} for {tag}")
        else:
            odd = await live.wait_for(tags[0], lambda value: value % 2, timeout=0.1)
            if not odd.value % 2:
                rig.problems.append(f"wait_for gave {odd.value!r}, which is not odd")
    except MxGatewayError as error:
        # wait_for may have begun to advise the tag.
        if not isinstance(error, MxGatewayWaitError) or "was not advised" in str(error):
            rig.doubts |= {(before, tags[0]), (live.session.session_id, tags[0])}


# Faults.


async def strike(rig: Rig, chance: Random) -> None:
    """One fault, of any kind that a session can survive."""
    name = chance.choice(tuple(FAULTS))
    rig.struck.append(name)
    await FAULTS[name](rig, chance)


async def _drop(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.drop_streams(grpc.StatusCode[chance.choice(_STREAM_ENDS)])


async def _drop_and_evict(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.drop_streams()
    for _ in range(chance.randrange(4)):
        rig.move(chance.choice(TAGS))
    await _evict(rig, chance)
    for _ in range(chance.randrange(3)):
        rig.move(chance.choice(TAGS))


async def _evict(rig: Rig, chance: Random) -> None:
    for session_id in rig.gateway.live_sessions:
        rig.gateway.faults.evict_replay(session_id)


async def _kill(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.kill_connections()


async def _garble(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.garble_connections()


async def _swallow(rig: Rig, chance: Random) -> None:
    # That of the commands, of the stream, or both. It takes its time to be noticed: mostly something else goes wrong.
    if chance.random() < 0.25:
        rig.gateway.faults.swallow_connections(chance.choice(("register", "StreamEvents", None)))
    else:
        rig.gateway.faults.kill_connections()


async def _restart(rig: Rig, chance: Random) -> None:
    await rig.gateway.restart()


async def _lose(rig: Rig, chance: Random) -> None:
    for session_id in rig.gateway.live_sessions:
        rig.gateway.faults.lose_session(session_id)


async def _fault(rig: Rig, chance: Random) -> None:
    for session_id in rig.gateway.live_sessions:
        rig.gateway.faults.fault_session(session_id)


async def _close(rig: Rig, chance: Random) -> None:
    for session_id in rig.gateway.live_sessions:
        rig.gateway.faults.close_session(session_id)


async def _kill_worker(rig: Rig, chance: Random) -> None:
    for session_id in rig.gateway.live_sessions:
        rig.gateway.faults.kill_worker(session_id)


async def _overflow(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.overflow_streams()


async def _stall(rig: Rig, chance: Random) -> None:
    name = chance.choice((*_KINDS, *_RPCS))
    rig.gateway.faults.stall(name)
    await asyncio.sleep(chance.random() * CALL_TIMEOUT * 1.5)
    rig.gateway.faults.release(name)


async def _delay(rig: Rig, chance: Random) -> None:
    name = chance.choice((*_KINDS, *_RPCS))
    rig.gateway.faults.delay(name, chance.random() * CALL_TIMEOUT * 1.2)
    await asyncio.sleep(chance.random() * CALL_TIMEOUT)
    rig.gateway.faults.delay(name, 0)


async def _refuse(rig: Rig, chance: Random) -> None:
    code = grpc.StatusCode[chance.choice(_CODES)]
    rig.gateway.faults.fail_next(chance.choice((*_KINDS, *_RPCS)), code=code, details="refused at random")


async def _lose_reply(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.lose_next_reply(chance.choice((*_KINDS, *_RPCS)))


async def _garble_reply(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.garble_next_reply(chance.choice((*_KINDS, *_RPCS)))


async def _oversize_reply(rig: Rig, chance: Random) -> None:
    # 17 MiB take their time: mostly something smaller goes wrong.
    oversize = chance.random() < 0.05
    faults = rig.gateway.faults
    (faults.oversize_next_reply if oversize else faults.lose_next_reply)(chance.choice((*_KINDS, *_RPCS)))


async def _hold(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.hold_write_completes()
    await asyncio.sleep(chance.random() * CALL_TIMEOUT)
    rig.gateway.faults.release_write_completes()


async def _redeploy(rig: Rig, chance: Random) -> None:
    rig.gateway.faults.redeploy()


FAULTS: dict[str, Callable[[Rig, Random], Awaitable[None]]] = {
    "drop-stream": _drop,
    "drop-stream, evict-replay": _drop_and_evict,
    "evict-replay": _evict,
    "kill-connection": _kill,
    "garbage": _garble,
    "swallow": _swallow,
    "restart": _restart,
    "lose-session": _lose,
    "fault-session": _fault,
    "close-session": _close,
    "kill-worker": _kill_worker,
    "overflow": _overflow,
    "stall": _stall,
    "delay": _delay,
    "refuse": _refuse,
    "lose-reply": _lose_reply,
    "garbage-reply": _garble_reply,
    "oversized-reply": _oversize_reply,
    "hold-write-completes": _hold,
    "redeploy": _redeploy,
}
