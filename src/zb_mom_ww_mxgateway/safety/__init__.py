"""Decides which writes go to a plant: arming, limits, conditions, selection; and keeps a journal of them.

Here belongs every decision about a write, and what must outlive the process to decide or to prove it. What asks a
person and what shows something to one belongs to a front end. Nothing that sends imports it.
May import ``live``, ``models`` and ``system``.
"""
