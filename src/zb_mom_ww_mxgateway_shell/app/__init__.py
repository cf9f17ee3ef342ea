"""What puts the program together: which front end runs, its connection and exit code; demo, reference, trust.

No command of the shell.
May import ``commands``, ``evidence``, ``feeds``, ``language``, ``mcp``, ``output``, ``process``, ``python``,
``scripts``, ``state`` and ``terminal``.
"""
