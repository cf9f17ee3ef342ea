"""Every call has a time-out of its own, and what it says of a write is that its outcome is unknown."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from zb_mom_ww_mxgateway import (
    Galaxy,
    GalaxyNode,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayWorkerError,
    Session,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway

# What makes no call of its own, or has a time-out of another name.
_WITHOUT = {"close", "aclose", "connect", "reconnected", "unary", "send"}


def calls(of: type) -> list[tuple[str, Any]]:
    found = [
        (name, method)
        for name, method in inspect.getmembers(of, lambda each: inspect.iscoroutinefunction(each))
        if not name.startswith("_") and name not in _WITHOUT
    ]
    return [*found, *((name, getattr(of, name)) for name in ("discover", "discover_tags") if hasattr(of, name))]


@pytest.mark.parametrize(
    ("of", "name", "method"),
    [(of, name, method) for of in (GatewayClient, Session, Galaxy, GalaxyNode) for name, method in calls(of)],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
def test_every_call_takes_a_timeout(of: type, name: str, method: Callable[..., Any]) -> None:
    timeout = inspect.signature(method).parameters["timeout"]
    assert timeout.kind is inspect.Parameter.KEYWORD_ONLY


async def test_a_call_ends_after_its_own_time(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await client.open_session() as session:
        server = await session.register("timeouts")
        gateway.faults.stall("Invoke")
        with pytest.raises(MxGatewayWorkerError) as raised:
            await session.add_item(server, "TestChildObject.TestInt", timeout=0.05)
        assert not raised.value.outcome_unknown


async def test_a_write_that_is_not_answered_in_its_time_is_unknown(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    async with await client.open_session() as session, session.stream_events() as events:
        server = await session.register("timeouts")
        item = await session.add_item(server, "TestChildObject.TestInt")
        await session.advise(server, item)
        await anext(events)
        gateway.faults.stall("Invoke")
        with pytest.raises(MxGatewayError) as raised:
            await session.write(server, item, 5, timeout=0.05)
        assert raised.value.outcome_unknown


@pytest.mark.parametrize("wrong", [0, -1, True, "5", float("nan"), 1e9])
async def test_a_timeout_that_cannot_be_is_refused_before_anything_is_sent(client: GatewayClient, wrong: Any) -> None:
    async with await client.open_session() as session:
        for call in (
            session.ping(timeout=wrong),
            session.read_bulk(1, ["A.B"], timeout=wrong),
            client.galaxy.last_deploy_time(timeout=wrong),
            client.acknowledge_alarm("ZB!Area.Object.Hi", timeout=wrong),
        ):
            with pytest.raises(MxGatewayArgumentError, match="timeout must be seconds above 0"):
                await call
        with pytest.raises(MxGatewayArgumentError, match="timeout must be seconds above 0"):
            client.query_active_alarms(timeout=wrong)
