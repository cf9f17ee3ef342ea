"""Forwarding to a message broker: events of a session as messages, the bounded buffer between, the brokers.

No command and no option. May import no other room.
"""
