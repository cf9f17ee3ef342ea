"""Python in the shell: the names that code sees, and files of Python.

No prompt: the Python pane is in the terminal's room.
May import ``evidence``, ``language``, ``output``, ``process``, ``scripts`` and ``state``.
"""
