"""Who is let in: keys, scopes, sub-trees."""

from collections.abc import AsyncIterator

import grpc
import pytest
from sim_wire import Wire, bearer, failing, wire

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ALL_SCOPES, GatewayKey, KeyScope, ManualClock, SimulatedGateway
from zb_mom_ww_mxgateway_sim.faults.call_faults import KINDS

# A secret may hold underscores: the id ends at the first one.
KEY = GatewayKey("plant-a", "s_ecret_-")


@pytest.fixture
async def gateway(clock: ManualClock) -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, clock=clock, api_keys=(KEY,)) as running:
        yield running


async def test_a_good_key_is_let_in(client: Wire) -> None:
    assert (await client.open()).session_id


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic mxgw_plant-a_s_ecret_-",
        "mxgw_plant-a_s_ecret_-",
        "Bearer mxgw_plant-a",
        "Bearer mxgw_plant-a_",
        "Bearer mxgw_plant-a_s",
        "Bearer mxgw_plant-b_s_ecret_-",
        "Bearer mxgw_plant-a_s_ecret_-x",
        "Bearer mxgw_plant-a_s_ecret_- x",
    ],
)
async def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(client: Wire, value: str | None) -> None:
    client.metadata = () if value is None else (("authorization", value),)
    wrong = await failing(client.open())
    assert wrong == (grpc.StatusCode.UNAUTHENTICATED, "the API key is missing or not valid")
    stream = await failing(client.stream(session_id="session-x").call.read())
    assert stream == wrong


async def test_a_revoked_key_is_refused_like_a_wrong_one(gateway: SimulatedGateway, client: Wire) -> None:
    await client.open()
    gateway.faults.revoke("plant-a")
    code, text = await failing(client.close())
    assert (code, text) == (grpc.StatusCode.UNAUTHENTICATED, "the API key is missing or not valid")
    with pytest.raises(KeyError):
        gateway.faults.revoke("plant-a")


async def test_without_keys_everyone_is_let_in() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway, wire(gateway) as client:
        assert gateway.api_key is None
        assert client.metadata == ()
        assert (await client.open()).session_id


async def test_the_default_key_is_random_and_can_do_all() -> None:
    first, second = SimulatedGateway(plaintext=True), SimulatedGateway(plaintext=True)
    assert first.api_key != second.api_key
    assert first.api_key is not None
    assert GatewayKey.parse(first.api_key).key_id == "demo"
    assert len(GatewayKey.parse(first.api_key).secret) >= 32


def _command(name: str) -> pb.MxCommandRequest:
    request = pb.MxCommandRequest(session_id="session-x")
    request.command.kind = pb.MxCommandKind.Value(f"MX_COMMAND_KIND_{name.upper()}")
    getattr(request.command, name).SetInParent()
    return request


_WRITES = ("write", "write2", "write_bulk", "write2_bulk", "acknowledge_alarm", "acknowledge_alarm_by_name")
_SECURED = ("write_secured", "write_secured2", "write_secured_bulk", "write_secured2_bulk")
# Every other kind.
_READS = tuple(sorted(set(KINDS) - {*_WRITES, *_SECURED, "drain_events"}))
CALLS = [
    ("OpenSession", pb.OpenSessionRequest(), KeyScope.SESSION_OPEN),
    ("CloseSession", pb.CloseSessionRequest(), KeyScope.SESSION_CLOSE),
    ("StreamEvents", pb.StreamEventsRequest(), KeyScope.EVENTS_READ),
    ("StreamAlarms", pb.StreamAlarmsRequest(), KeyScope.EVENTS_READ),
    ("QueryActiveAlarms", pb.QueryActiveAlarmsRequest(), KeyScope.EVENTS_READ),
    ("AcknowledgeAlarm", pb.AcknowledgeAlarmRequest(), KeyScope.INVOKE_WRITE),
    ("TestConnection", galaxy.TestConnectionRequest(), KeyScope.METADATA_READ),
    ("GetLastDeployTime", galaxy.GetLastDeployTimeRequest(), KeyScope.METADATA_READ),
    ("DiscoverHierarchy", galaxy.DiscoverHierarchyRequest(), KeyScope.METADATA_READ),
    ("BrowseChildren", galaxy.BrowseChildrenRequest(), KeyScope.METADATA_READ),
    ("WatchDeployEvents", galaxy.WatchDeployEventsRequest(), KeyScope.METADATA_READ),
    *[("Invoke", _command(name), KeyScope.INVOKE_WRITE) for name in _WRITES],
    *[("Invoke", _command(name), KeyScope.INVOKE_SECURE) for name in _SECURED],
    *[("Invoke", _command(name), KeyScope.INVOKE_READ) for name in _READS],
    ("Invoke", _command("drain_events"), KeyScope.EVENTS_READ),
]


