"""The parts of the program that stand outside a run: demonstration, command reference, trust in a gateway.

No command of the shell. May import ``commands``, ``language`` and ``state``.
"""
