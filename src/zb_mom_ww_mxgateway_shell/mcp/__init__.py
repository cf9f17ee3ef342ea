"""What a program that asks over the Model Context Protocol may see of a plant: a narrow view, which changes nothing.

No object that could write: the session of a view is read-only.
May import ``diagnosis``, ``feeds``, ``galaxy``, ``output``, ``process`` and ``state``.
"""
