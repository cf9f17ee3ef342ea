"""Tasks that belong to someone: cancelled and awaited on close, their failures shown."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__package__)


class TaskOwner:
    """An owner of tasks. A task that fails is logged at once, and ``aclose`` raises what failed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Runs ``work`` until it ends or this owner closes."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self._name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if isinstance(failure, Exception):
            _log.error("%s failed", task.get_name(), exc_info=failure)
            self._failures.append(failure)

    async def aclose(self) -> None:
        """Cancels and awaits all; raises an ExceptionGroup if one had failed. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        failures, self._failures = self._failures, []
        if failures:
            raise ExceptionGroup(f"{self._name}: background work failed", failures)
