"""Writes that somebody signs, or that have a source time, with their outcome; and a session that is only left."""

from datetime import UTC, datetime

import pytest

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    MxGatewayArgumentError,
    MxGatewaySessionError,
    WriteOutcome,
    WriteSignature,
)
from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway_sim import SimulatedGateway

SECURED, VERIFIED, INT = "Plant.Interlock.Bypass", "Plant.Interlock.Reset", "TestChildObject.TestInt"
AT = datetime(2026, 10, 2, 8, 14, tzinfo=UTC)


async def test_a_signed_write_has_its_outcome(gateway: SimulatedGateway, live: LiveSession) -> None:
    secured, verified = await live.subscribe_tags([SECURED, VERIFIED])
    for item in (secured, verified):
        await live.first_value(item)
    server = secured.server_handle
    bob = await live.session.authenticate_user(server, "bob", "x")
    ann = await live.session.authenticate_user(server, "ann", "y")
    assert (await live.write_and_confirm(*secured.key, True)).outcome is WriteOutcome.REFUSED
    signed = await live.write_and_confirm(*secured.key, True, signature=WriteSignature(bob))
    assert signed.outcome is WriteOutcome.COMPLETED
    alone = await live.write_and_confirm(*verified.key, True, signature=WriteSignature(bob))
    assert alone.outcome is WriteOutcome.REFUSED
    both = await live.write_and_confirm(*verified.key, True, timestamp=AT, signature=WriteSignature(bob, ann))
    assert both.outcome is WriteOutcome.COMPLETED
    assert [(write.user_id, write.verifier_id) for write in gateway.writes] == [(bob, 0), (bob, ann)]
    shown = await live.wait_for(verified, lambda value: value is True, timeout=30)
    assert shown.source_time_ns == AT.timestamp() * 1e9
    kinds = [call.request.command.WhichOneof("payload") for call in gateway.calls if call.rpc == "Invoke"]
    assert [kind for kind in kinds if kind and kind.startswith("write")] == [
        "write", "write_secured", "write_secured", "write_secured2",
    ]  # fmt: skip


async def test_a_timed_write_has_its_source_time(live: LiveSession) -> None:
    (item,) = await live.subscribe_tags([INT])
    await live.first_value(item)
    assert (await live.write_and_confirm(*item.key, 5, timestamp=AT)).outcome is WriteOutcome.COMPLETED
    shown = await live.wait_for(item, lambda value: value == 5, timeout=30)
    assert shown.source_time_ns == AT.timestamp() * 1e9


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_id": 1, "signature": WriteSignature(1)},
        {"timestamp": "2026-10-02"},
        {"timestamp": datetime(2026, 10, 2)},  # without a zone it is no moment
        {"signature": WriteSignature(-1)},
        {"signature": WriteSignature(1, "ann")},  # type: ignore[arg-type]  # what a caller may get wrong
    ],
)
async def test_a_wrong_signature_or_time_is_one_before_it_is_sent(
    gateway: SimulatedGateway, live: LiveSession, wrong: dict[str, object]
) -> None:
    (item,) = await live.subscribe_tags([INT])
    await live.first_value(item)
    with pytest.raises(MxGatewayArgumentError):
        await live.write_and_confirm(*item.key, 5, **wrong)  # type: ignore[arg-type]  # see above
    assert not gateway.writes


async def test_call_json_sends_what_it_is_given_and_returns_the_reply(live: LiveSession) -> None:
    reply = await live.session.call_json("register", '{"client_name": "json"}')
    assert reply["register"] == {"server_handle": 1}
    assert live.session.handles.servers == {1: "json"}
    for kind, fields in (("frobnicate", ""), ("register", "[]"), ("register", '{"client_name": 5}'), ("register", "{")):
        with pytest.raises(MxGatewayArgumentError):
            await live.session.call_json(kind, fields)


async def test_a_session_that_is_detached_stays_open(client: GatewayClient) -> None:
    session = await client.open_session()
    live = LiveSession(session, rebuild=False)
    await live.ready()
    subscription = live.subscribe()
    await live.detach()
    await live.detach()
    assert [event async for event in subscription] == []
    await session.ping()
    await session.close()
    with pytest.raises(MxGatewaySessionError):
        await session.ping()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("login bob s3cret", "login bob ***"),
        ('  login "bob x" "a b"', '  login "bob x" ***'),
        ("demo> login bob s3cret", "demo> login bob ***"),
        ("try.mxs:3:11: login bob s3cret", "try.mxs:3:11: login bob ***"),
        ("login bob --password s3cret", "login bob --password ***"),
        ("login bob --password=s3cret", "login bob --password=***"),
        ("login bob s3cret --server 1", "login bob *** --server 1"),
        ("login bob --password-env NAME", "login bob --password-env NAME"),
        ("login bob", "login bob"),
        ("login USER asks for it", "login USER asks for it"),
        ("nobody is logged in; login USER signs", "nobody is logged in; login USER signs"),
    ],
)
def test_a_password_typed_by_mistake_is_redacted(line: str, shown: str) -> None:
    assert redact(line) == shown
