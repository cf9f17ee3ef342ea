"""Command files: loading, lint, dry run, execution, and the reports of a run.

No prompt and no terminal control.
May import ``commands``, ``diagnosis``, ``evidence``, ``feeds``, ``galaxy``, ``language``, ``output``, ``process``,
``samples`` and ``state``.
"""
