"""What commands add, wait for and follow: items, watches, trends, waits, conditions, searches, checked writes.

No command is declared here, and nothing drawn on a screen.
May import ``language``, ``output``, ``process``, ``samples`` and ``state``.
"""
