"""What both command lines, ``mxgw-py`` and ``mxgw-shell``, share: texts, output forms, processes, connections.

No command and no session state. May import the library.
"""
