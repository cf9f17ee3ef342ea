"""Schedules of faults: how they are written, what is wrong with them, and that they come about."""

import logging
from pathlib import Path

import grpc
import pytest
from sim_wire import DEADLINE, Wire, becomes, failing, wire

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import Fault, FaultError, ManualClock, SimulatedGateway, read_faults
from zb_mom_ww_mxgateway_sim.faults.schedule import ACTIONS

TAG, LEVEL = "TestChildObject.TestInt", "Plant.Tank1.Level"


def read(tmp_path: Path, text: str) -> list[Fault]:
    file = tmp_path / "faults.txt"
    file.write_bytes(text.encode())
    return read_faults(file)


def test_a_file_of_faults(tmp_path: Path) -> None:
    faults = read(
        tmp_path,
        "\ufeff# what goes wrong\r\n"
        "\r\n"
        "after 1.5s   drop-stream INTERNAL   # a remark\r\n"
        "every 2min   restart\r\n"
        "  at Write 3 refuse UNAVAILABLE the worker is away\r\n"
        "after 250ms  refuse MX_COMMAND_KIND_PING WORKER_UNAVAILABLE\r\n"
        "after 7      delay opensession 2\r\n",
    )
    assert [(fault.action, fault.after, fault.every, fault.call, fault.number) for fault in faults] == [
        ("drop-stream", 1.5, None, "", None),
        ("restart", None, 120.0, "", None),
        ("refuse", None, None, "write", 3),
        ("refuse", 0.25, None, "ping", None),
        ("delay", 7.0, None, "OpenSession", None),
    ]
    assert [getattr(fault.failure, "details", "") for fault in faults] == [
        "",
        "",
        "the worker is away",
        "made to fail",
        "",
    ]
    assert faults[2].where == f"{tmp_path / 'faults.txt'}:5:14"
    assert faults[4].seconds == 2
    assert read(tmp_path, "") == []


@pytest.mark.parametrize(
    ("line", "place", "complaint"),
    [
        ("soon restart", "1:1", "'soon' is not a time; use after, every or at"),
        ("after", "1:6", "a TIME such as 5s is missing"),
        ("after 5d restart", "1:7", "'5d' is not a time; use 250ms, 5s, 2min, 1h or seconds"),
        ("after -1s restart", "1:7", "'-1s' is not a time"),
        ("every 0s restart", "1:7", "a period of 0 s is too short; use 0.01 s or more"),
        ("after 5s", "1:9", "the fault is missing"),
        ("after 5s restrat", "1:10", "no fault 'restrat'; did you mean restart?"),
        ("after 5s xyzzy", "1:10", "no fault 'xyzzy'; there are delay, refuse"),
        ("after 5s restart now", "1:18", "'now' is one argument too many; restart takes nothing"),
        ("after 5s delay wriet 2s", "1:16", "no rpc or command kind 'wriet'"),
        ("after 5s delay write", "1:21", "a TIME such as 2s is missing"),
        ("at write restart", "1:10", "'restart' is not the number of a call; the first call is 1"),
        ("at write 0 restart", "1:10", "'0' is not the number of a call"),
        ("at write 1 refuse", "1:18", "a STATUS such as UNAVAILABLE or WORKER_UNAVAILABLE is missing"),
        (
            "at write 1 refuse SOMEHOW",
            "1:19",
            "'SOMEHOW' is neither the gRPC status of a failure nor a protocol status",
        ),
        ("at write 1 refuse OK", "1:19", "'OK' is neither"),
        ("at BrowseChildren 1 refuse TIMEOUT", "1:28", "the reply of BrowseChildren has no protocol status"),
        ("after 1 drop-stream NO_SUCH", "1:21", "'NO_SUCH' is not the gRPC status of a failure"),
        ("\n# fine\nafter 1 restart\n  after x restart", "4:9", "'x' is not a time"),
        ("after 1 set", "1:12", "a TAG is missing"),
        ("after 1 set A.B", "1:16", "a VALUE is missing"),
        ("after 1 set A.B two words", "1:21", "'words' is not a quality; use good, uncertain, bad or a number"),
        ('after 1 set A.B "open', "1:17", '"open has no closing quote'),
        ("after 1 set A.B 1 bad 2", "1:23", "'2' is one argument too many; set takes TAG VALUE [QUALITY]"),
        ("after 1 raise Tank1.Hi", "1:15", "'Tank1.Hi' is not an alarm; use Galaxy!Area.Object.Alarm"),
        ("after 1 raise ZB!A.B.C 1000", "1:24", "'1000' is not a severity; use 1 to 999"),
        ("after 1 clear", "1:14", "an ALARM such as ZB!Plant.Tank1.Level.Hi is missing"),
        ("after 1 refuse-writes A.*", "1:26", "a STATUS such as SECURITY_ERROR is missing"),
        ("after 1 refuse-writes A.* OK", "1:27", "'OK' is not the status of a refused write; there are COMM"),
    ],
)
def test_a_mistake_is_one_line_that_points_at_it(tmp_path: Path, line: str, place: str, complaint: str) -> None:
    with pytest.raises(FaultError) as caught:
        read(tmp_path, line)
    assert str(caught.value).startswith(f"{tmp_path / 'faults.txt'}:{place}: {complaint}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="No such file"):
        read_faults(tmp_path / "none")
    (tmp_path / "latin").write_bytes(b"\xe4")
    with pytest.raises(FaultError, match="UTF-8"):
        read_faults(tmp_path / "latin")
    with pytest.raises(FaultError, match="no fault"):
        Fault.parse("# nothing")


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("after 5s swap-certificate", "a plaintext gateway has no certificate"),
        ("after 5s revoke-key nobody", "there is no API key nobody"),
        ("after 5s fail-alarm-provider", "alarms are disabled"),
        ("after 5s nonsense", "^'after 5s nonsense':10: no fault 'nonsense'"),
        ("after 5s raise ZB!Plant.Tank1.Level.Hi", "alarms are disabled"),
        ("after 5s set Plant.Tank1.Levle 5", "14: there is no tag Plant.Tank1.Levle; did you mean Plant.Tank1.Level?"),
        ("after 5s set Plnt.Tank1.Level 5", "14: there is no tag Plnt.Tank1.Level; did you mean Plant.Tank1.Level?"),
        ("after 5s set Plant.Tank1.Level full", "32: 'full' is not a number; use a value of the tag's type"),
        ("after 5s unset Plant.Tank1", "16: there is no tag Plant.Tank1"),
        ("after 5s refuse-writes Plant.Tonk* OTHER_ERROR", "24: there is no tag Plant.Tonk"),
        ("after 5s allow-writes Plant.Tonk*", "23: there is no tag Plant.Tonk"),
    ],
)
def test_what_this_gateway_can_never_do_is_refused_beforehand(fault: str, complaint: str) -> None:
    with pytest.raises(FaultError, match=complaint):
        SimulatedGateway(plaintext=True, alarms=False, faults=[fault])


