"""The simulated plant: objects, tags, their values and types, signals, alarms, deployment.

No session and no message: the plant exists without clients. May import ``runtime``.
"""
