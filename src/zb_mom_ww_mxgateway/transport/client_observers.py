"""Tells the observers of a client what happens, and keeps their errors away from it."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.system.log import CONNECT, OBSERVERS, log
from zb_mom_ww_mxgateway.transport.guarding import GuardedCall

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.models.client_observer import ClientObserver
    from zb_mom_ww_mxgateway.models.write_outcome import WriteOutcome


def tell(options: ClientOptions, show: "Callable[[ClientObserver], None]") -> None:
    """Have `show` call each observer. One that raises changes nothing; its first error is logged."""
    for observer in options.observers:
        try:
            show(observer)
        except (Exception, asyncio.CancelledError) as error:
            if not observer._has_raised:
                name = type(observer).__name__
                # Past a frozen dataclass.
                object.__setattr__(observer, "_has_raised", True)
                text = partial("{0} raised {1!r}; further errors of it are not logged".format, name, error)
                log(OBSERVERS, logging.WARNING, text, api_key=options.api_key)


_CONNECTIONS = {
    "connected": (logging.INFO, "connected to {endpoint}"),
    "failed": (logging.WARNING, "connect: {error}"),
    "replaced": (logging.WARNING, "another connection is made: {error}"),
    "closed": (logging.INFO, "connection to {endpoint} closed"),
}


def tell_of_connection(
    options: ClientOptions,
    change: Literal["connected", "failed", "replaced", "closed"],
    error: MxGatewayError | None = None,
) -> None:
    """Log a change of a client's connection, and tell the observers of it."""
    level, text = _CONNECTIONS[change]
    text = text.format(endpoint=options.endpoint, error=error)
    log(CONNECT, level, text, api_key=options.api_key, stacklevel=3)
    if options.observers:
        from zb_mom_ww_mxgateway.models.client_observer import ConnectionFacts

        facts = ConnectionFacts(endpoint=options.endpoint, change=change, error=error)
        tell(options, lambda observer: observer.connection_changed(facts))


class WriteReports:
    """Tells the observers the outcome of each call that changes the plant, once: as late as somebody waits for it."""

    def __init__(self, options: Callable[[], ClientOptions]) -> None:
        """`options` are those of the client now."""
        self._options = options
        # By correlation id of a call whose completion is awaited: the outcomes that its reply tells.
        self._followed: dict[str, Mapping[WriteOutcome, int]] = {}

    @contextmanager
    def followed(self, request: Any) -> Iterator[Callable[[Sequence[Any]], None]]:
        """Within the block: yield a function that takes the outcome of each entry (``WriteResult``), when known."""
        if not self._options().observers:
            yield lambda results: None
            return
        correlation_id, started = wire.correlation_of(request), time.perf_counter()
        confirmed: Counter[WriteOutcome] = Counter()
        self._followed[correlation_id] = confirmed
        try:
            yield lambda results: confirmed.update(each.outcome for each in results)
        finally:
            outcomes = confirmed or self._followed[correlation_id]
            del self._followed[correlation_id]
            self._tell(request, wire.kind_name(request), outcomes, started)

    def reported(self, request: Any, call: str) -> "ReportedWrite":
        """Return a context manager in which the call is made; it reports what came of it at the end."""
        started = time.perf_counter()
        return ReportedWrite(request, lambda write: self._report(write, request, call, started))

    def _report(self, write: "ReportedWrite", request: Any, call: str, started: float) -> None:
        if not self._options().observers:
            return
        # Suppressed: a report must not change the outcome of a call, whatever the caller's message holds.
        with suppress(Exception):
            outcomes, correlation_id = write.outcomes(), wire.correlation_of(request)
            if correlation_id in self._followed:
                self._followed[correlation_id] = outcomes
            else:
                self._tell(request, call, outcomes, started)

    def _tell(self, request: Any, kind: str, outcomes: "Mapping[WriteOutcome, int]", started: float) -> None:
        from zb_mom_ww_mxgateway.models.client_observer import WriteFacts

        options, duration = self._options(), time.perf_counter() - started
        for outcome, count in outcomes.items():
            facts = WriteFacts(
                endpoint=options.endpoint,
                kind=kind,
                outcome=outcome,
                count=count,
                correlation_id=wire.correlation_of(request),
                duration=duration,
            )
            tell(options, lambda observer, facts=facts: observer.write_ended(facts))  # type: ignore[misc]  # a default


class ReportedWrite:
    """One call that changes the plant, until its reply."""

    def __init__(self, request: Any, report: "Callable[[ReportedWrite], None]") -> None:
        """`report` is called at its end."""
        self._request = request
        self._report = report
        self.guarded: GuardedCall | None = None
        """The call as the guard has allowed it; None before."""
        self.reply: Any = None
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.error = error
        self._report(self)
        self.error = None  # Its traceback holds this call.

    def outcomes(self) -> "dict[WriteOutcome, int]":
        """Return how many of its entries have which outcome, as far as the reply or the error tells."""
        from zb_mom_ww_mxgateway.models.write_outcome import WriteOutcome

        is_command = isinstance(self._request, wire.INVOKE.request)
        count = (len(wire.written_items(self._request)) if is_command else 0) or 1
        if self.error is None:
            answer = wire.write_answer(self._request, self.reply)
            if any(answer.refused):
                refused = sum(answer.refused)
                outcomes = {WriteOutcome.REFUSED: refused, WriteOutcome.ACCEPTED: count - refused}
                return {outcome: entries for outcome, entries in outcomes.items() if entries}
        elif self.guarded is None:
            return {WriteOutcome.NOT_SENT: count}
        else:
            answer = self.guarded.answer_of(self.error)
        return {WriteOutcome(answer.outcome): count}