async def test_every_call_needs_its_scope_and_no_other() -> None:
    everything_but = {
        scope: GatewayKey(f"no-{number}", "x", ALL_SCOPES - {scope}) for number, scope in enumerate(KeyScope)
    }
    only = {scope: GatewayKey(f"only-{number}", "x", frozenset({scope})) for number, scope in enumerate(KeyScope)}
    keys = (*everything_but.values(), *only.values())
    async with SimulatedGateway(plaintext=True, api_keys=keys) as gateway, wire(gateway) as client:
        for rpc, request, scope in CALLS:
            stub = client.stub if hasattr(client.stub, rpc) else client.galaxy
            for key, allowed in ((everything_but[scope], False), (only[scope], True)):
                call = getattr(stub, rpc)(request, metadata=bearer(key.text), timeout=60)
                try:
                    await (call.read() if hasattr(call, "read") else call)
                    code, text = grpc.StatusCode.OK, ""
                except grpc.aio.AioRpcError as error:
                    code, text = error.code(), error.details()
                call.cancel()
                assert (code != grpc.StatusCode.PERMISSION_DENIED) is allowed, (rpc, request, scope, text)
                if not allowed:
                    assert scope in text


async def test_a_key_of_a_sub_tree_reaches_nothing_else() -> None:
    key = GatewayKey("tank", "x", subtrees=frozenset({"plant.tank1"}))
    async with SimulatedGateway(plaintext=True, api_keys=(key,)) as gateway, wire(gateway) as client:
        await client.open()
        server = await client.register()
        await client.add(server, "Plant.Tank1.Level")
        code, text = await failing(
            client.invoke("add_item", server_handle=server, item_definition="Plant.Tank10.Level")
        )
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert "Plant.Tank10.Level" in text
        tags = ["Plant.Pump1.Speed", "PLANT.TANK1.LEVELSP"]
        reply = await client.done("subscribe_bulk", server_handle=server, tag_addresses=tags)
        assert [entry.was_successful for entry in reply.subscribe_bulk.results] == [False, True]
        reply = await client.done("read_bulk", server_handle=server, tag_addresses=tags)
        assert [entry.was_successful for entry in reply.read_bulk.results] == [False, True]


def test_a_key_that_could_not_be_sent_is_refused_without_being_shown() -> None:
    for text in ("", "abc", "mxgw_a", "mxgw_a_b c", "mxgw_a_sécret", "mxgw__x", "mxgw_a_b\n"):
        with pytest.raises(ValueError, match="an API key is") as caught:
            GatewayKey.parse(text)
        assert not text or text not in str(caught.value)
    with pytest.raises(ValueError, match="no such scope"):
        GatewayKey("a", "b", frozenset({"write"}))


def test_neither_keys_nor_calls_show_a_secret() -> None:
    assert KEY.secret not in repr(KEY)
    assert KEY.text == "mxgw_plant-a_s_ecret_-"


async def test_a_call_is_on_record_with_its_metadata_which_is_not_shown(
    gateway: SimulatedGateway, client: Wire
) -> None:
    await client.open(client_session_name="me")
    (record,) = gateway.calls
    assert record.rpc == "OpenSession"
    assert record.request == pb.OpenSessionRequest(client_session_name="me")
    assert record.metadata["authorization"] == f"Bearer {KEY.text}"
    assert KEY.secret not in repr(record)


async def test_a_session_is_used_and_closed_with_any_key_that_has_the_scopes() -> None:
    opener = GatewayKey("opener", "x", frozenset({KeyScope.SESSION_OPEN}))
    user = GatewayKey("user", "x", ALL_SCOPES - {KeyScope.SESSION_OPEN})
    async with SimulatedGateway(plaintext=True, api_keys=(opener, user)) as gateway:
        async with wire(gateway, opener.text) as first:
            await first.open()
            assert (await failing(first.invoke("ping")))[0] is grpc.StatusCode.PERMISSION_DENIED
        async with wire(gateway, user.text) as other:
            other.session_id = first.session_id
            server = await other.register()
            await other.advise(server, await other.add(server, "TestChildObject.TestInt"))
            assert (await other.stream().next()).family == pb.MX_EVENT_FAMILY_ON_DATA_CHANGE
            assert (await other.close()).final_state == pb.SESSION_STATE_CLOSED
