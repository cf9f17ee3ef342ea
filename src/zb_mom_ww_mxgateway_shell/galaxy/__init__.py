"""The tags of a galaxy: catalog, index, its storage, and lookup.

No command and no session. May import ``language``.
"""
