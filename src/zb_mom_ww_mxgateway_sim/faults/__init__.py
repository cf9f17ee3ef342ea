"""Faults to inject: what happens to a call, the schedule file and what carries it out.

No service and no session: a fault is told what it may do. May import ``runtime``.
"""
