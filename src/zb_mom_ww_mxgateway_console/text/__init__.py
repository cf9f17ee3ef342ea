"""Text in and out: text files, text safe for a terminal, wording of options, suggestions.

No result and no connection. May import no other room.
"""
