"""From options, profiles, key files and the environment to the options of a connection.

No connection is made here, and no result shown. May import ``render`` and
``text``.
"""
