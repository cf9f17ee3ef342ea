"""Observers of the commands of a client."""

import weakref
from collections.abc import Callable, Iterator
from typing import Protocol, Self

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


class CommandObserver(Protocol):
    """Observes every command of a client, typed or raw."""

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Called just before a command is sent; an MxGatewayError raised here keeps it from being sent."""

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Called when the reply of a command has come, whatever it says."""

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Called when no reply came; ``error.outcome_unknown`` says whether the command may have run."""


class Observation:
    """One observer's view of a client's commands, until it is ended; also a context manager, which ends it."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def end(self) -> None:
        """Show the observer nothing any more. Idempotent."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()


class Observers:
    """The observers of one client, in the order in which they were added."""

    def __init__(self) -> None:
        # By id. Weak: a session that was attached is often just dropped.
        self._all: dict[int, weakref.ref[CommandObserver]] = {}
        self._held: dict[int, CommandObserver] = {}

    def add(self, observer: CommandObserver) -> Observation:
        """Show every command from now on to `observer`, until what this returns is ended, or the client is closed."""
        self._held[id(observer)] = observer
        self.add_weakly(observer)
        return Observation(lambda: self.remove(observer))

    def add_weakly(self, observer: CommandObserver) -> None:
        """Show every command from now on to `observer`, for as long as something else holds it."""
        key = id(observer)
        self._all[key] = weakref.ref(observer, lambda _: self._all.pop(key, None))

    def remove(self, observer: CommandObserver) -> None:
        """Show `observer` nothing any more. Idempotent."""
        self._held.pop(id(observer), None)
        self._all.pop(id(observer), None)

    def release(self) -> None:
        """Remove all that :meth:`add` holds."""
        for observer in tuple(self._held.values()):
            self.remove(observer)

    def __iter__(self) -> Iterator[CommandObserver]:
        return iter([observer for reference in tuple(self._all.values()) if (observer := reference()) is not None])

    def __len__(self) -> int:
        return len(self._all)
