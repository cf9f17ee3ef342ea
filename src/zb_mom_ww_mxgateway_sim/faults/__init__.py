"""Faults to inject: into calls, and from a schedule.

No service and no session: protocols name the methods that a schedule calls. May import ``plant`` and ``runtime``.
"""
