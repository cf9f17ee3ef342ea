"""Plain data that callers hold: events, alarms, handles, pending writes, results, the galaxy.

No messages and no calls. May import no other room.
"""
