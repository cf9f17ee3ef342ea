"""The commands of ``mxgw-py``, one module per group of its help.

No output form and no connection option: those are shared with the shell.
May import ``forward``.
"""
