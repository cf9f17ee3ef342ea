"""The simulator's own translation between values and messages.

The library's is not shared: a mistake of one side would cancel itself. No call and no state.
May import ``plant`` and ``runtime``.
"""
