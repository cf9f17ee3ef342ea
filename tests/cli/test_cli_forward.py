"""Forwarding without a broker: topics, shares, what is refused before anything is sent, standard output, the state."""

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from cli_process import DEADLINE, KEY, Run, Start, ended, until

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway_cli.commands.streaming import Printer, Rendering
from zb_mom_ww_mxgateway_cli.forward.destination import Access, Address, address_of, destination_of
from zb_mom_ww_mxgateway_cli.forward.forwarder import Forwarder
from zb_mom_ww_mxgateway_cli.forward.messages import Gap, Message, MessageForms
from zb_mom_ww_mxgateway_cli.forward.outbox import Outbox
from zb_mom_ww_mxgateway_cli.forward.printed_messages import PrintedMessages
from zb_mom_ww_mxgateway_cli.forward.progress import Position, Saved, SessionItems, StateFile
from zb_mom_ww_mxgateway_cli.forward.sharing import share_of
from zb_mom_ww_mxgateway_cli.forward.topics import DEFAULT, TopicError, Topics
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_sim import SimulatedGateway

ITEM = "TestChildObject.TestInt"
PRINT = ["forward", "--plaintext", "--to", "-"]


# Topics.


@pytest.mark.parametrize(
    ("tag", "mqtt"),
    [
        ("Plant.Tank1.Level", "mxgw/f/event/Plant/Tank1/Level"),
        ("A.B[]", "mxgw/f/event/A/B[]"),
        ("A b+#*>/%.\u00fc", "mxgw/f/event/A%20b%2B%23%2A%3E%2F%25/%C3%BC"),
        ("A..B", "mxgw/f/event/A%2E%2EB"),
        (".A", "mxgw/f/event/%2EA"),
    ],
)
def test_a_tag_is_levels_of_a_topic(tag: str, mqtt: str) -> None:
    assert Topics(DEFAULT, "f", "/").topic("event", tag) == mqtt
    assert Topics(DEFAULT, "f", ".").topic("event", tag) == mqtt.replace("/", ".")


def test_a_mark_about_no_tag_has_no_level_for_one() -> None:
    assert Topics(DEFAULT, "a.b", ".").topic("mark", None) == "mxgw.a%2Eb.mark"
    assert Topics("{tag}", "f", "/").topic("mark", None) == "mark"
    assert Topics("x-{tag}/{kind}", "f", "/").topic("event", "A.B") == "x-A%2EB/event"


@pytest.mark.parametrize("template", ["", "a//b", "/a", "a b", "a/#", "+/{tag}", "{tagg}", "a/{", "a.b", "$SYS/{tag}"])
def test_a_template_that_makes_no_topic_is_refused(template: str) -> None:
    with pytest.raises(TopicError):
        Topics(template, "f", "/")


# Shares.


def test_shares_are_disjoint_complete_and_even_and_a_new_peer_takes_from_all() -> None:
    tags = [f"Area{number % 50:03}.Unit{number // 50:04}.Value" for number in range(3_000)]
    three = {name: share_of(name, ["a", "b", "c"], tags) for name in ("a", "b", "c")}
    assert sorted(tag for share in three.values() for tag in share) == sorted(tags)
    assert all(800 < len(share) < 1200 for share in three.values())
    # The order of the peers and the case of a tag say nothing.
    assert share_of("a", ["c", "b", "a"], tags) == three["a"]
    assert len(share_of("a", ["a", "b", "c"], [tag.upper() for tag in tags])) == len(three["a"])
    four = {name: set(share_of(name, ["a", "b", "c", "d"], tags)) for name in ("a", "b", "c", "d")}
    for name, share in three.items():
        assert four[name] < set(share)


# The broker's URL and access.


@pytest.mark.parametrize(
    ("url", "text", "is_secure"),
    [
        ("nats://broker", "nats://broker:4222", False),
        ("tls://broker:5", "tls://broker:5", True),
        ("natss://10.0.0.1", "natss://10.0.0.1:4222", True),
        ("mqtt://[::1]", "mqtt://[::1]:1883", False),
        ("mqtts://broker/", "mqtts://broker:8883", True),
    ],
)
def test_the_url_of_a_broker(url: str, text: str, is_secure: bool) -> None:
    address = address_of(url)
    assert (address.text, address.is_secure) == (text, is_secure)


