"""Plain results that callers hold: events, alarms, handles, pending writes.

No message and no call: nothing here is read from the wire or sent. May import no other room.
"""
