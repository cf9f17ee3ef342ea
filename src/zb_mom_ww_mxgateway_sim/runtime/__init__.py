"""Runtime services of the simulator: clocks, timers, background tasks, errors.

Nothing here knows a tag, a session or a message. May import no other room.
"""
