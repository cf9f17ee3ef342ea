"""A synchronous interface for scripts and notebooks, on the same code as the async one.

For example::

    with connect("localhost:5001", api_key=key) as plant:
        print(plant.read(["Plant.Tank1.Level"])[0].value)
        print(plant.write("Plant.Tank1.LevelSP", 60.0).outcome)

A session has an event loop of its own in a thread, so its values stay live whatever the caller does.

May import ``live``, ``models``, ``safety``, ``system``, ``transport``, ``wire``.
"""

from zb_mom_ww_mxgateway.sync.session import SyncSession, connect
from zb_mom_ww_mxgateway.sync.subscription import SyncSubscription

__all__ = ["SyncSession", "SyncSubscription", "connect"]
