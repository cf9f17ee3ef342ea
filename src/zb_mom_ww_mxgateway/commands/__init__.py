"""The commands of a session, one module per group: items, writes, control.

No connection and no event: a command is checked, sent and its reply read.
May import ``generated``, ``models``, ``transport`` and ``wire``.
"""
