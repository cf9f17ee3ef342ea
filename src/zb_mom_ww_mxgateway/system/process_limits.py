"""Limits and settings of the process that a connection depends on: free file descriptors, gRPC's own tracing."""

import os
import sys
import warnings
from pathlib import Path

from zb_mom_ww_mxgateway.errors import MxGatewayKeyWarning, MxGatewayTransportError

_NEEDED = 16
"""File descriptors for one more connection, with room for other files."""
_warned: list[bool] = []


def free_descriptors() -> int | None:
    """Return how many more files and connections this process may open; None if unknown."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return None
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            # One of them is the folder itself while it is read.
            return limit - (sum(1 for _ in Path(folder).iterdir()) - 1)
        except FileNotFoundError:
            continue
        except OSError:
            return 0  # Not even the folder could be opened.
    return None


def too_few_descriptors() -> int | None:
    """Return the number of free descriptors if a connection needs more; None if they are enough."""
    free = free_descriptors()
    return max(0, free) if free is not None and free < _NEEDED else None


def check_descriptors(endpoint: str, call: str) -> None:
    """Raise MxGatewayTransportError if a connection needs more descriptors: gRPC would end the process."""
    free = too_few_descriptors()
    if free is not None:
        raise MxGatewayTransportError(
            f"{call} at {endpoint}: this process may open only {free} more files, and a connection takes up to "
            f"{_NEEDED}: close some, or raise the limit (ulimit -n); nothing was sent",
            endpoint=endpoint,
            call=call,
        )


def warn_of_tracing() -> None:
    """Warn once in a process if gRPC's own tracing is on, because it writes the API key."""
    trace, verbosity = os.environ.get("GRPC_TRACE", "").strip(), os.environ.get("GRPC_VERBOSITY", "").strip()
    named = f"GRPC_TRACE={trace}" if trace else f"GRPC_VERBOSITY={verbosity}"
    if _warned or not (trace or verbosity.upper() == "DEBUG"):
        return
    _warned.append(True)
    warnings.warn(
        f"{named}: gRPC writes what it sends to standard error, the API key with it; unset it, or keep that away from "
        f"everybody else",
        MxGatewayKeyWarning,
        stacklevel=3,
    )
