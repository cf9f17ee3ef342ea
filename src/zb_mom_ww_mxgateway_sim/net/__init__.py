"""Sockets and identity: the server and its endpoint, the TCP proxy that breaks connections, API keys, the certificate.

No session and no call handling. May import ``plant`` and ``runtime``.
"""
