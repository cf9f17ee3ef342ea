"""Text in and out: files as people have them, text safe for a terminal, wording of options, suggestions.

No result and no connection. May import no other room.
"""
