"""Forwarding to a real NATS server: every event arrives or is counted, whatever is killed in the middle."""

import asyncio
import json
from pathlib import Path
from typing import Any

import nats
import pytest
from cli_process import Run, Start, ended, until
from forward_brokers import accounted, is_whole, nats_broker, needs_nats, news, stream_of
from nats.js.api import DiscardPolicy

from zb_mom_ww_mxgateway_cli.forward.sharing import share_of
from zb_mom_ww_mxgateway_sim import SimulatedGateway

pytestmark = needs_nats

ITEM, OTHER = "TestChildObject.TestInt", "TestChildObject.TestDouble"


def forward(port: int, *more: str, tags: tuple[str, ...] = (ITEM,)) -> list[str]:
    return ["forward", "--plaintext", "--to", f"nats://127.0.0.1:{port}", "--name", "f1", *more, *tags]


async def test_every_event_is_stored_once_with_its_tag_in_the_subject(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    async with nats_broker(tmp_path) as broker, stream_of(broker) as stream:
        process = await start(*forward(broker.port, "--count", "4", "--json", tags=(ITEM, OTHER)))
        await stream.until_count(3)
        gateway.set(ITEM, 7, quality=64)
        gateway.set(OTHER, 2.5)
        ran = await ended(process)
        assert (ran.code, ran.err) == (0, "")
        assert ran.json[-1]["kind"] == "summary"
        assert (ran.json[-1]["acknowledged"], ran.json[-1]["waiting"], ran.json[-1]["lost"]) == (4, 0, 0)
        (_, first), *values = await stream.messages()
        assert (first["kind"], first["text"]) == ("start", "forwarding 2 tags: a new session")
        assert [(subject, form["value"], form["quality_word"]) for subject, form in values[2:]] == [
            (f"mxgw.f1.event.{ITEM}", 7, "uncertain"),
            (f"mxgw.f1.event.{OTHER}", 2.5, "good"),
        ]
        assert [form["worker_sequence"] for _, form in values] == [1, 2, 3, 4]
        assert all(form["source_timestamp"] and form["gateway_receive_timestamp"] for _, form in values)


@pytest.mark.long
async def test_broker_and_forwarder_are_killed_in_the_middle_and_every_event_is_there(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    """Kills both without a warning, in turn. The gateway's memory is long enough here, so nothing is lost."""
    broker = nats_broker(tmp_path)
    arguments = forward(broker.port, "--state", str(tmp_path / "f1.state"))
    sent = 0

    def position() -> int:
        kept: int = json.loads((tmp_path / "f1.state").read_text())["sequence"]
        return kept

    async def change(times: int) -> None:
        nonlocal sent
        for _ in range(times):
            sent += 1
            gateway.set(ITEM, sent)
            await asyncio.sleep(0)

    async with broker, stream_of(broker) as stream:
        process = await start(*arguments)
        await stream.until_count(2)
        for _ in range(2):
            await change(100)
            await broker.kill()  # while messages are on their way
            await change(50)
            await broker.start()
            had = 2 + sent
            await stream.until_count(had - 1)
            await until(lambda: position() > 1)
            await change(50)
            process.kill()
            await process.wait()
            await until(lambda: gateway.open_streams == 0)
            await change(50)
            process = await start(*arguments)
            await until(lambda: gateway.open_streams == 1)
        await change(10)
        await stream.until_found(lambda form: form.get("value") == sent)
        messages = [form for _, form in await stream.messages()]
    # One session, no gap, and the broker stored none twice.
    (sequences,) = accounted(messages).values()
    assert is_whole(messages)
    assert sequences == set(range(1, sent + 2))
    assert [form for form in messages if form["kind"] == "gap"] == []
    assert len({form["id"] for form in messages}) == len(messages)
    values = [form["value"] for form in messages if form["kind"] == "event"]
    assert values == [0, *range(1, sent + 1)]
    first, *others = [form["text"] for form in messages if form["kind"] == "start"]
    assert first == "forwarding 1 tag: a new session"
    assert [text.rpartition(" ")[0] for text in others] == ["forwarding 1 tag: going on after sequence"] * 2


async def test_a_full_buffer_becomes_a_counted_gap_and_the_last_value_arrives(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    async with nats_broker(tmp_path) as broker, stream_of(broker) as stream:
        process = await start(*forward(broker.port, "--buffer", "20", "--json", tags=(ITEM, OTHER)))
        await stream.until_count(3)
        await broker.kill()
        await news(process, "broker lost")
        gateway.set(OTHER, 4.5)  # It is dropped, and no later value of its tag comes.
        for value in range(1, 301):
            gateway.set(ITEM, value)
            await asyncio.sleep(0)
        await news(process, "buffer full")
        await broker.start()
        await stream.until_found(lambda form: form["kind"] == "read")
        process.terminate()
        ran = await ended(process)
        messages = [form for _, form in await stream.messages()]
    assert ran.code == 130
    assert ran.json[-1]["error"]["type"] == "Interrupted"
    gaps = [form for form in messages if form["kind"] == "gap"]
    assert is_whole(messages)
    assert {gap["reason"] for gap in gaps} == {"buffer"}
    events = [form for form in messages if form["kind"] == "event"]
    lost = sum(gap["lost"] for gap in gaps)
    assert len(events) + lost == 2 + 301
    assert ran.json[-1]["lost"] == ran.json[-1]["dropped"] == lost
    assert events[-1]["value"] == 300
    read = [form for form in messages if form["kind"] == "read"]
    assert [(form["tag"], form["value"], form["worker_sequence"]) for form in read] == [(OTHER, 4.5, 0)]


async def test_what_the_gateway_forgot_meanwhile_is_a_counted_gap(
    gateway: SimulatedGateway, start: Start, mxgw_py: Run, tmp_path: Path
) -> None:
    state = ["--state", str(tmp_path / "f1.state")]
    async with nats_broker(tmp_path) as broker, stream_of(broker) as stream:
        process = await start(*forward(broker.port, *state))
        await stream.until_count(2)
        process.terminate()
        assert (await ended(process)).code == 130
        (session,) = gateway.live_sessions
        for value in range(1, 6):
            gateway.set(ITEM, value)
        gateway.faults.evict_replay(session)
        gateway.set(ITEM, 6)
        ran = await mxgw_py(*forward(broker.port, *state, "--count", "1", "--json"))
        assert ran.code == 0
        assert (ran.json[-1]["gaps"], ran.json[-1]["lost"], ran.json[-1]["lost_is_known"]) == (1, 5, True)
        messages = [form for _, form in await stream.messages()]
    assert is_whole(messages)
    (gap,) = [form for form in messages if form["kind"] == "gap"]
    assert (gap["reason"], gap["lost"], gap["after_sequence"], gap["before_sequence"]) == ("gateway", 5, 1, 7)


async def test_a_lost_session_is_a_gap_and_another_session_gives_all_values_again(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    async with nats_broker(tmp_path) as broker, stream_of(broker) as stream:
        await start(*forward(broker.port, "--state", str(tmp_path / "f1.state"), tags=(ITEM, OTHER)))
        await stream.until_count(3)
        (session,) = gateway.live_sessions
        gateway.faults.lose_session(session)
        await stream.until_count(7)
        messages = [form for _, form in await stream.messages()]
    kinds = [form["kind"] for form in messages if form["kind"] not in ("stale", "live")]
    assert kinds == ["start", "event", "event", "gap", "start", "event", "event"]
    gap = next(form for form in messages if form["kind"] == "gap")
    assert (gap["reason"], gap["lost"], gap["after_sequence"], gap["before_sequence"]) == ("session", None, 2, None)
    assert {form["tag"] for form in messages[-2:]} == {ITEM, OTHER}
    assert len({form["session_id"] for form in messages}) == 2


async def test_a_session_that_is_gone_after_a_restart_is_a_gap(
    gateway: SimulatedGateway, start: Start, mxgw_py: Run, tmp_path: Path
) -> None:
    state = ["--state", str(tmp_path / "f1.state")]
    async with nats_broker(tmp_path) as broker, stream_of(broker) as stream:
        process = await start(*forward(broker.port, *state))
        await stream.until_count(2)
        process.terminate()
        await ended(process)
        (session,) = gateway.live_sessions
        gateway.faults.lose_session(session)
        ran = await mxgw_py(*forward(broker.port, *state, "--count", "1", "--json"))
        assert ran.code == 0
        assert (ran.json[-1]["gaps"], ran.json[-1]["lost_is_known"]) == (1, False)
        messages = [form for _, form in await stream.messages()]
    assert [form["kind"] for form in messages] == ["start", "event", "gap", "start", "event"]
    assert (messages[2]["session_id"], messages[2]["after_sequence"]) == (session, 1)


async def test_two_forwarders_share_a_list(gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path) -> None:
    tags = [f"TestChildObject.{name}" for name in ("TestInt", "TestDouble", "TestBool", "TestString", "TestFloat")]
    shared: list[str] = []
    async with nats_broker(tmp_path) as broker, stream_of(broker) as stream:
        for name in ("a", "b"):
            count = str(len(share_of(name, ["a", "b"], tags)))
            arguments = forward(broker.port, "--peers", "a,b", "--count", count, "--json", tags=tuple(tags))
            arguments[arguments.index("f1")] = name
            assert (await mxgw_py(*arguments)).code == 0
        for _, form in await stream.messages():
            if form["kind"] == "event":
                shared.append(form["tag"])
    assert sorted(shared) == sorted(tags)


async def test_a_server_without_a_stream_for_the_subject_is_told(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    async with nats_broker(tmp_path) as broker:
        ran = await mxgw_py(*forward(broker.port, "--count", "1"))
    assert ran.code == 3
    assert "no stream of JetStream takes mxgw.f1.mark: add one, e.g. nats stream add MXGW" in ran.err


async def test_an_answer_that_is_not_from_a_stream_counts_as_nothing(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    async with nats_broker(tmp_path) as broker:
        client = await nats.connect(f"nats://127.0.0.1:{broker.port}")

        async def answer(message: Any) -> None:
            await message.respond(b"thanks")

        await client.subscribe("mxgw.>", cb=answer)
        await client.flush()
        ran = await mxgw_py(*forward(broker.port, "--count", "1"))
        await client.close()
    assert (ran.code, "mxgw.f1.mark is answered by something that is not JetStream" in ran.err) == (3, True)


async def test_a_stream_that_is_full_is_told(gateway: SimulatedGateway, start: Start, tmp_path: Path) -> None:
    """It refuses what is new, so it waits here until there is room."""
    full = {"max_msgs": 2, "discard": DiscardPolicy.NEW}
    async with nats_broker(tmp_path) as broker, stream_of(broker, stream=full) as stream:
        process = await start(*forward(broker.port, "--json"))
        await stream.until_count(2)
        gateway.set(ITEM, 5)
        await news(process, "broker lost")
        await stream.purge()
        await news(process, "broker back")
        assert [form["value"] for _, form in await stream.messages()] == [5]
        process.terminate()
        assert (await ended(process)).json[-1]["acknowledged"] == 2


async def test_a_value_too_large_for_the_broker_is_a_gap_of_its_tag(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    text = "TestChildObject.TestString"
    (tmp_path / "small.conf").write_text("max_payload: 4096\n")
    async with nats_broker(tmp_path, "-c", str(tmp_path / "small.conf")) as broker, stream_of(broker) as stream:
        process = await start(*forward(broker.port, "--json", tags=(text,)))
        await stream.until_count(2)
        gateway.set(text, "x" * 5_000)
        gateway.set(text, "short")
        await stream.until_count(4)
        process.terminate()
        await ended(process)
        messages = [form for _, form in await stream.messages()]
    assert [form["kind"] for form in messages] == ["start", "event", "gap", "event"]
    assert (messages[2]["reason"], messages[2]["lost"], messages[2]["tag"]) == ("size", 1, text)
    assert is_whole(messages)
