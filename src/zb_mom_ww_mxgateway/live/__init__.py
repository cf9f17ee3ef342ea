"""Live sessions: event hub, values held, reads and waits, writes and their outcomes, rebuilding after a loss, alarms.

It makes no call itself: all go through the session and its transport.
May import ``commands``, ``generated``, ``models``, ``system``, ``transport`` and ``wire``.
"""
