"""Explanations: why a value is as it is, what is wrong on the way to a gateway, what a status means.

No command: ``why`` and ``doctor`` are declared elsewhere.
May import ``galaxy``, ``output``, ``process`` and ``state``.
"""
