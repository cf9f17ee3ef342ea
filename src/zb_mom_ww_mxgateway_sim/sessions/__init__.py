"""Sessions of clients: the worker behind each, its items and users, its event log, the write queue.

No gRPC service. May import ``wire``, ``plant`` and ``runtime``.
"""