async def test_times_count_from_the_start_or_from_when_it_is_scheduled(clock: ManualClock) -> None:
    gateway = SimulatedGateway(plaintext=True, clock=clock, faults=["after 5s redeploy", "every 2s redeploy"])
    await clock.advance(100)
    async with gateway:
        deployed = gateway._plant.deployment
        await clock.advance(4.9)
        assert deployed.sequence == 3
        await clock.advance(0.2)
        assert deployed.sequence == 4
        gateway.schedule("after 1s redeploy")
        await clock.advance(1.1)
        assert deployed.sequence == 6


async def test_the_nth_call_meets_its_fault_and_no_other(clock: ManualClock) -> None:
    faults = [
        "at ping 2 refuse UNAVAILABLE gone for a moment",
        "at ping 3 refuse WORKER_UNAVAILABLE",
        "at ping 4 delay 3s",
        "at ping 5 lose-reply",
        "at ping 6 garbage-reply",
        "at ping 7 oversized-reply",
        "at ping 8 stall",
        "at TestConnection 1 refuse ABORTED",
    ]
    async with SimulatedGateway(plaintext=True, clock=clock, faults=faults) as gateway, wire(gateway) as client:
        await client.open()
        await client.done("ping")
        assert await failing(client.invoke("ping")) == (grpc.StatusCode.UNAVAILABLE, "gone for a moment")
        reply = await client.invoke("ping")
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE
        slow = client.calling("ping")
        await becomes(lambda: len(gateway.calls) == 5)
        await clock.advance(2.9)
        assert not slow.done()
        await clock.advance(0.2)
        await slow
        assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.UNAVAILABLE
        # No message, and grpc.aio does not say why.
        assert await client.invoke("ping") is None
        assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        stalled = client.calling("ping")
        await becomes(lambda: len(gateway.calls) == 9)
        await clock.advance(10)
        assert not stalled.done()
        gateway.faults.release("ping")
        await stalled
        await client.done("ping")
        for expected in (grpc.StatusCode.ABORTED, grpc.StatusCode.OK):
            call = client.galaxy.TestConnection(galaxy.TestConnectionRequest(), metadata=client.metadata)
            assert await call.code() is expected


