"""Users and secured writes: ids that belong to a server handle, and who may write what."""

import logging

import pytest
from sim_wire import Wire, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GalaxyUser, ManualClock, SimulatedGateway

NOT_SECURED = 0x80004021 - 2**32
ACCESS_DENIED = 0x80070005 - 2**32
BYPASS, RESET = "Plant.Interlock.Bypass", "Plant.Interlock.Reset"
GUID = "6f9619ff-8b86-d011-b42d-00c04fc964ff"
PASSWORD = "do not tell 1234"


async def log_in(client: Wire, name: str = "anna", server: int = 1) -> int:
    fields = {"server_handle": server, "verify_user": name, "verify_user_password": PASSWORD}
    reply = await client.done("authenticate_user", **fields)
    assert reply.return_value.int32_value == reply.authenticate_user.user_id
    return reply.authenticate_user.user_id


async def test_a_permissive_galaxy_gives_anyone_an_id(client: Wire) -> None:
    await client.open()
    await client.register()
    anna = await log_in(client)
    assert anna > 0
    assert await log_in(client, "ANNA") == anna
    assert await log_in(client, "bert") != anna
    reply = await client.done("archestra_user_to_id", server_handle=1, user_id_guid=GUID)
    assert reply.archestra_user_to_id.user_id not in (0, anna)
    reply = await client.invoke("archestra_user_to_id", server_handle=1, user_id_guid="anna")
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE


async def test_a_strict_galaxy_knows_its_users() -> None:
    users = [GalaxyUser("Anna", PASSWORD, GUID), GalaxyUser("Bert", "other")]
    async with SimulatedGateway(plaintext=True, users=users) as gateway, wire(gateway) as client:
        await client.open()
        await client.register()
        anna = await log_in(client)
        by_guid = await client.done("archestra_user_to_id", server_handle=1, user_id_guid=f"{{{GUID.upper()}}}")
        assert by_guid.archestra_user_to_id.user_id == anna
        for kind, fields in (
            ("authenticate_user", {"verify_user": "Bert", "verify_user_password": PASSWORD}),
            ("authenticate_user", {"verify_user": "Anna", "verify_user_password": PASSWORD.upper()}),
            ("authenticate_user", {"verify_user": "Carl", "verify_user_password": PASSWORD}),
            ("archestra_user_to_id", {"user_id_guid": "00000000-0000-0000-0000-000000000001"}),
        ):
            reply = await client.invoke(kind, server_handle=1, **fields)
            assert reply.hresult == ACCESS_DENIED
            assert reply.WhichOneof("payload") is None
            assert PASSWORD not in str(reply)
    assert PASSWORD not in repr(users)


@pytest.mark.parametrize("wrong", [{"name": "", "password": "x"}, {"name": "a", "password": "x", "guid": "nonsense"}])
def test_a_user_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        GalaxyUser(**wrong)


async def test_a_password_is_neither_kept_nor_logged(
    client: Wire, gateway: SimulatedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.open()
    await client.register()
    await log_in(client)
    record = gateway.calls[-1]
    assert isinstance(record.request, pb.MxCommandRequest)
    assert record.request.command.authenticate_user.verify_user == "anna"
    assert PASSWORD not in str(record.request) + repr(gateway.calls) + caplog.text


async def test_an_id_belongs_to_its_server_handle_and_dies_with_it(client: Wire) -> None:
    _, item, _ = await client.watching(BYPASS)
    anna = await log_in(client)
    other = await client.register()
    elsewhere = await log_in(client, server=other)
    fields = {"server_handle": 1, "item_handle": item, "value": pb.MxValue(bool_value=True)}
    await client.done("write_secured", **fields, current_user_id=anna)
    assert (await client.invoke("write_secured", **fields, current_user_id=elsewhere)).hresult == NOT_SECURED
    await client.done("unregister", server_handle=other)
    assert (await client.invoke("write_secured", **fields, current_user_id=elsewhere)).hresult == NOT_SECURED
    third = await client.register()
    assert await log_in(client, server=third) not in (anna, elsewhere)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"current_user_id": 99},
        {"current_user_id": 1, "verifier_user_id": 99},
        {"current_user_id": 1, "value": pb.MxValue()},
    ],
)
@pytest.mark.parametrize("kind", ["write_secured", "write_secured2"])
async def test_without_a_user_or_a_value_a_secured_write_is_0x80004021(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, kind: str, wrong: dict[str, object]
) -> None:
    _, item, _ = await client.watching(BYPASS)
    assert await log_in(client) == 1
    fields = {"server_handle": 1, "item_handle": item, "value": pb.MxValue(bool_value=True)} | wrong
    reply = await client.invoke(kind, **fields)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    assert reply.hresult == NOT_SECURED
    await clock.advance(1)
    assert not gateway.writes


