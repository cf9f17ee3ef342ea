"""The process of a command line: its standard streams, and the signals that end it.

No command and no result. May import no other room.
"""