@pytest.mark.parametrize(
    "url",
    [
        "broker",
        "http://broker",
        "nats://",
        "nats://a:0",
        "nats://a:99999",
        "mqtt://a/topic",
        "nats://a?x=1",
        "nats://a b",
        "nats://me:s3cret",
        "nats://me:s3cret%40broker",
        "mqtt://broker/?user=me&password=s3cret",
        "ftp://me:s3cret",
    ],
)
def test_what_is_no_url_of_a_broker_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(MxGatewayArgumentError) as refused:
        address_of(url)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("urls", "access"),
    [
        (("nats://a", "mqtt://b"), Access()),
        (("nats://a", "tls://b"), Access()),
        (("-", "-"), Access()),
        (("-",), Access(user="me")),
        (("mqtt://a",), Access(password="secret")),
        (("nats://a",), Access(user="me")),
        (("nats://a",), Access(ca_file="roots.pem")),
        (("tls://a",), Access(ca_file="no-such-file.pem")),
        (("tls://a",), Access(key_file="key.pem")),
    ],
)
def test_what_cannot_be_right_together_is_refused(urls: tuple[str, ...], access: Access) -> None:
    with pytest.raises(MxGatewayArgumentError) as refused:
        destination_of(urls, access)
    assert "secret" not in str(refused.value)


# The buffer.


def _event(number: int, tag: str, size: int = 10) -> Message:
    return Message(f"s-{number}", "t", b"x" * size, "s", number, tag)


def _outbox(most: int, most_bytes: int = 10_000) -> tuple[Outbox, list[Gap]]:
    gaps: list[Gap] = []

    def made(gap: Gap) -> Message:
        gaps.append(gap)
        return MessageForms("f", "host:1", Topics(DEFAULT, "f", "/")).gap(gap)

    return Outbox(most, made, most_bytes), gaps


def test_a_full_buffer_drops_the_oldest_and_counts_them() -> None:
    outbox, gaps = _outbox(3)
    outbox.begin("s", 0)
    for number in range(1, 8):
        outbox.put(_event(number, "A" if number > 2 else f"B{number}"))
    taken = [outbox.take() for _ in range(5)]
    assert [message and message.upto for message in taken] == [4, 5, 6, 7, None]
    assert [(gap.after, gap.before, gap.lost, gap.reason) for gap in gaps] == [(0, 5, 4, "buffer")]
    # Of A a later value is there.
    assert outbox.stale_tags == {"B1", "B2"}
    assert outbox.dropped == 4


def test_the_buffer_counts_bytes_too() -> None:
    outbox, gaps = _outbox(100, most_bytes=100)
    outbox.begin("s", 9)
    for number in range(10, 15):
        outbox.put(_event(number, "A", size=40))
    assert [message.upto for message in iter(outbox.take, None)] == [12, 13, 14]
    assert [(gap.after, gap.before, gap.lost) for gap in gaps] == [(9, 13, 3)]
    assert outbox.room == 50


def test_a_dropped_gap_is_part_of_the_next_one() -> None:
    outbox, gaps = _outbox(2)
    outbox.begin("s", 0)
    forms = MessageForms("f", "host:1", Topics(DEFAULT, "f", "/"))
    outbox.put(_event(1, "A"))
    outbox.put(forms.gap(Gap("s", 1, 5, 3, "gateway", "GAP")))
    for number in (5, 6):
        outbox.put(_event(number, "A"))
    assert [message.upto for message in iter(outbox.take, None)] == [4, 5, 6]
    assert [(gap.after, gap.before, gap.lost) for gap in gaps] == [(0, 5, 4)]


def test_a_dropped_gap_without_an_end_leaves_the_end_open_until_the_next_event() -> None:
    forms = MessageForms("f", "host:1", Topics(DEFAULT, "f", "/"))
    for later, before in ((_event(9, "A"), 10), (Message("t-1", "t", b"", "t", 1, "A"), None)):
        outbox, gaps = _outbox(1)
        outbox.begin("s", 0)
        outbox.begin("t", 0)
        for message in (_event(1, "A"), forms.gap(Gap("s", 1, None, None, "session", "GAP")), later):
            outbox.put(message)
        outbox.put(_event(10, "A") if before else Message("t-2", "t", b"", "t", 2, "A"))
        assert outbox.take() is not None
        assert (gaps[0].session_id, gaps[0].after, gaps[0].before, gaps[0].lost) == ("s", 0, before, None)


