"""The state of a shell: connections, settings, profiles, watch lists, recorded script.

No command, and nothing that shows a result.
May import ``galaxy``, ``language``, ``output``, ``process`` and ``samples``.
"""
