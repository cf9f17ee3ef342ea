"""Calls that change the plant, for the code that has them made: sent, and how they ended."""

from contextvars import ContextVar
from typing import Any, Protocol


class CallFollower(Protocol):
    """Follows the calls of a task, and of the tasks that it begins: commands and acknowledgements of any client."""

    def sending(self, request: Any) -> None:
        """Called just before a call is sent."""

    def answered(self, request: Any, reply: Any) -> None:
        """Called when its reply has come, whatever it says."""

    def failed(self, request: Any, error: BaseException) -> None:
        """Called when no reply came, also where it was not sent; ``error.outcome_unknown`` says whether it may have
        run."""


FOLLOWER: ContextVar[CallFollower | None] = ContextVar("follower of calls that change the plant", default=None)
