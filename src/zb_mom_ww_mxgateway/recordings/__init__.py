"""Recordings: files with a row for every sample of some tags and for whatever is missing, and how they are read.

No session, no stream, and nothing that writes a recording. May import ``system``.
"""
