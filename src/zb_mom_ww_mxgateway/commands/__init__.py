"""The commands of a session, one module per group (items, writes, control), and the link that sends them.

No connection: a command is checked, sent and its reply read.
May import ``generated``, ``models``, ``system``, ``transport`` and ``wire``.
"""
