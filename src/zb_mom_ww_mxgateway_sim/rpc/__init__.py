"""The gRPC services: they receive, check and answer every call, and apply its faults.

No state that outlives a call, except attached streams. May import ``faults``, ``net``, ``sessions``, ``wire``,
``plant`` and ``runtime``.
"""
