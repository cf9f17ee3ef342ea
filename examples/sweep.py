"""Table of how fast a level rises at several positions of its inlet valve. Loops and arithmetic need Python.

    mxgw-shell --demo --python examples/sweep.py

The program opens the valve in steps. At each step it watches the level for a second and computes the slope.
"""

import contextlib
import statistics

VALVE, LEVEL = "Plant.Tank1.Inlet.Position", "Plant.Tank1.Level"

await mx(f"watch {VALVE} {LEVEL} --count 2")
was = live[VALVE].value
level = session.handles.find(LEVEL)
print(f"{'position':>8}  {'level':>6}  {'% a second':>10}  samples")
try:
    for position in (30.0, 50.0, 70.0):
        await mx(f"write {VALVE} {position}")
        await live.wait_for(VALVE, lambda value, wanted=position: abs(value - wanted) < 0.5, timeout=15)
        samples = []
        async with live.subscribe(lambda event: event.item_handle == level.item_handle) as events:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    async for event in events:
                        samples.append((event.source_time_ns / 1e9, event.value))
        slope = statistics.linear_regression(*zip(*samples, strict=True)).slope
        print(f"{position:8.1f}  {samples[-1][1]:6.2f}  {slope:10.3f}  {len(samples)}")
finally:
    await mx(f"write {VALVE} {was}")
