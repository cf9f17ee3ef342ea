"""Spans and metrics of a client, as OpenTelemetry's own SDK gives them out."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from library_waiting import eventually
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, use_span

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, LiveState, MxGatewayError
from zb_mom_ww_mxgateway.otel import OpenTelemetryObserver
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
PASSWORD = "correct horse battery"
WRITTEN = 271828
INVOKE = "mxaccess_gateway.v1.MxAccessGateway/Invoke"


class Telemetry:
    """An observer with providers of its own, and what they have given out."""

    def __init__(self, **tracing: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(**tracing)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])
        self.observer = OpenTelemetryObserver(self.tracers, self.meters)

    def spans(self, name: str = "") -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if name in span.name]

    def points(self) -> dict[str, list[Any]]:
        """The data points of every metric, by its name."""
        data = self.reader.get_metrics_data()
        assert data is not None
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        assert scope.scope.name == "zb_mom_ww_mxgateway"
        return {metric.name: list(metric.data.data_points) for metric in scope.metrics}

    async def connect(self, gateway: SimulatedGateway) -> GatewayClient:
        return await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, observers=[self.observer]
        )


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    yield made
    made.meters.shutdown()
    made.tracers.shutdown()


async def test_a_span_a_call_below_the_span_of_its_caller(gateway: SimulatedGateway, telemetry: Telemetry) -> None:
    tracer = telemetry.tracers.get_tracer("program")
    async with await telemetry.connect(gateway) as client, await client.open_session() as session:
        with tracer.start_as_current_span("recipe") as recipe:
            await session.register("otel")
            gateway.faults.fail_next("ping", code=grpc.StatusCode.INTERNAL)
            with pytest.raises(MxGatewayError) as caught:
                await session.ping()
        await session.ping()
    (register,) = telemetry.spans("register")
    assert register.name == f"{INVOKE} register"
    assert register.kind is SpanKind.CLIENT
    host, port = gateway.endpoint.split(":")
    assert register.attributes is not None
    assert {
        "rpc.system.name": "grpc",
        "rpc.method": INVOKE,
        "rpc.response.status_code": "OK",
        "rpc.system": "grpc",
        "rpc.service": "mxaccess_gateway.v1.MxAccessGateway",
        "rpc.grpc.status_code": 0,
        "mxgw.call": "register",
        "mxgw.mutating": False,
        "server.address": host,
        "server.port": int(port),
    }.items() <= dict(register.attributes).items()
    assert register.parent == recipe.get_span_context()
    assert register.start_time is not None
    assert register.end_time is not None
    assert register.start_time < register.end_time
    failed, after = telemetry.spans("ping")
    assert failed.attributes is not None
    assert (failed.attributes["rpc.grpc.status_code"], failed.attributes["error.type"]) == (13, "INTERNAL")
    assert failed.attributes["mxgw.correlation_id"] == caught.value.correlation_id
    assert (failed.status.status_code.name, failed.status.description) == ("ERROR", "INTERNAL")
    assert after.parent is None
    # The library sends nothing of a span to the gateway, and leaves the current one alone.
    assert {span.name.split("/")[0] for span in telemetry.spans()} == {
        "galaxy_repository.v1.GalaxyRepository",
        "mxaccess_gateway.v1.MxAccessGateway",
        "recipe",
    }


async def test_what_outlives_a_span_is_no_child_of_it(gateway: SimulatedGateway, telemetry: Telemetry) -> None:
    tracer = telemetry.tracers.get_tracer("program")
    client = await telemetry.connect(gateway)
    with tracer.start_as_current_span("start") as start:
        live = await LiveSession.open(client)
    assert not telemetry.spans("StreamEvents")
    async with client:
        await eventually(lambda: telemetry.spans("ping"), "a sign of life")
        await live.aclose()
    (opened,) = telemetry.spans("OpenSession")
    assert opened.parent == start.get_span_context()
    assert telemetry.spans("ping")[-1].parent is None
    (stream,) = telemetry.spans("StreamEvents")
    assert stream.parent is None
    assert stream.status.is_unset


async def test_a_call_below_a_span_that_is_not_sampled_is_not_sampled(gateway: SimulatedGateway) -> None:
    telemetry = Telemetry()
    far = NonRecordingSpan(SpanContext(0x1234, 0x5678, is_remote=True, trace_flags=TraceFlags(0)))
    async with await telemetry.connect(gateway) as client, await client.open_session() as session:
        before = len(telemetry.spans())
        with use_span(far):
            await session.ping()
        assert len(telemetry.spans()) == before
    off = Telemetry(sampler=ALWAYS_OFF)
    async with await off.connect(gateway):
        assert off.spans() == []
    assert off.points()["rpc.client.call.duration"][0].count == 1


async def test_metrics(gateway: SimulatedGateway, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.reports._QUEUES_EVERY", 0.01)

    def total(name: str, **wanted: str) -> float:
        """The sum of the points of a metric with these attributes, dots as underscores."""
        named = {key.replace("_", ".", 1): value for key, value in wanted.items()}
        points = telemetry.points().get(name, [])
        return sum(point.value for point in points if named.items() <= dict(point.attributes).items())

    async with await telemetry.connect(gateway) as client:
        async with await LiveSession.open(client) as live:
            (item,) = await live.subscribe_tags([INT])
            await live.write(INT, WRITTEN)
            gateway.faults.fail_next("write", code=grpc.StatusCode.UNAVAILABLE)
            await live.write(INT, WRITTEN)
            async with live.subscribe() as unread:
                gateway.set(INT, 1)
                await eventually(
                    lambda: total("mxgw.queue.length", mxgw_queue="subscriptions") == unread.waiting > 0, "a queue"
                )
            former = live.session.session_id
            gateway.faults.lose_session(former)
            await eventually(lambda: live.rebuilds and live.state is LiveState.LIVE, "a rebuild")
            await live.first_value(item)
            events, gaps = live.events, live.gaps
            await eventually(lambda: total("mxgw.events") >= events, "all events")
        assert total("mxgw.queue.length") == total("mxgw.queue.size") == 0
    assert total("mxgw.gaps") == gaps
    assert total("mxgw.writes", mxgw_call="write", mxgw_outcome="completed") == 1
    assert total("mxgw.writes", mxgw_call="write", mxgw_outcome="unknown") == 1
    assert total("mxgw.writes") == 2
    assert total("mxgw.session.changes", mxgw_state="rebuilding") == 1
    assert total("mxgw.connection.changes", mxgw_change="connected") == 1
    assert total("mxgw.connection.changes", mxgw_change="closed") == 1
    points = telemetry.points()
    (rebuild,) = points["mxgw.rebuild.duration"]
    assert (rebuild.count, rebuild.sum > 0) == (1, True)
    writes = [point for point in points["rpc.client.call.duration"] if point.attributes["mxgw.call"] == "write"]
    assert {point.attributes["rpc.response.status_code"]: point.count for point in writes} == {
        "OK": 1,
        "UNAVAILABLE": 1,
    }
    assert writes[0].explicit_bounds[0] == 0.005


async def test_no_attribute_is_of_the_plant_or_secret(gateway: SimulatedGateway, telemetry: Telemetry) -> None:
    async with await telemetry.connect(gateway) as client, await LiveSession.open(client) as live:
        await live.write(INT, WRITTEN)
        (item,) = await live.subscribe_tags([INT])
        await live.session.authenticate_user(item.server_handle, "operator", PASSWORD)
        with pytest.raises(MxGatewayError):
            await live.session.write(item.server_handle, 999, WRITTEN)
    with pytest.raises(MxGatewayError):
        await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key="mxgw_other_wrong", plaintext=True, observers=[telemetry.observer]
        )
    text = " ".join(span.to_json() for span in telemetry.spans()) + str(telemetry.reader.get_metrics_data())
    assert "authenticate_user" in text
    for secret in (gateway.api_key, PASSWORD, str(WRITTEN), INT, "operator", "wrong"):
        assert secret is not None
        assert secret not in text


def test_without_the_extra_it_is_one_clear_line() -> None:
    program = """
import sys
sys.modules["opentelemetry.trace"] = None
import zb_mom_ww_mxgateway.otel as otel
try:
    otel.OpenTelemetryObserver()
except Exception as error:
    print(type(error).__name__)
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "MxGatewayMissingExtraError",
        'OpenTelemetryObserver needs the extra: pip install "zb-mom-ww-mxaccess-gateway-client[otel]"',
    ]


def test_nothing_imports_it_before_an_observer_is_made() -> None:
    program = (
        "import sys, zb_mom_ww_mxgateway.client, zb_mom_ww_mxgateway.live.session, zb_mom_ww_mxgateway.otel\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
