"""Tasks with an owner, which cancels and awaits them on close and reports their failures."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__package__)


class TaskOwner:
    """An owner of tasks. It logs a failure at once, and ``aclose`` raises it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run ``work`` until it ends or this owner closes."""
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
        """Cancel and await all tasks. Raise an ExceptionGroup if any had failed. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        failures, self._failures = self._failures, []
        if failures:
            raise ExceptionGroup(f"{self._name}: background work failed", failures)
