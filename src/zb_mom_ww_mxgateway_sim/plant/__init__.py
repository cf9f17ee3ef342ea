"""The simulated plant: objects, tags with types and values, signals, alarms, deployments.

No session and no call: the plant exists without clients. May import ``runtime``.
"""
