"""Plain data that callers hold: events, alarms, handles, pending writes.

No messages and no calls. May import no other room.
"""