def test_what_holds_of_all_values_is_told_although_its_mark_was_dropped() -> None:
    outbox, gaps = _outbox(2)
    outbox.begin("s", 0)
    forms = MessageForms("f", "host:1", Topics(DEFAULT, "f", "/"))
    for message in (_event(1, "A"), forms.mark("stale", "s", "lost"), live := forms.mark("live", "s", "live again")):
        outbox.put(message)
    for number in (2, 3):
        outbox.put(_event(number, "A"))
    assert len(outbox) == 4
    gap, state, *events = iter(outbox.take, None)
    assert (gap.upto, state, [event.upto for event in events]) == (1, live, [2, 3])
    assert gaps[0].lost == 1


def test_the_smallest_buffer_has_room_for_a_value_that_is_read_again() -> None:
    outbox, _ = _outbox(1)
    assert outbox.room == 1
    outbox.put(_event(1, "A"))
    assert outbox.room == 0


def test_gaps_of_two_sessions_stay_apart() -> None:
    outbox, gaps = _outbox(1)
    outbox.begin("s", 0)
    outbox.begin("t", 0)
    outbox.put(_event(1, "A"))
    for number in (1, 2):
        outbox.put(Message(f"t-{number}", "t", b"", "t", number, "A"))
    assert [message.session_id for message in iter(outbox.take, None)] == ["s", "t", "t"]
    assert [(gap.session_id, gap.after, gap.before, gap.lost) for gap in gaps] == [("s", 0, 2, 1), ("t", 0, 2, 1)]


# Standard output.


async def test_a_printed_message_counts_as_forwarded_when_it_is_written_and_not_before() -> None:
    """The position would be ahead of a reader that pauses: a restart would go on behind what was never written."""
    is_writing, may_write, written = threading.Event(), threading.Event(), asyncio.Event()

    class PausedReader(Report):
        def lines(self, lines: list[str]) -> None:
            is_writing.set()
            assert may_write.wait(20)

    forms = MessageForms("f", "host:1", Topics(DEFAULT, "f", "/"))
    rendering: Rendering[Message] = Rendering(lambda message: {}, lambda message: message.id)
    async with Printer(PausedReader(), rendering, on_written=lambda _: written.set()) as printer:
        message = forms.mark("start", "s", "text")
        done = await PrintedMessages(lambda form, text, done: printer.put(message)).publish(message)
        await until(is_writing.is_set)
        await asyncio.sleep(0)
        assert not written.is_set()
        assert not done.done()
        may_write.set()
        await asyncio.wait_for(written.wait(), 20)


# The command.


async def line_of(process: asyncio.subprocess.Process, field: str, value: object) -> dict[str, Any]:
    """The next line with this field."""
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE):
        while True:
            line: dict[str, Any] = json.loads(await process.stdout.readline())
            if line.get(field) == value:
                return line


async def test_standard_output_in_place_of_a_broker(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*PRINT, "--count", "1", "--json", "--name", "f1", ITEM, ITEM.upper())
    assert (ran.code, ran.err) == (0, "")
    start, event = [line for line in ran.json if line["kind"] in ("start", "event")]
    assert (start["text"], start["forwarder"]) == ("forwarding 1 tag: a new session", "f1")
    assert (event["tag"], event["value"], event["worker_sequence"]) == (ITEM, 0, 1)
    assert event["id"] == f"{event['session_id']}-1"
    assert not gateway.live_sessions


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--to", "nats://me:s3cret@broker", ITEM], "does not belong in the broker's URL"),
        (["--to", "-"], "nothing to do"),
        ([ITEM], "no broker: give --to URL"),
        (["--to", "-", "--peers", "a,b", "--name", "c", ITEM], "this one is --name c"),
        (["--to", "-", "--peers", "c,a,", "--name", "c", ITEM], "--peers has an empty name"),
        (["--to", "-", "--peers", "c,a,a", "--name", "c", ITEM], "--peers names a forwarder twice"),
        (["--to", "-", "--topic", "a/#", ITEM], "--topic"),
        (
            ["--to", "mqtt://broker", "--broker-user", "me", "--broker-password-env", "NO_SUCH", ITEM],
            "NO_SUCH is not set",
        ),
    ],
)
async def test_a_mistake_is_told_before_anything_is_sent(mxgw_py: Run, arguments: list[str], text: str) -> None:
    ran = await mxgw_py("forward", "--plaintext", "--endpoint", "127.0.0.1:1", *arguments)
    assert ran.code == 2
    assert text in ran.err
    assert "s3cret" not in ran.err


