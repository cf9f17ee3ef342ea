"""How results look in the shell: tables, charts, values, problems, in each output format.

No terminal control and no state of the shell. May import ``process`` and ``samples``.
"""
