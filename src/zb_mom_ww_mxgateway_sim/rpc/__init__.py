"""The gRPC services: every call is received, checked, sent through the faults and answered here.

No state that outlives a call. May import ``faults``, ``net``, ``sessions``, ``wire``, ``plant`` and ``runtime``.
"""
