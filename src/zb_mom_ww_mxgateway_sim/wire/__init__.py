"""The simulator's own codec between values and messages.

The library's codec is not used: a mistake in shared code would hide itself. No call and no state.
May import ``plant`` and ``runtime``.
"""
