"""Spans and metrics of a client for OpenTelemetry: an observer for ``ClientOptions.observers`` (extra ``otel``).

For example::

    from zb_mom_ww_mxgateway.otel import OpenTelemetryObserver

    observers = [OpenTelemetryObserver()]
    client = await GatewayClient.connect("localhost:5000", api_key=key, plaintext=True, observers=observers)
    async with client:
        await client.galaxy.test_connection()

Attributes never hold values, tag names, keys or passwords.
"""

from typing import TYPE_CHECKING, Any

import grpc

from zb_mom_ww_mxgateway.models.client_observer import (
    CallFacts,
    ClientObserver,
    ConnectionFacts,
    EventFacts,
    GapFacts,
    QueueFacts,
    RebuildFacts,
    SessionFacts,
    WriteFacts,
)
from zb_mom_ww_mxgateway.options import split_endpoint
from zb_mom_ww_mxgateway.system.extras import extra
from zb_mom_ww_mxgateway.version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_SCOPE = "zb_mom_ww_mxgateway"
# Seconds: the buckets of the semantic conventions.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# A rebuild may wait for a gateway that is being restarted.
_REBUILD_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class OpenTelemetryObserver(ClientObserver):
    """Makes a span of each call, and metrics of calls, events, gaps, rebuilds, outcomes of writes and queues.

    Providers that are not given are the global ones. A span is a child of the span that is current where the call is
    made; if that one has ended, as for signs of life of a session that outlives the span it was opened in, it has no
    parent. May observe any number of clients of one event loop.

    Raises MxGatewayMissingExtraError where the extra ``otel`` is not installed.
    """

    def __init__(
        self, tracer_provider: "TracerProvider | None" = None, meter_provider: "MeterProvider | None" = None
    ) -> None:
        what = "OpenTelemetryObserver"
        self._trace: Any = extra("opentelemetry.trace", "otel", what)
        self._root: Any = extra("opentelemetry.context", "otel", what).Context()
        self._tracer = self._trace.get_tracer(_SCOPE, __version__, tracer_provider)
        meter = extra("opentelemetry.metrics", "otel", what).get_meter(_SCOPE, __version__, meter_provider)
        self._calls = meter.create_histogram(
            "rpc.client.call.duration",
            unit="s",
            description="Duration of unary calls",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._events = meter.create_counter("mxgw.events", unit="{event}", description="Events received")
        self._gaps = meter.create_counter("mxgw.gaps", unit="{gap}", description="Times that events were lost")
        self._lost = meter.create_counter(
            "mxgw.events.lost", unit="{event}", description="Events lost, as far as known"
        )
        self._rebuilds = meter.create_histogram(
            "mxgw.rebuild.duration",
            unit="s",
            description="Time from the loss of a session until it was rebuilt",
            explicit_bucket_boundaries_advisory=_REBUILD_BUCKETS,
        )
        self._writes = meter.create_counter("mxgw.writes", unit="{write}", description="Writes, by their outcome")
        self._states = meter.create_counter(
            "mxgw.session.changes", unit="{change}", description="Changes of state of live sessions, by the new state"
        )
        self._connections = meter.create_counter(
            "mxgw.connection.changes", unit="{change}", description="Connections made, failed, replaced and closed"
        )
        self._lengths = meter.create_up_down_counter(
            "mxgw.queue.length", unit="{event}", description="Events that wait, in the queues of all live sessions"
        )
        self._bytes = meter.create_up_down_counter(
            "mxgw.queue.size", unit="By", description="Bytes of events that were read and not taken in yet"
        )
        # What the queues of a session were counted with.
        self._counted: dict[tuple[str, str], QueueFacts] = {}

    def call_ended(self, facts: CallFacts) -> None:
        """Make a span of it; record the duration of a call that is no stream."""
        path = facts.rpc.lstrip("/")
        service, _, method = path.partition("/")
        attributes = {
            "rpc.system.name": "grpc",
            "rpc.method": path,
            "rpc.response.status_code": facts.code,
            "mxgw.call": facts.name,
            **_server(facts.endpoint),
        }
        # A stream that was closed here is no failure.
        has_failed = facts.code != "OK" and not (facts.streaming and facts.code == "CANCELLED")
        if has_failed:
            attributes["error.type"] = facts.code
        started = int(facts.started_at * 1e9)
        span = self._tracer.start_span(
            f"{path} {facts.name}" if method == "Invoke" else path,
            context=self._parent(),
            kind=self._trace.SpanKind.CLIENT,
            start_time=started,
            attributes={
                **attributes,
                # What the conventions had before, for tools that know no other.
                "rpc.system": "grpc",
                "rpc.service": service,
                "rpc.grpc.status_code": grpc.StatusCode[facts.code].value[0],
                "mxgw.mutating": facts.mutating,
                "mxgw.correlation_id": facts.correlation_id,
            },
        )
        if has_failed:
            span.set_status(self._trace.StatusCode.ERROR, facts.code)
        span.end(started + int(facts.duration * 1e9))
        if not facts.streaming:
            self._calls.record(facts.duration, attributes)

    def _parent(self) -> Any:
        """Return the context of a span's parent: the current one, or an empty one where the current span has ended."""
        current = self._trace.get_current_span()
        # One that is not sampled never records, and its children must not be sampled either.
        has_ended = not current.is_recording() and not isinstance(current, self._trace.NonRecordingSpan)
        return self._root if has_ended else None

    def connection_changed(self, facts: ConnectionFacts) -> None:
        """Count it."""
        attributes = {"mxgw.change": facts.change, **_server(facts.endpoint)}
        if facts.error is not None:
            attributes["error.type"] = type(facts.error).__name__
        self._connections.add(1, attributes)

    def session_changed(self, facts: SessionFacts) -> None:
        """Count it."""
        self._states.add(1, {"mxgw.state": facts.state.value, **_server(facts.endpoint)})

    def gap(self, facts: GapFacts) -> None:
        """Count it, and the events that were lost."""
        self._gaps.add(1, _server(facts.endpoint))
        self._lost.add(facts.lost_events, _server(facts.endpoint))

    def rebuilt(self, facts: RebuildFacts) -> None:
        """Record how long it took."""
        self._rebuilds.record(facts.duration, _server(facts.endpoint))

    def write_ended(self, facts: WriteFacts) -> None:
        """Count it by its outcome."""
        outcome = facts.outcome.name.lower()
        self._writes.add(facts.count, {"mxgw.call": facts.kind, "mxgw.outcome": outcome, **_server(facts.endpoint)})

    def events_received(self, facts: EventFacts) -> None:
        """Count them."""
        self._events.add(facts.count, _server(facts.endpoint))

    def queue_lengths(self, facts: QueueFacts) -> None:
        """Count what has changed since the last time."""
        key, server = (facts.endpoint, facts.session_id), _server(facts.endpoint)
        before = self._counted.pop(key, None)
        buffer, subscriptions = ({"mxgw.queue": queue, **server} for queue in ("buffer", "subscriptions"))
        self._lengths.add(facts.buffered - (before.buffered if before else 0), buffer)
        self._lengths.add(facts.queued - (before.queued if before else 0), subscriptions)
        self._bytes.add(facts.buffered_bytes - (before.buffered_bytes if before else 0), server)
        if facts.buffered or facts.queued or facts.buffered_bytes:
            self._counted[key] = facts


def _server(endpoint: str) -> dict[str, Any]:
    host, port = split_endpoint(endpoint)
    return {"server.address": host, "server.port": port}