async def test_timed_faults_of_calls_befall_the_next_or_every_later_one(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.schedule("after 1s refuse ping ABORTED", "after 2s delay ping 5s", "after 20s delay ping 0")
    await client.done("ping")
    await clock.advance(1)
    assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.ABORTED
    await client.done("ping")
    await clock.advance(1)
    slow = client.calling("ping")
    await becomes(lambda: len(gateway.calls) == 5)
    await clock.advance(4.9)
    assert not slow.done()
    await clock.advance(0.2)
    await slow
    await clock.advance(15)
    await client.done("ping")
    gateway.schedule("after 1s stall ping", "after 5s release ping")
    await clock.advance(1)
    slow = client.calling("ping")
    await becomes(lambda: len(gateway.calls) == 7)
    await clock.advance(3.5)
    assert not slow.done()
    await clock.advance(1)
    await slow


async def _ended(client: Wire, gateway: SimulatedGateway, clock: ManualClock, line: str) -> grpc.StatusCode:
    """How a session's stream ends when the fault comes about."""
    events, _, _ = await client.watching(TAG)
    gateway.schedule(line)
    await clock.advance(1)
    return (await events.end())[0]


STREAM_ENDERS = {
    "after 1s drop-stream": grpc.StatusCode.UNAVAILABLE,
    "after 1s drop-stream INTERNAL": grpc.StatusCode.INTERNAL,
    "after 1s kill-connection": grpc.StatusCode.UNAVAILABLE,
    "after 1s lose-session": grpc.StatusCode.UNAVAILABLE,
    "after 1s fault-session": grpc.StatusCode.FAILED_PRECONDITION,
    "after 1s restart": grpc.StatusCode.UNAVAILABLE,
    "after 1s overflow": grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@pytest.mark.parametrize(("line", "code"), STREAM_ENDERS.items())
async def test_what_ends_a_stream(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, line: str, code: grpc.StatusCode
) -> None:
    assert await _ended(client, gateway, clock, line) is code


async def test_garbage_ends_a_stream(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    assert await _ended(client, gateway, clock, "after 1s garbage") is not grpc.StatusCode.OK


async def test_a_call_can_be_what_brings_a_fault_about(client: Wire, gateway: SimulatedGateway) -> None:
    events, item, _ = await client.watching(TAG)
    gateway.schedule("at write 2 kill-connection")
    await client.write(1, item, int32_value=1)
    fields = {"server_handle": 1, "item_handle": item, "value": pb.MxValue(int32_value=2)}
    assert (await failing(client.invoke("write", **fields)))[0] is grpc.StatusCode.UNAVAILABLE
    assert (await events.end())[0] is grpc.StatusCode.UNAVAILABLE


async def test_calm_withdraws_what_waits_for_calls(client: Wire, gateway: SimulatedGateway) -> None:
    gateway.schedule("at ping 1 refuse ABORTED")
    gateway.faults.fail_next("ping", code=grpc.StatusCode.ABORTED)
    gateway.faults.delay("ping", 5)
    gateway.faults.stall("OpenSession")
    gateway.faults.calm()
    await client.open()
    await client.done("ping")


async def test_a_swapped_certificate_and_a_revoked_key_by_schedule(tmp_path: Path, clock: ManualClock) -> None:
    faults = ["after 1s swap-certificate", "after 2s revoke-key", "after 3s revoke-key demo"]
    async with SimulatedGateway(certificate_directory=tmp_path, clock=clock, faults=faults) as gateway:
        before = gateway.fingerprint_sha256
        await clock.advance(1)
        assert gateway.fingerprint_sha256 != before
        # It takes the real time of a server's start.
        async with wire(gateway) as client:
            request = pb.OpenSessionRequest()
            await client.stub.OpenSession(request, metadata=client.metadata, wait_for_ready=True, timeout=DEADLINE)
            await clock.advance(1)
            assert (await failing(client.open()))[0] is grpc.StatusCode.UNAUTHENTICATED
        # What cannot be any more does not stop the plant.
        await clock.advance(1)
        level = gateway.read("Plant.Tank1.Level").value
        await clock.advance(1)
        assert gateway.read("Plant.Tank1.Level").value != level


async def test_a_scheduled_fault_that_fails_is_logged(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    faults = ["after 1s revoke-key", "after 1s revoke-key"]
    async with SimulatedGateway(plaintext=True, clock=clock, faults=faults):
        with caplog.at_level(logging.WARNING):
            await clock.advance(1)
    assert [record.getMessage() for record in caplog.records] == ["fault revoke-key failed: 'demo'"]


async def test_replay_completions_and_alarms_by_schedule(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, _ = await client.watching(TAG)
    gateway.schedule("after 1s hold-write-completes", "after 2s release-write-completes", "after 3s evict-replay")
    gateway.schedule("after 4s fail-alarm-provider no answer", "after 5s restore-alarm-provider")
    await clock.advance(1)
    await client.write(1, item, int32_value=1)
    await clock.advance(0.5)
    assert (await events.next()).WhichOneof("body") == "on_data_change"
    await clock.advance(0.5)
    assert (await events.next()).WhichOneof("body") == "on_write_complete"
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    await clock.advance(1)
    assert (await client.stream(after=1).next()).HasField("replay_gap")
    await clock.advance(1)
    assert gateway._plant.alarm_book().provider.reason == "no answer"
    await clock.advance(1)
    assert not gateway._plant.alarm_book().provider.degraded


async def test_tags_and_alarms_by_schedule(clock: ManualClock) -> None:
    faults = [
        "after 1s set plant.tank1.level 97.5 bad",
        'after 1s set Packaging.Line1.Product "Standard #2, ""large"""   # in quotes',
        "after 1s set TestChildObject.TestIntArray 1|2|3",
        "after 2s set TestChildObject.TestDouble -1.5 uncertain",
        "after 3s raise ZB!Packaging.Line1.Jam 900",
        "after 3s raise ZB!Plant.Tank2.Level.Lo",
        "after 4s clear ZB!Packaging.Line1.Jam",
    ]
    async with SimulatedGateway(plaintext=True, clock=clock, faults=faults) as gateway:
        await clock.advance(2)
        readings = [gateway.read(tag) for tag in (LEVEL, "Packaging.Line1.Product", "TestChildObject.TestDouble")]
        assert [(each.value, each.quality) for each in readings] == [
            (97.5, 0),
            ('Standard #2, "large"', 192),
            (-1.5, 64),
        ]
        assert gateway.read("TestChildObject.TestIntArray").value == (1, 2, 3)
        await clock.advance(1)
        found = {alarm.reference: (alarm.severity, alarm.active) for alarm in gateway.alarms}
        assert found["ZB!Packaging.Line1.Jam"] == (900, True)
        assert found["ZB!Plant.Tank2.Level.Lo"] == (300, True)
        await clock.advance(1)
        assert {alarm.reference: alarm.active for alarm in gateway.alarms}["ZB!Packaging.Line1.Jam"] is False


async def test_a_set_tag_moves_again_once_it_is_unset(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    gateway.schedule("at ping 2 set Plant.FT1.PV 5 bad", "after 3s unset Plant.FT1.PV")
    await client.open()
    await client.done("ping")
    before = gateway.read("Plant.FT1.PV").value
    await client.done("ping")
    await clock.advance(2.5)
    assert before != 5.0
    assert (gateway.read("Plant.FT1.PV").value, gateway.read("Plant.FT1.PV").quality) == (5.0, 0)
    await clock.advance(2.5)
    assert gateway.read("Plant.FT1.PV").value > 20  # type: ignore[operator] # It is a number.
    assert gateway.read("Plant.FT1.PV").quality == 192
    with pytest.raises(KeyError):
        gateway.unset("No.Tag")


def test_the_severity_of_a_tags_alarm_is_a_tag() -> None:
    with pytest.raises(FaultError, match=r":40: set Plant\.Tank1\.Level\.Hi\.Priority"):
        SimulatedGateway(plaintext=True, faults=["after 5s raise ZB!Plant.Tank1.Level.Hi 900"])


async def test_refused_writes_complete_with_their_status(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, _ = await client.watching(TAG)
    gateway.schedule(
        "after 1s refuse-writes testchild* SECURITY_ERROR locked by maintenance",
        "after 2s allow-writes TestChildObject.TestInt",
        "after 3s refuse-writes * OTHER_ERROR",
        "after 4s allow-writes",
    )

    async def written(value: int) -> pb.MxStatusProxy:
        await clock.advance(1)
        await client.write(1, item, int32_value=value)
        await clock.advance(0.1)
        (found,) = (await events.write_complete()).statuses
        return found

    assert (await written(1)).category == pb.MX_STATUS_CATEGORY_SECURITY_ERROR
    assert gateway.writes == ()
    assert (await written(2)).category == pb.MX_STATUS_CATEGORY_OK
    assert (await written(3)).category == pb.MX_STATUS_CATEGORY_OTHER_ERROR
    assert (await written(4)).category == pb.MX_STATUS_CATEGORY_OK
    assert [write.value for write in gateway.writes] == [2, 4]


def test_the_help_shows_every_fault() -> None:
    from zb_mom_ww_mxgateway_sim.__main__ import FAULT_FILE

    assert {action for action in ACTIONS if f" {action}" not in FAULT_FILE} == set()
