"""Forwarding to a real mosquitto: every event arrives at least once or is counted, whatever ends in the middle."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from cli_process import Run, Start, ended, until
from forward_brokers import Listener, accounted, is_whole, mqtt_broker, needs_mosquitto, news

from zb_mom_ww_mxgateway_sim import SimulatedGateway

pytestmark = needs_mosquitto

ITEM, OTHER = "TestChildObject.TestInt", "TestChildObject.TestDouble"


def forward(port: int, *more: str, tags: tuple[str, ...] = (ITEM,)) -> list[str]:
    return ["forward", "--plaintext", "--to", f"mqtt://127.0.0.1:{port}", "--name", "f1", *more, *tags]


async def test_every_event_is_published_with_its_tag_in_the_topic(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    async with mqtt_broker(tmp_path) as broker, Listener(broker.port) as listener:
        process = await start(*forward(broker.port, "--count", "4", "--json", tags=(ITEM, OTHER)))
        await until(lambda: len(listener.messages) == 3)
        gateway.set(ITEM, 7)
        gateway.set(OTHER, 2.5)
        ran = await ended(process)
        await until(lambda: len(listener.messages) == 5)
    assert (ran.code, ran.err) == (0, "")
    topics = [topic for topic, _ in listener.messages]
    levels = {tag: f"mxgw/f1/event/{tag.replace('.', '/')}" for tag in (ITEM, OTHER)}
    assert topics[0] == "mxgw/f1/mark"
    assert topics[3:] == [levels[ITEM], levels[OTHER]]
    assert [form["value"] for _, form in listener.messages[3:]] == [7, 2.5]


@pytest.mark.long
async def test_broker_and_forwarder_end_in_the_middle_and_every_event_is_there(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    """The broker is told to end, as mosquitto keeps on the disk what its listeners are to get only then; it is killed
    while it owes them nothing. The forwarder is killed."""
    sent = 0

    async def change(times: int) -> None:
        nonlocal sent
        for _ in range(times):
            sent += 1
            gateway.set(ITEM, sent)
            await asyncio.sleep(0)

    state = tmp_path / "f1.state"
    async with mqtt_broker(tmp_path) as broker, Listener(broker.port) as listener:

        def has_all() -> bool:
            return any(form.get("value") == sent for _, form in listener.messages)

        process = await start(*forward(broker.port, "--state", str(state)))
        await until(lambda: len(listener.messages) == 2)
        await change(100)
        await broker.stop()  # while messages are on their way
        await change(50)
        await broker.start()
        await until(has_all)
        await broker.kill()
        await change(50)
        await broker.start()
        await until(has_all)
        await change(50)
        process.kill()
        await process.wait()
        await until(lambda: gateway.open_streams == 0)
        await change(50)
        await start(*forward(broker.port, "--state", str(state)))
        await until(has_all)
    messages = [form for _, form in listener.messages]
    (sequences,) = accounted(messages).values()
    assert sequences == set(range(1, sent + 2))
    assert is_whole(messages)
    assert [form for form in messages if form["kind"] == "gap"] == []
    # What came twice has the same id, so that it can be told.
    events = {form["id"]: form["value"] for form in messages if form["kind"] == "event"}
    assert sorted(events.values()) == list(range(sent + 1))


async def test_a_broker_that_is_away_fills_the_buffer_and_the_gap_is_counted(
    gateway: SimulatedGateway, start: Start, tmp_path: Path
) -> None:
    async with mqtt_broker(tmp_path) as broker, Listener(broker.port) as listener:
        process = await start(*forward(broker.port, "--buffer", "20", "--json"))
        await until(lambda: len(listener.messages) == 2)
        await broker.stop()
        await news(process, "broker lost")
        for value in range(1, 201):
            gateway.set(ITEM, value)
            await asyncio.sleep(0)
        await news(process, "buffer full")
        await broker.start()
        await until(lambda: any(form.get("value") == 200 for _, form in listener.messages))
        process.terminate()
        ran = await ended(process)
    messages = [form for _, form in listener.messages]
    assert is_whole(messages)
    lost = sum(form["lost"] for form in messages if form["kind"] == "gap")
    assert lost == ran.json[-1]["lost"] > 0
    assert len({form["id"] for form in messages if form["kind"] == "event"}) + lost == 1 + 200


def _passwords(folder: Path) -> list[str]:
    """Access of mosquitto: two users, of whom `plant` may publish below mxgw/f1 only."""
    users = folder / "users"
    users.write_text("plant:s3cret-of-the-broker\nlistener:another-one\n")
    tool = "/usr/bin/mosquitto_passwd"
    subprocess.run([tool, "-U", str(users)], check=True)
    rules = folder / "rules"
    rules.write_text("user plant\ntopic write mxgw/f1/#\nuser listener\ntopic read #\n")
    return [f"password_file {users}", f"acl_file {rules}"]


async def test_the_password_comes_from_the_environment_and_is_shown_nowhere(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    user = ["--broker-user", "plant", "--broker-password-env", "PLANT_PASSWORD", "--count", "1"]
    async with mqtt_broker(tmp_path, *_passwords(tmp_path)) as broker:
        ran = await mxgw_py(*forward(broker.port, *user), PLANT_PASSWORD="s3cret-of-the-broker")
        assert (ran.code, "1 event forwarded" in ran.out) == (0, True)
        log = tmp_path / "log"
        options = ["--debug", "--log-file", str(log), "--log-level", "debug"]
        ran = await mxgw_py(*forward(broker.port, *user, *options), PLANT_PASSWORD="wr0ng-password")
        assert ran.code == 3
        assert "Not authorized" in ran.err
        assert "wr0ng-password" not in ran.err + ran.out + log.read_text()


async def test_a_topic_that_the_broker_refuses_is_told_and_nothing_counts_as_forwarded(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    """In MQTT 5 a broker says so; before, it took such messages and threw them away."""
    user = ["--broker-user", "plant", "--broker-password-file", str(tmp_path / "password"), "--json"]
    (tmp_path / "password").write_text("s3cret-of-the-broker\n")
    async with mqtt_broker(tmp_path, *_passwords(tmp_path)) as broker:
        ran = await mxgw_py(*forward(broker.port, *user, "--topic", "elsewhere/{tag}", "--count", "1"))
    assert ran.code == 3
    assert "refuses the topic elsewhere: Not authorized" in ran.json[-1]["error"]["message"]
    assert ran.json[-1]["acknowledged"] == 0