@pytest.mark.parametrize(
    ("tag", "verifier", "detail"),
    [
        (BYPASS, None, 0),
        (BYPASS, "bert", 0),
        (RESET, None, 57),
        (RESET, "anna", 57),
        (RESET, "bert", 0),
        ("TestChildObject.TestBool", None, 0),
        ("Plant.Tank1.Overflow", "bert", 33),
    ],
)
async def test_a_security_classification_asks_for_its_users(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, tag: str, verifier: str | None, detail: int
) -> None:
    events, item, _ = await client.watching(tag)
    anna = await log_in(client)
    second = await log_in(client, verifier) if verifier else 0
    fields = {"current_user_id": anna, "verifier_user_id": second, "value": pb.MxValue(bool_value=True)}
    await client.done("write_secured", server_handle=1, item_handle=item, **fields)
    await clock.advance(0.1)
    (status,) = (await events.write_complete()).statuses
    expected = pb.MX_STATUS_CATEGORY_SECURITY_ERROR if detail else pb.MX_STATUS_CATEGORY_OK
    assert (status.category, status.detail) == (expected, detail)
    written = [(record.tag, record.user_id, record.verifier_id) for record in gateway.writes]
    assert written == ([] if detail else [(tag, anna, second)])


async def test_a_secured_write_needs_an_advised_item_too(client: Wire) -> None:
    await client.open()
    server = await client.register()
    item = await client.add(server, BYPASS)
    fields = {"server_handle": server, "item_handle": item, "current_user_id": await log_in(client)}
    reply = await client.invoke("write_secured", **fields, value=pb.MxValue(bool_value=True))
    assert reply.hresult == 0x80070057 - 2**32


async def test_write_secured2_brings_its_own_time(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    _, item, _ = await client.watching(BYPASS)
    stamp = pb.MxValue()
    stamp.timestamp_value.FromSeconds(1_700_000_000)
    fields = {"server_handle": 1, "item_handle": item, "current_user_id": await log_in(client)}
    await client.done("write_secured2", **fields, value=pb.MxValue(bool_value=True), timestamp_value=stamp)
    await clock.advance(0.1)
    assert gateway.read(BYPASS).timestamp.timestamp() == 1_700_000_000


STAMP = pb.MxValue(timestamp_value={"seconds": 1_700_000_000})


@pytest.mark.parametrize(
    ("kind", "entry", "more"),
    [
        ("write_secured_bulk", pb.WriteSecuredBulkEntry, {}),
        ("write_secured2_bulk", pb.WriteSecured2BulkEntry, {"timestamp_value": STAMP}),
    ],
)
async def test_secured_bulk_writes_are_judged_by_entry(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, kind: str, entry: type, more: dict[str, object]
) -> None:
    _, item, _ = await client.watching(BYPASS)
    anna = await log_in(client)
    fields = {"value": pb.MxValue(bool_value=True), **more}
    entries = [
        entry(item_handle=item, current_user_id=99, **fields),
        entry(item_handle=item, current_user_id=anna, **fields),
        entry(item_handle=77, current_user_id=anna, **fields),
    ]
    reply = await client.done(kind, server_handle=1, entries=entries)
    assert reply.WhichOneof("payload") == kind
    results = getattr(reply, kind).results
    assert [(one.item_handle, one.was_successful) for one in results] == [(item, False), (item, True), (77, False)]
    assert [one.hresult for one in results] == [NOT_SECURED, 0, 0x80070057 - 2**32]
    await clock.advance(0.1)
    assert [(record.tag, record.user_id) for record in gateway.writes] == [(BYPASS, anna)]