@pytest.mark.parametrize(("module", "url", "extra"), [("nats", "nats://a", "nats"), ("paho", "mqtt://a", "mqtt")])
async def test_without_its_extra_one_line_says_so(
    environment: dict[str, str], module: str, url: str, extra: str
) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None; "
        "from zb_mom_ww_mxgateway_cli.__main__ import main; sys.exit(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "forward", "--plaintext", "--endpoint", "127.0.0.1:1", "--to", url, ITEM,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert err.decode().splitlines() == [
        f"mxgw-py: Forwarding to {extra.upper()} needs the extra: "
        f'pip install "zb-mom-ww-mxaccess-gateway-client[{extra}]"'
    ]


async def test_a_profile_names_the_broker_and_its_access_is_for_no_other_one(
    gateway: SimulatedGateway, mxgw_py: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    profiles = tmp_path / "profiles.toml"
    environment["MXGATEWAY_PROFILES"] = str(profiles)
    text = f'[profiles.plant]\nendpoint = "{gateway.endpoint}"\nplaintext = true\nbroker = "mqtt://127.0.0.1:1"\n'
    profiles.write_text(text + 'broker_user = "me"\nbroker_password_env = "NO_SUCH"\n')
    ran = await mxgw_py("forward", "--profile", "plant", ITEM)
    assert (ran.code, "NO_SUCH is not set" in ran.err) == (2, True)
    # Another broker gets nothing of it, so that its password is not missed.
    ran = await mxgw_py("forward", "--profile", "plant", "--to", "-", "--count", "1", ITEM)
    assert ran.code == 0
    profiles.write_text(text.replace("mqtt://", "mqtt://me:s3cret@"))
    ran = await mxgw_py("forward", "--profile", "plant", ITEM)
    assert ran.code == 2
    assert f"{profiles}:4: a user or a password does not belong in the URL" in ran.err
    assert "s3cret@" not in ran.err


def test_a_state_file_is_for_one_forwarder_and_one_gateway(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "f1.state"
    state = StateFile.open(path, "host:1")
    assert state.read() == Saved()
    with pytest.raises(MxGatewayArgumentError, match="another forwarder uses the state file"):
        StateFile.open(path, "host:1")
    position, items = Position("session-1", 7), SessionItems("session-1", 1, {3: "A.B"})
    state.save_items(items)
    state.save(position, ("session-2",))
    assert state.read() == Saved(position, ("session-2",), items)
    state.save(Position("session-2", 1), ())
    # The items of another session name nothing.
    assert state.read() == Saved(Position("session-2", 1))
    state.close()
    with pytest.raises(MxGatewayArgumentError, match="is of the gateway host:1, not of elsewhere:1"):
        StateFile.open(path, "elsewhere:1").read()


def test_a_state_file_touches_no_file_of_a_similar_name(tmp_path: Path) -> None:
    """While it is written, the state of plant.f1 must not be that of plant.f2."""
    other = tmp_path / "plant.tmp"
    other.write_text("mine")
    state = StateFile.open(tmp_path / "plant.f1", "host:1")
    state.save(Position("session-1", 7), ())
    state.close()
    assert other.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plant.f1", "plant.f1.lock", "plant.tmp"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 1}', '{"version": 2, "sequence": 1}', "\x00"])
def test_what_is_no_state_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "f1.state"
    path.write_text(text)
    state = StateFile.open(path, "host:1")
    with pytest.raises(MxGatewayArgumentError, match="is no state file of a forwarder"):
        state.read()
    state.close()
    assert path.read_text() == text


async def test_the_end_never_writes_the_state_file_beside_a_write_that_is_under_way(
    gateway: SimulatedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One would put its content in place of the other's, and the next start would find no state file."""
    is_writing, may_write = threading.Event(), threading.Event()
    under_way, most_at_once = 0, 0
    save_items, save = StateFile.save_items, StateFile.save

    def slow_items(state: StateFile, items: SessionItems) -> None:
        nonlocal under_way
        under_way += 1
        is_writing.set()
        assert may_write.wait(20)
        save_items(state, items)
        under_way -= 1

    def counted_save(state: StateFile, position: Position | None, opened: tuple[str, ...]) -> None:
        nonlocal most_at_once
        most_at_once = max(most_at_once, under_way + 1)
        save(state, position, opened)

    monkeypatch.setattr(StateFile, "save_items", slow_items)
    monkeypatch.setattr(StateFile, "save", counted_save)
    state = StateFile.open(tmp_path / "s", gateway.endpoint)
    is_ended = asyncio.Event()
    async with await GatewayClient.connect(endpoint=gateway.endpoint, api_key=KEY.text, plaintext=True) as client:
        forwarder = Forwarder(
            client, destination_of(("-",), Access()), Topics(DEFAULT, "f", "/"), _printed,
            tags=[ITEM], state=state, buffer=10, most_events=None, news=lambda word, text: None,
        )  # fmt: skip
        running = asyncio.create_task(forwarder.run(None, is_ended))
        await until(is_writing.is_set)
        is_ended.set()
        for _ in range(50):
            await asyncio.sleep(0)  # as many steps as an end that does not wait needs
        may_write.set()
        await asyncio.wait_for(running, 20)
    assert most_at_once == 1
    assert state.read().items is not None
    state.close()


async def _printed(address: Address, on_lost: object) -> PrintedMessages:
    return PrintedMessages(lambda form, text, done: done.set_result(None) if done else None)


async def test_a_restart_with_another_list_takes_and_leaves_tags_in_the_same_session(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    kept = ["--state", str(tmp_path / "f1.state"), "--json", "--count", "1"]
    assert (await mxgw_py(*PRINT, *kept, ITEM)).code == 0
    (session,) = gateway.live_sessions
    other = "TestChildObject.TestDouble"
    ran = await mxgw_py(*PRINT, *kept, other)
    assert ran.code == 0
    (event,) = [line for line in ran.json if line["kind"] == "event"]
    assert (event["tag"], event["session_id"], event["worker_sequence"]) == (other, session, 2)


async def test_a_crash_while_the_list_changes_adds_no_tag_twice(
    gateway: SimulatedGateway, mxgw_py: Run, start: Start, tmp_path: Path
) -> None:
    kept = ["--state", str(tmp_path / "f1.state"), "--json"]
    other = "TestChildObject.TestDouble"
    assert (await mxgw_py(*PRINT, *kept, "--count", "1", ITEM)).code == 0
    process = await start(*PRINT, *kept, ITEM, other)
    await line_of(process, "tag", other)
    process.kill()
    await process.wait()
    await until(lambda: gateway.open_streams == 0)
    process = await start(*PRINT, *kept, ITEM, other)
    await line_of(process, "kind", "start")
    lines: list[dict[str, Any]] = []
    while not any(line.get("value") == 2.5 for line in lines):
        gateway.set(other, 1.5 if not lines else 2.5)
        lines += [await line_of(process, "kind", "event")]
    assert {line["tag"] for line in lines} <= {ITEM, other}


async def test_sessions_that_were_opened_before_a_crash_are_gaps_too(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    """The broker may have events of them that the position does not know yet."""
    path = tmp_path / "f1.state"
    state = StateFile.open(path, gateway.endpoint)
    state.save(Position("session-1", 7), ("session-2", "session-3"))
    state.close()
    ran = await mxgw_py(*PRINT, "--state", str(path), "--json", "--count", "1", ITEM)
    assert ran.code == 0
    gaps = [line for line in ran.json if line["kind"] == "gap"]
    assert [(gap["session_id"], gap["after_sequence"], gap["before_sequence"], gap["lost"]) for gap in gaps] == [
        ("session-1", 7, None, None),
        ("session-2", 0, None, None),
        ("session-3", 0, None, None),
    ]
    state = StateFile.open(path, gateway.endpoint)
    assert state.read().opened == ()
    assert state.read().position == Position(gateway.live_sessions[0], 1)
    state.close()


async def test_a_key_that_is_revoked_ends_it(gateway: SimulatedGateway, start: Start) -> None:
    process = await start(*PRINT, "--json", ITEM)
    await until(lambda: gateway.open_streams)
    gateway.faults.revoke(KEY.key_id)
    gateway.faults.kill_connections()
    ran = await ended(process)
    assert ran.code == 4
    assert ran.json[-1]["error"]["type"] == "MxGatewayAuthenticationError"
