"""The process of the shell: signals, standard input and output, background tasks, files it writes.

No command and no connection. May import no other room.
"""
