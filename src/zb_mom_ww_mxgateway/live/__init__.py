"""Live sessions: the event hub, values held, waiting, written values, restoring after a loss.

No call of its own: all go through the session and its transport.
May import ``commands``, ``generated``, ``models``, ``system``, ``transport`` and ``wire``.
"""
