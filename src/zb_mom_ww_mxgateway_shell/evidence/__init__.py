"""The record of a run: its lines and their digest, what is known of the run, and what is made of a record.

No command, and nothing that runs a statement.
May import ``language``, ``output``, ``process``, ``samples`` and ``state``.
"""
