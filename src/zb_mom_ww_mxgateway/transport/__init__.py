"""Connections and the calls on them: channels, TLS and trust, calls, streams, the reader thread.

No command and no session: what is sent is made elsewhere.
May import ``contract``, ``generated``, ``models``, ``system`` and ``wire``.
"""
