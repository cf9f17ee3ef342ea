"""Acceptance test of the demo plant, as acceptance.mxs does it: pump start, level control, alarm.

    mxgw-shell --demo --python examples/acceptance.py --report-junit acceptance.xml --report acceptance.html

It runs on the shell's live session. It can use client, session, live and mx, and await at the top level. A step that it
begins with mx has a case in the reports; what fails in it, such as an assert, is the failure of that step.
"""

import contextlib

SETPOINT = 64.0
ALARM = "ZB!Plant.Tank1.Level.Hi"

server = await session.register("acceptance")


async def value_of(tag):
    """Return the value of a tag now; it must be good."""
    (item,) = await live.subscribe_tags([tag], server)
    async with asyncio.timeout(15):
        held = await live.first_value(item)
    assert held.quality_word == "good", f"{tag} is {held.value}, {held.quality_word}"
    return held.value


async def write(tag, value):
    """Write, and continue only after the write has completed."""
    await value_of(tag)
    (item,) = await live.subscribe_tags([tag], server)
    result = await live.write_and_confirm(*item.key, value)
    assert result.outcome.value == "completed", f"{tag} = {value}: {result.outcome.value}"


async def becomes(tag, predicate, timeout, hold=0.0):
    """Waits on the event stream."""
    seen = await live.wait_for(tag, predicate, timeout=timeout, hold=hold)
    print(f"  {tag} is {seen.value} ({seen.quality_word})")


limit = await value_of("Plant.Tank1.Level.Hi.Limit")
async with contextlib.AsyncExitStack() as afterwards:
    # Whatever becomes of it, the plant is as it was: the last first, each is tried. Lines of the shell do it as well.
    for line in (
        "Plant.Pump1.Start true",
        "Plant.LC1.Auto false",
        "Plant.Tank1.LevelSP 60",
        f"Plant.Tank1.Level.Hi.Limit {limit}",
    ):
        afterwards.push_async_callback(mx, f"write {line}")
    afterwards.push_async_callback(mx, 'step "afterwards: as it was"')

    await mx('step "1 the pump stops and starts on command"')
    starts = await value_of("Plant.Pump1.Starts")
    await write("Plant.Pump1.Stop", True)
    await becomes("Plant.Pump1.Running", lambda running: not running, timeout=10)
    await becomes("Plant.Pump1.Current", lambda current: current < 0.1, timeout=10)
    await write("Plant.Pump1.Start", True)
    await becomes("Plant.Pump1.Running", lambda running: running, timeout=10)
    await becomes("Plant.Pump1.Current", lambda current: current > 5, timeout=10)
    assert await value_of("Plant.Pump1.Starts") > starts

    await mx('step "2 the level follows its setpoint"')
    await write("Plant.LC1.Auto", True)
    await write("Plant.Tank1.LevelSP", SETPOINT)
    await becomes("Plant.Tank1.Level", lambda level: abs(level - SETPOINT) <= 0.5, timeout=60, hold=1)
    assert not await value_of("Plant.Tank1.Overflow")
    assert not await value_of("Plant.Tank1.Level.Hi.InAlarm")

    await mx('step "3 a high level raises the alarm, and it can be acknowledged"')
    await write("Plant.Tank1.Level.Hi.Limit", 60.0)
    await becomes("Plant.Tank1.Level.Hi.InAlarm", lambda alarm: alarm, timeout=10)
    await becomes("Plant.Tank1.Level.Hi.Acked", lambda acked: not acked, timeout=10)
    await client.acknowledge_alarm(ALARM, comment="acceptance test", operator="ada")
    await becomes("Plant.Tank1.Level.Hi.Acked", lambda acked: acked, timeout=10)
    print("passed")
