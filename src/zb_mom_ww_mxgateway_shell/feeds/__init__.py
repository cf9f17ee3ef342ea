"""What commands wait for and follow: watches, trends, waits, conditions, searches, checked writes.

No command is declared here, and nothing drawn on a screen.
May import ``language``, ``output``, ``samples`` and ``state``.
"""
