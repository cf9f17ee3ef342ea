"""why, last-error and doctor: what is wrong, in plain words, and what to do."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from shell_lines import SIMULATED, follow, run
from shell_process import KEY, ShellProcess
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError
from zb_mom_ww_mxgateway.status import StatusCategory, StatusSource
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.diagnosis import doctor
from zb_mom_ww_mxgateway_shell.diagnosis.findings import Diagnosis, Verdict
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.profiles import with_key
from zb_mom_ww_mxgateway_sim import (
    ALL_SCOPES,
    Category,
    GatewayKey,
    KeyScope,
    SimulatedGateway,
    Source,
    Status,
    SystemClock,
)
from zb_mom_ww_mxgateway_sim.net.certificate import FILE_NAME, renew


@pytest.fixture
async def connected() -> AsyncIterator[tuple[Context, SimulatedGateway]]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        context.has_screen = True
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
        try:
            yield context, gateway
        finally:
            await context.disconnect()


async def diagnosed(context: Context, line: str) -> Diagnosis:
    result = await run(context, line, follow)
    assert isinstance(result, Diagnosis)
    json.dumps(result.form())
    return result


def verdict_of(diagnosis: Diagnosis, step: str) -> Verdict:
    return next(finding.verdict for finding in diagnosis.findings if finding.step == step)


def text_of(diagnosis: Diagnosis) -> str:
    return "\n".join(diagnosis.lines())


# why: the shell, the session.


async def test_why_without_a_connection_says_to_connect() -> None:
    context = Context(all_commands(), interactive=False)
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert "not connected to a gateway" in text_of(found)
    assert found.deciding.tries == ("connect HOST:PORT", "profiles")


async def test_why_of_a_good_item_finds_nothing_wrong(connected: tuple[Context, SimulatedGateway]) -> None:
    context, gateway = connected
    await run(context, "watch Plant.Tank1.Level", follow)
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert found.healthy
    assert [finding.step for finding in found.findings] == [
        "connection",
        "session",
        "events",
        "item",
        "value",
        "last status",
        "galaxy",
        "writes",
        "alarms",
    ]
    assert "1 on server 1 (mxgw-shell), advised" in text_of(found)
    assert "Double of Plant.Tank1 ($Tank < $UserDefined), historized, last deploy" in text_of(found)
    assert len(gateway.live_sessions) == 1


async def test_why_as_the_first_line_of_a_run_takes_no_stream_that_begins_for_a_broken_one(tmp_path: Path) -> None:
    done = await ShellProcess(tmp_path)("--demo", "--json", "-e", "why TestChildObject.TestInt")
    verdicts = {each["step"]: each["verdict"] for each in done.objects[0]["result"]["findings"]}
    assert verdicts["session"] == "ok"


async def test_why_of_a_lost_session_says_that_and_what_it_was_lost_to(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, gateway = connected
    await run(context, "watch Plant.Tank1.Level", follow)
    gateway.faults.drop_streams(grpc.StatusCode.UNAUTHENTICATED)
    await lives(context, "closed")
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert "no longer accepts the key" in text_of(found)
    assert verdict_of(found, "value") is Verdict.BAD
    assert "stale for" in text_of(found)
    assert "connect" in found.deciding.tries


async def test_why_while_the_session_is_rebuilt_says_to_wait(connected: tuple[Context, SimulatedGateway]) -> None:
    context, gateway = connected
    await run(context, "watch Plant.Tank1.Level", follow)
    gateway.faults.stall("OpenSession")
    gateway.faults.lose_session(context.session.session_id)
    await lives(context, "rebuilding")
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert found.deciding.step == "session"
    assert "another is being opened with the same items" in text_of(found)
    gateway.faults.release()


async def test_a_number_of_lost_events_that_is_unknown_is_shown_as_unknown(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, gateway = connected
    await run(context, "watch Plant.Tank1.Level", follow)
    assert "received, none lost" in text_of(await diagnosed(context, "why Plant.Tank1.Level"))
    assert "0 gaps, 0 lost" in "".join((await run(context, "status", follow)).lines())
    gateway.faults.lose_session(context.session.session_id)
    live = context.live_session
    async with asyncio.timeout(15):
        while not (live.rebuilds and live.state.value == "live"):
            await live.changed()
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert "received, 1 gap, an unknown number lost" in text_of(found)
    assert verdict_of(found, "events") is Verdict.NOTE
    assert "1 gap, an unknown number lost" in "".join((await run(context, "status", follow)).lines())
    gateway.faults.drop_streams()
    for level in (1.0, 2.0):
        gateway.set("Plant.Tank1.Level", level)
    gateway.faults.evict_replay(context.session.session_id)
    gateway.set("Plant.Tank1.Level", 3.0)
    async with asyncio.timeout(15):
        while not live.lost_events:
            await live.changed()
    assert f"2 gaps, at least {live.lost_events} lost" in text_of(await diagnosed(context, "why Plant.Tank1.Level"))


async def test_why_while_the_stream_is_resumed_says_that_values_are_old(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, gateway = connected
    await run(context, "watch Plant.Tank1.Level", follow)
    for _ in range(1000):
        gateway.faults.fail_next("StreamEvents", code=grpc.StatusCode.UNAVAILABLE)
    gateway.faults.drop_streams()
    await lives(context, "stale")
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert "event stream is broken and being resumed" in text_of(found)
    gateway.faults.calm()


async def test_why_of_a_gateway_that_does_not_answer_has_a_deadline(
    connected: tuple[Context, SimulatedGateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, gateway = connected
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.diagnosis.why._PING_SECONDS", 0.2)
    gateway.faults.stall("ping")
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert "the gateway does not answer on this session" in text_of(found)
    gateway.faults.release()


async def lives(context: Context, state: str) -> None:
    live = context.live
    assert live is not None
    async with asyncio.timeout(15):
        while live.state.value != state:
            await live.changed()


# why: the item, the value, the galaxy.


@pytest.mark.parametrize("hours", [-24, 0, 24])
async def test_why_tells_a_deployment_since_by_no_comparison_of_two_clocks(hours: int) -> None:
    class OfTheGateway(SystemClock):
        def now(self) -> int:
            return super().now() + hours * 3_600_000_000_000

    async with SimulatedGateway(plaintext=True, api_keys=(), clock=OfTheGateway()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
        try:
            before = (await diagnosed(context, "why Plant.Tank1.Level")).lines()
            gateway.faults.redeploy()
            after = (await diagnosed(context, "why Plant.Tank1.Level")).lines()
        finally:
            await context.disconnect()
        said = "after this connection was opened"
        assert [said in "\n".join(lines) for lines in (before, after)] == [False, True]


async def test_why_of_a_tag_that_was_never_added_leaves_no_trace(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, _ = connected
    found = await diagnosed(context, "why Plant.Pump1.Running")
    assert "read for this: true, good" in text_of(found)
    assert found.deciding.tries == ("watch Plant.Pump1.Running",)
    assert not context.items
    assert not context.servers


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("Plant.Tank1.Levl", "has no Plant.Tank1.Levl deployed; did you mean Plant.Tank1.Level?"),
        ("Plant.Tank1.Level.HiHi.InAlrm", "did you mean Plant.Tank1.Level.HiHi.InAlarm?"),
        ("Plant.Tank1", "Plant.Tank1 is an object, not a tag: name one of its attributes"),
        ("No.Such.Thing", "the galaxy has no No.Such.Thing deployed"),
        ("TestChildObject.TestIntArray[0]", "[0] is no element: they count from 1 to 10"),
        ("TestChildObject.TestIntArray[11]", "10 elements, so there is no [11]"),
        ("TestChildObject.TestInt[1]", "TestChildObject.TestInt is no array: leave out [1]"),
        ("TestChildObject.TestIntArray[3]", "nothing is wrong with TestChildObject.TestIntArray[3]"),
        ("TestChildObject.TestIntArray", "nothing is wrong with TestChildObject.TestIntArray"),
    ],
)
async def test_why_of_addresses(connected: tuple[Context, SimulatedGateway], tag: str, said: str) -> None:
    context, _ = connected
    assert said in text_of(await diagnosed(context, f"why {tag}"))
    await run(context, f"watch {tag}", follow)
    added = text_of(await diagnosed(context, "why 1"))
    assert said in added
    assert "advised" in added


async def test_why_of_a_tag_beyond_the_key_does_not_say_that_there_is_none() -> None:
    key = GatewayKey("tank1", "c2VjcmV0", subtrees=frozenset({"Plant.Tank1"}))
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(keyed(gateway), "plant", terms=SIMULATED)
        found = await diagnosed(context, "why Plant.Tank2.Level")
        await context.disconnect()
    assert verdict_of(found, "galaxy") is Verdict.UNKNOWN
    assert "does not reach Plant.Tank2" in text_of(found)
    assert "deployed" not in text_of(found)


async def test_why_of_items_that_report_nothing(connected: tuple[Context, SimulatedGateway]) -> None:
    context, _ = connected
    await run(context, "register a", follow)
    await run(context, "add-item TestChildObject.TestInt", follow)
    found = await diagnosed(context, "why TestChildObject.TestInt")
    assert "not advised: MXAccess reports no changes" in text_of(found)
    assert found.deciding.tries[0] == "advise 1"
    await run(context, "watch TestChildObject.TestInt", follow)
    (item,) = context.items
    await context.session.suspend(*item.key)
    found = await diagnosed(context, "why 1")
    assert "it is suspended" in text_of(found)
    assert f"session.activate({item.server_handle}, {item.item_handle})" in text_of(found)


async def test_why_of_an_item_without_a_value_yet() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), first_change_delay=3600) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        await run(context, "register a", follow)
        await run(context, "add-item TestChildObject.TestInt", follow)
        await run(context, "advise 1", follow)
        found = await diagnosed(context, "why 1")
        assert "no data change has come yet" in text_of(found)
        await context.disconnect()


async def test_why_of_a_value_that_comes_and_goes_says_so_in_a_good_moment(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, gateway = connected
    tag = "TestChildObject.TestInt"
    gateway.set(tag, 5, 32)
    await run(context, f"watch {tag}", follow)

    async def became(value: int, quality: int) -> str:
        gateway.set(tag, value, quality)
        latest = context.connected.live.latest
        await until(
            lambda: (now := latest(*context.items[0].key)) is not None and (now.value, now.quality) == (value, quality),
            lambda: f"{value} of quality {quality}",
        )
        found = await diagnosed(context, f"why {tag}")
        return f"{text_of(found)}\n{found.deciding.tries}"

    # A value that is not there yet is no value that goes.
    assert "history" not in await became(6, 192)
    lost = await became(6, 20)
    assert "history      note  not good 1 time in 0." in lost
    assert "; good until 0." in lost
    assert "meaning      the value is bad: the source is lost; this is its last value" in lost
    assert "not good 1 time in 0." in await became(7, 192)
    await became(7, 64)
    back = await became(8, 192)
    assert "not good 2 times in " in back
    assert "the last time uncertain, without a reason; good again for 0." in back
    assert f"meaning      {tag} is good now, but it comes and goes: the last time it was uncertain" in back
    assert f"('history {tag}', 'trend {tag}')" in back


async def test_why_of_a_slow_tag_says_how_long_its_first_value_took() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), first_change_delay=1.1) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        found = await diagnosed(context, "why TestChildObject.TestInt")
        assert re.search(r"first value  note  it took 1\.\d s; later ones come as they change", text_of(found))
        assert found.healthy
        await context.disconnect()


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (8, "not connected to its source"),
        (20, "its last value"),
        (84, "beyond the limits of its engineering units"),
        (216, "overridden locally"),
    ],
)
async def test_why_of_a_value_that_is_not_plainly_good(
    connected: tuple[Context, SimulatedGateway], quality: int, said: str
) -> None:
    context, gateway = connected
    gateway.set("TestChildObject.TestInt", 5, quality)
    await run(context, "watch TestChildObject.TestInt", follow)
    found = await diagnosed(context, "why TestChildObject.TestInt")
    assert said in text_of(found)
    assert found.healthy is (quality >= 192)


async def test_why_says_what_the_last_status_means_and_who_found_it(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, gateway = connected
    failed = Status(Category.COMMUNICATION_ERROR, Source.REQUESTING_NMX, 17)
    gateway.set("TestChildObject.TestInt", None, 24, statuses=[failed])
    await run(context, "watch TestChildObject.TestInt", follow)
    found = await diagnosed(context, "why TestChildObject.TestInt")
    assert "COMMUNICATION_ERROR, detected by REQUESTING_NMX, detail 17" in text_of(found)
    assert "the object's platform does not answer (detected by the messaging of the gateway's machine)" in text_of(
        found
    )


async def test_why_says_who_may_write(connected: tuple[Context, SimulatedGateway]) -> None:
    context, _ = connected
    await run(context, "watch Plant.Tank1.Level Plant.Interlock.Bypass Plant.Tank1.LevelSP", follow)
    assert "ViewOnly: it is read-only" in text_of(await diagnosed(context, "why Plant.Tank1.Level"))
    assert "a secured write only" in text_of(await diagnosed(context, "why Plant.Interlock.Bypass"))
    await run(context, "disarm", follow)
    assert "not now: read-only, by the command disarm" in text_of(await diagnosed(context, "why Plant.Tank1.LevelSP"))


async def test_why_after_a_refused_write_says_why_it_was_refused(connected: tuple[Context, SimulatedGateway]) -> None:
    context, _ = connected
    await run(context, "write Plant.Tank1.Level 5", follow)
    found = await diagnosed(context, "why Plant.Tank1.Level")
    assert "the last write was refused: write access was denied (detected by the object itself)" in text_of(found)


async def test_why_of_an_inhibited_alarm(connected: tuple[Context, SimulatedGateway]) -> None:
    context, gateway = connected
    gateway.set("Plant.Tank1.AlarmInhibit", True)
    await run(context, "watch Plant.Tank1.Level.Hi.InAlarm", follow)
    found = await diagnosed(context, "why Plant.Tank1.Level.Hi.InAlarm")
    assert "alarms of Plant.Tank1 are inhibited: Plant.Tank1.AlarmInhibit is true" in text_of(found)
    assert found.deciding.tries == ("write Plant.Tank1.AlarmInhibit false",)
    assert [item.tag for item in context.items] == ["Plant.Tank1.Level.Hi.InAlarm"]


async def test_why_where_the_gateway_has_no_alarms_and_the_key_sees_no_galaxy() -> None:
    key = GatewayKey("op", "secret", frozenset(ALL_SCOPES) - {KeyScope.METADATA_READ})
    async with SimulatedGateway(plaintext=True, api_keys=(), alarms=False) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        found = await diagnosed(context, "why Plant.Tank1.Level.Hi.InAlarm")
        assert "the gateway serves none" in text_of(found)
        await context.disconnect()
    async with SimulatedGateway(plaintext=True, api_keys=(key,)) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(keyed(gateway), terms=SIMULATED)
        found = await diagnosed(context, "why Plant.Tank1.Level")
        assert verdict_of(found, "galaxy") is Verdict.UNKNOWN
        assert verdict_of(found, "value") is Verdict.OK
        await context.disconnect()


async def test_why_at_the_prompt(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("why Plant.Tank1.Levl", "did you mean Plant.Tank1.Level?", "session      ok")


# last-error.


async def test_last_error_shows_all_that_is_known(connected: tuple[Context, SimulatedGateway]) -> None:
    context, gateway = connected
    result = await run(context, "last-error", follow)
    assert result is not None
    assert result.lines() == ["nothing has gone wrong"]
    gateway.faults.fail_next("write", protocol_status=9, hresult=-2147024809)
    await run(context, f"write TestChildObject.TestInt 5 # {KEY}", follow)
    result = await run(context, "last-error", follow)
    assert result is not None
    shown = "\n".join(result.lines())
    assert "MxAccessError" in shown
    assert "0x80070057 E_INVALIDARG" in shown
    assert "refused by MXAccess" in shown
    assert f"at {gateway.endpoint}" in shown
    assert "correlation  " in shown
    assert "reply        " in shown
    assert KEY not in shown + json.dumps(result.form())
    gateway.faults.lose_next_reply("write")
    await run(context, "write TestChildObject.TestInt 6", follow)
    shown = "\n".join((await run(context, "last-error", follow) or result).lines())
    assert "UNKNOWN: it may have been carried out, or may still happen for up to 75 s; it was not sent again" in shown
    assert "grpc code    UNAVAILABLE" in shown
    with pytest.raises(ShellError):
        await run(context, "write TestChildObject.TestInt abc", follow)
    shown = "\n".join((await run(context, "last-error", follow) or result).lines())
    assert "nothing was sent" in shown


async def test_last_error_of_a_write_refused_at_its_completion_has_the_status() -> None:
    # A key that may not read the galaxy: the shell does not know that the tag takes a secured write only.
    key = GatewayKey("op", "secret", frozenset(ALL_SCOPES) - {KeyScope.METADATA_READ})
    async with SimulatedGateway(plaintext=True, api_keys=(key,)) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(keyed(gateway), "plant", terms=SIMULATED)
        try:
            await run(context, "write Plant.Interlock.Bypass true", follow)
            failure = context.failure
            assert failure is not None
            result = await run(context, "last-error", follow)
        finally:
            await context.disconnect()
    assert result is not None
    shown = "\n".join(result.lines())
    assert StatusCategory.SECURITY_ERROR.name in shown
    assert StatusSource.RESPONDING_AUTOMATION_OBJECT.name in shown
    assert "the attribute takes a secured write only" in shown


async def test_last_error_tells_of_a_session_lost_meanwhile(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.gateway.faults.drop_streams(grpc.StatusCode.UNAUTHENTICATED)
        await sh.terminal.shows("session lost:")
        await sh.terminal.enter("last-error", "grpc code    UNAUTHENTICATED")


# doctor.


def keyed(gateway: SimulatedGateway, **options: object) -> Connection:
    plain = Connection(endpoint=gateway.endpoint, plaintext=gateway.plaintext, **options)  # type: ignore[arg-type]
    return with_key(plain, gateway.api_key)


async def examined(connection: Connection) -> Diagnosis:
    context = Context(all_commands(), interactive=False)
    context.connection = connection
    return await diagnosed(context, "doctor")


async def test_doctor_of_a_good_gateway_trusts_and_keeps_nothing(tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "c") as gateway:
        known = tmp_path / "known"
        found = await examined(keyed(gateway, known_gateways=str(known)))
        assert (found.healthy, found.exit_code) == (True, ExitCode.DONE)
        steps = [finding.step for finding in found.findings]
        assert steps == [
            "name",
            "port",
            "certificate",
            "names",
            "validity",
            "contract",
            "key",
            "session",
            "clock",
            "version",
            "galaxy",
            "alarms",
        ]
        assert verdict_of(found, "clock") is Verdict.OK
        assert "not remembered" in found.findings[2].text
        assert gateway.fingerprint_sha256 in found.findings[2].text
        assert not known.exists()
        assert not gateway.live_sessions


async def test_doctor_says_when_the_certificate_has_changed_and_sends_no_key(tmp_path: Path) -> None:
    known = str(tmp_path / "known")
    async with SimulatedGateway(certificate_directory=tmp_path / "c") as gateway:
        connection = keyed(gateway, known_gateways=known)
        context = Context(all_commands(), interactive=False)
        await context.connect(connection, terms=SIMULATED)
        await context.disconnect()
        assert "as remembered since" in (await examined(connection)).findings[2].text
        await gateway.swap_certificate()
        calls = len(gateway.calls)
        found = await examined(connection)
        assert (found.deciding.step, found.exit_code) == ("certificate", ExitCode.CANNOT_CONNECT)
        assert found.deciding.tries == (f"mxgw-shell trust {gateway.endpoint}",)
        assert found.findings[-1].step in ("certificate", "validity")
        assert len(gateway.calls) == calls


async def test_why_does_not_call_a_connection_good_that_another_certificate_keeps_from_coming_back(
    tmp_path: Path,
) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "c") as gateway:
        context = Context(all_commands(), interactive=True)
        await context.connect(keyed(gateway, known_gateways=str(tmp_path / "known")), terms=SIMULATED)
        await gateway.swap_certificate()
        await until(lambda: "certificate" in str(context.live_session.lost))
        found = await diagnosed(context, "why Plant.Tank1.Level")
        assert verdict_of(found, "connection") is Verdict.NOTE
        assert "not connected now" in text_of(found)
        assert "UNAVAILABLE no connection: the gateway shows a certificate that is not the trusted one (" in text_of(
            found
        )
        with pytest.raises(MxGatewayTransportError):
            await context.disconnect()


@pytest.mark.parametrize(("years", "said"), [(-11, "has expired"), (1, "not valid yet")])
async def test_doctor_judges_the_validity_by_the_clock_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, years: int, said: str
) -> None:
    made = renew(tmp_path, datetime.now(UTC) + timedelta(days=years * 366))
    assert (tmp_path / FILE_NAME).exists()
    monkeypatch.setattr("zb_mom_ww_mxgateway_sim.net.certificate.load_or_renew", lambda directory: made)
    async with SimulatedGateway(certificate_directory=tmp_path) as gateway:
        found = await examined(keyed(gateway, known_gateways=str(tmp_path / "known")))
        assert said in found.deciding.meaning
        assert found.exit_code is ExitCode.CANNOT_CONNECT


class _OtherClock(SystemClock):
    """Of a machine whose time of day is another."""

    def __init__(self, hours: int) -> None:
        self._off = hours * 3_600_000_000_000

    def now(self) -> int:
        return super().now() + self._off


@pytest.mark.parametrize(("hours", "said"), [(2, "ahead of"), (-2, "behind")])
async def test_doctor_says_when_the_clocks_differ(hours: int, said: str) -> None:
    async with SimulatedGateway(plaintext=True, clock=_OtherClock(hours)) as gateway:
        found = await examined(keyed(gateway))
        assert found.exit_code is ExitCode.DONE
        assert verdict_of(found, "clock") is Verdict.NOTE
        (meaning,) = [finding.meaning for finding in found.findings if finding.step == "clock"]
        assert re.fullmatch(rf"the gateway's clock is (1 h 59 m|2 h 00 m) {said} this machine's", meaning)


async def test_doctor_verifies_where_it_has_to(tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "c") as gateway:
        roots = tmp_path / "roots.pem"
        roots.write_text(gateway.certificate_pem or "", encoding="ascii")
        found = await examined(keyed(gateway, ca_file=str(roots)))
        assert found.healthy, found.lines()
        assert verdict_of(found, "verified") is Verdict.OK
        found = await examined(keyed(gateway, require_certificate_validation=True))
        assert (found.deciding.step, found.exit_code) == ("verified", ExitCode.CANNOT_CONNECT)


async def test_doctor_says_which_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = await examined(Connection(endpoint=f"127.0.0.1:{port}", plaintext=True))
        assert (found.deciding.step, found.exit_code) == ("port", ExitCode.CANNOT_CONNECT)
        assert "nothing listens on the port" in found.deciding.meaning
    async with SimulatedGateway(plaintext=True) as gateway:
        found = await examined(Connection(endpoint=gateway.endpoint))
        assert (found.deciding.step, "--plaintext" in found.deciding.meaning) == ("certificate", True)
        monkeypatch.setenv("DOCTOR_KEY", KEY)
        found = await examined(Connection(endpoint=gateway.endpoint, plaintext=True, api_key_env="DOCTOR_KEY"))
        assert (found.deciding.step, found.exit_code) == ("key", ExitCode.CANNOT_CONNECT)
        assert "does not accept the key mxgw_demo_***" in text_of(found)
        found = await examined(Connection(endpoint=gateway.endpoint, plaintext=True, api_key_env="NO_SUCH_KEY"))
        assert "NO_SUCH_KEY is not set" in found.deciding.meaning
        gateway.faults.lose_galaxy()
        found = await examined(keyed(gateway))
        assert (found.deciding.step, found.exit_code) == ("galaxy", ExitCode.REFUSED)
        gateway.faults.restore_galaxy()
        gateway.faults.fail_next("OpenSession", code=grpc.StatusCode.RESOURCE_EXHAUSTED)
        found = await examined(keyed(gateway))
        assert (found.deciding.step, found.exit_code) == ("session", ExitCode.REFUSED)
        assert verdict_of(found, "galaxy") is Verdict.OK
        monkeypatch.setattr("zb_mom_ww_mxgateway_sim.rpc.gateway_service.GATEWAY_PROTOCOL_VERSION", 4)
        found = await examined(keyed(gateway))
        assert (found.deciding.step, found.exit_code) == ("version", ExitCode.REFUSED)
        assert not gateway.live_sessions


async def test_doctor_of_a_key_with_few_scopes_and_no_alarms_notes_what_is_missing() -> None:
    key = GatewayKey("op", "secret", frozenset(ALL_SCOPES) - {KeyScope.METADATA_READ})
    async with SimulatedGateway(plaintext=True, api_keys=(key,), alarms=False) as gateway:
        found = await examined(keyed(gateway))
        assert found.exit_code is ExitCode.DONE
        assert "lacks metadata:read" in text_of(found) + str([f.text for f in found.findings])
        assert verdict_of(found, "alarms") is Verdict.NOTE


async def test_each_step_of_the_doctor_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = dict.fromkeys(doctor.SECONDS, 30.0)
    # Only the step that nobody answers is in a hurry: a busy machine makes the others slow.
    monkeypatch.setattr(doctor, "SECONDS", patient | {"certificate": 0.3})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = await examined(Connection(endpoint=f"127.0.0.1:{silent.getsockname()[1]}"))
        assert (found.deciding.step, "no answer within 0.3 s" in found.deciding.meaning) == ("certificate", True)
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        monkeypatch.setattr(doctor, "SECONDS", patient | {"session": 0.3})
        gateway.faults.delay("OpenSession", 1.0)
        found = await examined(Connection(endpoint=gateway.endpoint, plaintext=True))
        assert (found.deciding.step, "started no worker" in found.deciding.meaning) == ("session", True)
        assert verdict_of(found, "alarms") is Verdict.OK
        assert not gateway.live_sessions
        gateway.faults.delay("OpenSession", 0)
        monkeypatch.setattr(doctor, "SECONDS", patient | {"alarms": 0.3})
        gateway.faults.stall("StreamAlarms")
        found = await examined(Connection(endpoint=gateway.endpoint, plaintext=True))
        assert found.deciding.step == "alarms"
        gateway.faults.release()


async def test_a_name_that_nobody_knows_is_the_step_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = await examined(Connection(endpoint="plantgw:5001"))
    assert (found.deciding.step, found.exit_code) == ("name", ExitCode.CANNOT_CONNECT)


async def test_doctor_runs_before_any_connection_is_open(tmp_path: Path) -> None:
    process = ShellProcess(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        process.environment["MXGATEWAY_ENDPOINT"] = endpoint
        done = await process("-e", "doctor")
        assert (done.code, done.err) == (4, "")
        assert "name         ok" in done.out
        assert "port         BAD" in done.out
        named = await process("--json", "-e", f"doctor {endpoint}")
        assert named.code == 4
        assert named.objects[0]["result"]["healthy"] is False
    del process.environment["MXGATEWAY_ENDPOINT"]
    none = await process("-e", "doctor")
    assert (none.code, "doctor HOST:PORT" in none.err) == (2, True)


async def test_doctor_shows_each_step_at_the_prompt(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("doctor", "name         ok", "alarms       ok", "nothing is wrong with")


# What a gateway does on its own.


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("close_session", "an administrator closed it in the gateway's dashboard"),
        ("kill_worker", "an administrator killed it in the gateway's dashboard"),
    ],
)
async def test_why_and_status_say_that_an_administrator_may_have_ended_the_session(
    connected: tuple[Context, SimulatedGateway], how: str, said: str
) -> None:
    context, gateway = connected
    await run(context, "watch Plant.Tank1.Level", follow)
    gateway.faults.stall("OpenSession")
    getattr(gateway.faults, how)(context.session.session_id)
    await lives(context, "rebuilding")
    assert said in text_of(await diagnosed(context, "why Plant.Tank1.Level"))
    shown = await run(context, "status", follow)
    assert shown is not None
    assert said in "\n".join(shown.lines())
    gateway.faults.release()
    await lives(context, "live")
    assert (await diagnosed(context, "why Plant.Tank1.Level")).healthy


async def test_doctor_says_that_a_galaxy_without_its_database_may_be_a_copy() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        gateway.faults.lose_galaxy()
        await gateway.restart()
        found = await examined(Connection(endpoint=gateway.endpoint, plaintext=True))
    assert verdict_of(found, "galaxy") is Verdict.BAD
    assert "browse and Tab may show a copy" in text_of(found)


async def test_doctor_says_what_is_different_where_alarms_come_from_subtags() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        gateway.faults.fail_alarm_provider()
        found = await examined(Connection(endpoint=gateway.endpoint, plaintext=True))
    (alarms,) = [finding for finding in found.findings if finding.step == "alarms"]
    assert "an acknowledgement that is taken back is not reported" in alarms.meaning
