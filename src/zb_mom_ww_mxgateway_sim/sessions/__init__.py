"""Client sessions: the worker behind each, its items and users, its event log and write queue.

No gRPC service. May import ``wire``, ``plant`` and ``runtime``.
"""
