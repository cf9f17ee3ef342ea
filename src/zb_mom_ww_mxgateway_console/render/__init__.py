"""How results look: JSON, text for a person, CSV, exit codes; and text read back as values.

No command and no connection. May import ``process`` and ``text``.
"""
