"""Samples of events and alarms: streams, histories, intervals, and the files they are recorded to.

No command and no layout on a screen. May import ``process``.
"""
