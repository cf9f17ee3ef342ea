"""How recordings are written: rows of events and of what is missing, as CSV, JSON Lines and Parquet.

No stream and no command. May import ``process`` and ``render``.
"""
