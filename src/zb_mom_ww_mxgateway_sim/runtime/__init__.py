"""Runtime services of the simulator: clocks, timers, background tasks, errors.

No tag, no session and no message. May import no other room.
"""
