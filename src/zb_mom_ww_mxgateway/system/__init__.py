"""Services of the operating system: clock, event loop, files, locks, limits of the process.

No gateway, no message, no call. May import no other room.
"""
