"""The version of the distribution, in this one place, and of the protocol it speaks."""

__version__ = "0.1.0"

GATEWAY_PROTOCOL_VERSION = 3
"""What clients compare with the gateway's before the first command."""
