"""The logic of a user's own plant: functions that move tags and alarms, from a Python file or a test.

No call and no session, but the writes that reach the plant. May import ``runtime``, ``plant`` and ``sessions``.
"""
