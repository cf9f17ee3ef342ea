"""changes, undo, keep, revert and write --for: what a session changed, and how it is put back."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shell_lines import SIMULATED, follow, run
from shell_process import ARMED
from shell_waiting import until

from zb_mom_ww_mxgateway import MxGatewayWriteBlockedError, Session, Typed
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.values import UnseenWrite
from zb_mom_ww_mxgateway.safety.arming import ArmingRules
from zb_mom_ww_mxgateway.safety.changes import SentValue
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile
from zb_mom_ww_mxgateway.safety.revert_files import RevertFolder, RevertRecord
from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertStage
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.system.state_dir import state_folder
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.results import Table, TextResult
from zb_mom_ww_mxgateway_shell.output.revert_text import not_put_back_text
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.plant_changes import left_lines
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition

INT, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestDouble"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as made:
        yield made


@pytest.fixture
def told() -> list[str]:
    """What the shell told by itself."""
    return []


Contexts = Callable[[], Awaitable[Context]]


@pytest.fixture
async def open_context(gateway: SimulatedGateway, told: list[str]) -> AsyncIterator[Contexts]:
    """Opens another shell on the gateway."""
    made: list[Context] = []

    async def open_one() -> Context:
        context = Context(all_commands(), interactive=False)
        context.set_outputs(lambda text: None, told.append)
        made.append(context)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant")
        context.connected.arming.arm(ARMED)
        return context

    yield open_one
    for context in made:
        await context.disconnect()


@pytest.fixture
async def context(open_context: Contexts) -> Context:
    return await open_context()


async def text_of(context: Context, line: str) -> str:
    result = await run(context, line, follow)
    assert result is not None
    return "\n".join(result.lines())


async def rows_of(context: Context) -> list[dict[str, object]]:
    result = await run(context, "changes", follow)
    assert isinstance(result, Table)
    return list(result.records)


async def result_of(context: Context, line: str) -> TextResult:
    result = await run(context, line, follow)
    assert isinstance(result, TextResult)
    return result


def refuse_next(gateway: SimulatedGateway) -> None:
    gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE)


def files() -> list[Path]:
    return sorted((state_folder() / "reverts").glob("*.json"))


async def shows(context: Context, tag: str, value: object) -> None:
    """Waits until the shell has seen a value."""
    live = context.live_session
    await until(lambda: live[tag].value == value)


async def test_changes_lists_what_is_not_put_back_with_who_and_now(context: Context, gateway: SimulatedGateway) -> None:
    assert await text_of(context, "changes") == "nothing is left changed by this session"
    await text_of(context, f"write {INT} 5")
    await text_of(context, f"write {INT} 6")
    await text_of(context, f"write {DOUBLE} 1.5")
    newest, oldest = await rows_of(context)
    assert (newest["number"], newest["tag"], newest["standing"], newest["certain"]) == (2, DOUBLE, "ours", True)
    assert {name: oldest[name] for name in ("number", "tag", "before", "ours", "now", "quality_word")} == {
        "number": 1,
        "tag": INT,
        "before": 0,
        "ours": [6],
        "now": 6,
        "quality_word": "good",
    }
    assert oldest["who"]
    gateway.set(INT, 9)
    await shows(context, INT, 9)
    assert (await rows_of(context))[1]["standing"] == "another"
    assert "somebody else changed it since" in await text_of(context, "changes")


async def test_undo_puts_the_first_value_back_of_the_newest_or_of_a_number(
    context: Context, gateway: SimulatedGateway
) -> None:
    await text_of(context, f"write {INT} 5")
    await text_of(context, f"write {INT} 6")
    await text_of(context, f"write {DOUBLE} 1.5")
    assert "6 → 0" in await text_of(context, "undo 1")
    assert gateway.read(INT).value == 0
    result = await result_of(context, "undo")
    assert (result.value, result.form()["tag"]) == ("completed", DOUBLE)
    assert await text_of(context, "changes") == "nothing is left changed by this session"
    assert await text_of(context, "undo") == "nothing is left changed by this session"
    with pytest.raises(ShellError, match="no change 7: nothing is left changed") as raised:
        await run(context, "undo 7", follow)
    assert raised.value.exit_code is ExitCode.USAGE


async def test_undo_does_not_overwrite_the_value_of_somebody_else(context: Context, gateway: SimulatedGateway) -> None:
    await text_of(context, f"write {INT} 5")
    gateway.set(INT, 9)
    await shows(context, INT, 9)
    context.assume_yes = True
    with pytest.raises(ShellError, match="was 0, ours is 5, and it is 9 now: somebody else changed it") as raised:
        await run(context, "undo", follow)
    assert raised.value.exit_code is ExitCode.GUARDED
    questions: list[str] = []

    async def answer(question: str) -> bool:
        questions.append(question)
        return len(questions) > 1

    context.ask = answer
    with pytest.raises(ShellError, match="not confirmed; nothing was sent"):
        await run(context, "undo", follow)
    assert gateway.read(INT).value == 9
    await run(context, "undo", follow)
    assert gateway.read(INT).value == 0
    assert questions[0].endswith("Write 0 all the same?")


async def test_undo_does_not_overwrite_what_comes_while_a_person_thinks(
    context: Context, gateway: SimulatedGateway
) -> None:
    await text_of(context, f"write {INT} 5")
    gateway.set(INT, 9)
    await shows(context, INT, 9)

    async def answer(question: str) -> bool:
        gateway.set(INT, 10)
        await shows(context, INT, 10)
        return True

    context.ask = answer
    with pytest.raises(MxGatewayWriteBlockedError, match="10 now, not 9 as expected"):
        await run(context, "undo", follow)
    assert gateway.read(INT).value == 10


async def test_undo_asks_where_somebody_else_wrote_in_between(context: Context, gateway: SimulatedGateway) -> None:
    await text_of(context, f"write {INT} 5")
    gateway.set(INT, 9)
    await shows(context, INT, 9)
    await text_of(context, f"write {INT} 6")
    with pytest.raises(ShellError, match="somebody else made it 9 in between"):
        await run(context, "undo", follow)
    assert gateway.read(INT).value == 6


async def test_a_tag_that_somebody_put_back_is_no_longer_changed(context: Context, gateway: SimulatedGateway) -> None:
    await text_of(context, f"write {INT} 5")
    gateway.set(INT, 0)
    await shows(context, INT, 0)
    assert "is 0 again already, as before: nothing was sent" in await text_of(context, "undo")
    assert len(gateway.writes) == 1
    assert await rows_of(context) == []


async def test_a_refused_write_is_no_change(context: Context, gateway: SimulatedGateway) -> None:
    refuse_next(gateway)
    result = await result_of(context, f"write {INT} 5")
    assert result.exit_code is ExitCode.REFUSED
    assert await rows_of(context) == []


async def test_a_lost_reply_may_have_changed_the_tag_and_undo_asks(context: Context, gateway: SimulatedGateway) -> None:
    gateway.faults.lose_next_reply("write")
    await run(context, f"write {INT} 5", follow)
    (row,) = await rows_of(context)
    assert (row["certain"], row["standing"]) == (False, "ours")
    assert float(str(row["may_still_happen_seconds"])) > 60
    await run(context, "undo", follow)
    assert gateway.read(INT).value == 0
    # The lost one may still be carried out.
    assert len(await rows_of(context)) == 1


async def test_an_array_and_texts_are_put_back_as_they_were() -> None:
    tags = [
        TagDefinition("A.Texts", NativeType.STRING, ("x", "y z"), is_array=True),
        TagDefinition("A.Text", NativeType.STRING, "a b"),
    ]
    async with SimulatedGateway(plaintext=True, api_keys=(), tags=tags, write_complete_delay=0) as gateway:
        context = Context(all_commands(), interactive=False)
        context.assume_yes = True
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
        try:
            await text_of(context, 'write A.Texts ["p", "q"]')
            await text_of(context, 'write A.Text "c d"')
            await text_of(context, 'write-elements A.Texts 3 1="r"')
            for _ in range(2):
                await text_of(context, "undo")
            assert gateway.read("A.Texts").value == ("x", "y z")
            assert gateway.read("A.Text").value == "a b"
        finally:
            await context.disconnect()


async def test_a_write_through_python_is_a_change_too(context: Context) -> None:
    await text_of(context, f"read {INT}")
    session: Session = context.session
    server = await session.register("other")
    handle = await session.add_item(server, INT)
    await session.advise(server, handle)
    await context.live_session.first_value(context.live_session.session.handles.items[server, handle])
    await session.write(server, handle, 8)
    (row,) = await rows_of(context)
    assert (row["tag"], row["ours"]) == (INT, [8])


# Timed writes.


async def test_a_timed_write_says_when_it_is_put_back_and_changes_lists_it(
    context: Context, gateway: SimulatedGateway, told: list[str]
) -> None:
    machine = clock.SimulatedSleep()
    with clock.replaced(machine):
        result = await result_of(context, f"write {INT} 5 --for 10m")
        assert "; put back at " in result.text
        assert result.form()["reverts_at"]
        (row,) = await rows_of(context)
        assert (row["revert"], row["reverts_at"]) == ("pending", result.form()["reverts_at"])
        assert "reverts in 9:5" in await text_of(context, "changes")
        assert len(files()) == 1
        machine.sleep(600)
        await until(lambda: gateway.read(INT).value == 0)
        await until(lambda: files() == [] and f"{INT} is put back to 0" in told)
    assert f"this machine slept for 600 s: the time of {INT} is over, and it is put back to 0 now" in told
    assert await rows_of(context) == []


async def test_keep_ends_a_timed_write_and_its_value_stays_a_change(context: Context) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    await text_of(context, f"write {DOUBLE} 1.5 --for 10m")
    assert await text_of(context, f"keep {INT.lower()}") == f"kept: {INT} (it was 0)"
    assert len(files()) == 1
    assert await text_of(context, "keep") == f"kept: {DOUBLE} (it was 0.0)"
    assert await text_of(context, "keep") == "no timed write is pending"
    assert files() == []
    assert [(row["tag"], row["revert"]) for row in await rows_of(context)] == [(DOUBLE, None), (INT, None)]
    with pytest.raises(ShellError, match=f"{INT} has no timed write: no timed write is pending"):
        await run(context, f"keep {INT}", follow)


async def test_revert_puts_a_timed_write_back_now(context: Context, gateway: SimulatedGateway) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    result = await result_of(context, "revert")
    assert (result.text, result.exit_code) == (f"{INT} is put back to 0", ExitCode.DONE)
    assert (gateway.read(INT).value, files()) == (0, [])
    assert await text_of(context, "revert") == "no timed write is pending"


async def test_revert_without_a_person_leaves_the_value_of_somebody_else(
    context: Context, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    gateway.set(INT, 9)
    await shows(context, INT, 9)
    result = await result_of(context, "revert")
    assert result.exit_code is ExitCode.GUARDED
    assert f"it was 0, ours is 5, and it is 9 now; revert {INT} puts it back, keep {INT} leaves it" in result.text
    assert (gateway.read(INT).value, len(files())) == (9, 1)

    reverts, began, looking = context.connected.changes.reverts, asyncio.Event(), list[asyncio.Task[None]]()
    find = reverts._present

    async def found(revert: Revert) -> object:
        began.set()
        return await find(revert)

    async def answer(question: str) -> bool:
        # A look at what is due begins before the answer: it finds the same, and asks once more.
        (revert,) = reverts.pending.all
        revert.stop(RevertStage.PENDING, "")
        revert.hurry()
        monkeypatch.setattr(reverts, "_present", found)
        looking.append(asyncio.create_task(reverts.look()))
        await began.wait()
        return "Write 0 all the same?" in question

    context.ask = answer
    assert (await result_of(context, f"revert {INT}")).exit_code is ExitCode.DONE
    assert (gateway.read(INT).value, files()) == (0, [])
    await asyncio.gather(*looking)


async def test_undo_ends_a_timed_write(context: Context, gateway: SimulatedGateway) -> None:
    await text_of(context, f"write {INT} 4")
    await text_of(context, f"write {INT} 5 --for 10m")
    await text_of(context, "undo")
    assert (gateway.read(INT).value, files()) == (0, [])
    assert await rows_of(context) == []


async def test_undo_that_is_refused_leaves_the_timed_write_as_it_was(
    context: Context, gateway: SimulatedGateway
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    await text_of(context, "disarm")
    with pytest.raises(MxGatewayWriteBlockedError):
        await run(context, "undo", follow)
    assert [row["revert"] for row in await rows_of(context)] == ["pending"]


async def test_undo_that_is_interrupted_before_it_is_sent_leaves_the_timed_write_as_it_was(
    context: Context, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    looks_up = asyncio.Event()

    async def never(tags: object, *, for_a_person: bool) -> None:
        looks_up.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(context.connected.desk.rules, "facts_of", never)
    undoing = asyncio.ensure_future(run(context, "undo", follow))
    await looks_up.wait()
    undoing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await undoing
    assert [row["revert"] for row in await rows_of(context)] == ["pending"]
    assert gateway.read(INT).value == 5


async def test_a_disarmed_session_still_puts_back_its_own_value(context: Context, gateway: SimulatedGateway) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    await text_of(context, "disarm")
    assert (await result_of(context, "revert")).exit_code is ExitCode.DONE
    assert gateway.read(INT).value == 0
    with pytest.raises(MxGatewayWriteBlockedError):
        await run(context, f"write {INT} 6", follow)


async def test_a_refused_timed_write_leaves_nothing(context: Context, gateway: SimulatedGateway) -> None:
    refuse_next(gateway)
    result = await result_of(context, f"write {INT} 5 --for 10m")
    assert (result.exit_code, result.form()["reverts_at"]) == (ExitCode.REFUSED, None)
    assert files() == []
    assert await rows_of(context) == []


async def test_leaving_puts_back_and_says_so(context: Context, gateway: SimulatedGateway, told: list[str]) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    await run(context, "disconnect", follow)
    assert gateway.read(INT).value == 0
    assert told[:2] == ["1 timed write of plant put back now, before it is closed", f"plant: {INT} is put back to 0"]
    assert not context.departure.not_put_back
    assert files() == []


async def test_a_terminal_that_is_gone_does_not_keep_a_value_from_being_put_back(
    context: Context, gateway: SimulatedGateway
) -> None:
    def gone(text: str) -> None:
        raise OSError(5, "Input/output error")

    await text_of(context, f"write {INT} 5 --for 1s")
    context.alert = gone
    await until(lambda: gateway.read(INT).value == 0)
    await until(lambda: files() == [])
    await text_of(context, f"write {DOUBLE} 1.5 --for 10m")
    await context.departure.leave(context.connected)
    context.alert = lambda text: None
    assert (gateway.read(DOUBLE).value, files()) == (0.0, [])


async def test_what_cannot_be_put_back_is_told_and_offered_at_the_next_start(
    context: Context, gateway: SimulatedGateway, told: list[str], open_context: Contexts
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    gateway.set(INT, 9)
    await shows(context, INT, 9)
    await run(context, "disconnect", follow)
    assert context.departure.not_put_back
    assert (
        f"{INT} is NOT put back to 0: its value is not ours (5); the next start at this gateway offers it again" in told
    )
    assert len(files()) == 1
    told.clear()
    later = await open_context()
    (offer,) = told
    assert offer.startswith(f"a write of 5 to {INT} by ")
    assert offer.endswith(f"its session ended before: revert {INT} puts it back, keep {INT} leaves it")
    (row,) = await rows_of(later)
    assert (row["left_behind"], row["tag"], row["before"], row["ours"]) == (True, INT, 0, [5])
    assert await text_of(later, f"keep {INT}") == f"kept: {INT} (it was 0)"
    assert (gateway.read(INT).value, files()) == (9, [])


def test_what_is_put_back_while_an_earlier_write_may_still_happen_is_told_as_that() -> None:
    revert = Revert("key", INT, Typed("int32", 0), "anna", datetime.now(UTC))
    revert.begin(5, 600).state = "completed"
    revert.note(SentValue(6, clock.monotonic(), "unknown"))
    revert.make()
    revert.made("completed", "OK, detected by RESPONDING_LMX, detail 0")
    text = not_put_back_text(revert)
    assert text.startswith(f"{INT} is put back to 0; a write of 6 may still happen for ")
    assert "OK" not in text


async def test_two_shells_do_not_offer_each_others_timed_writes(
    context: Context, told: list[str], open_context: Contexts
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    other = await open_context()
    assert told == []
    assert await rows_of(other) == []
    with pytest.raises(ShellError, match="has no timed write"):
        await run(other, f"keep {INT}", follow)
    assert len(files()) == 1


async def test_a_damaged_file_is_told_kept_and_never_carried_out(
    gateway: SimulatedGateway, told: list[str], open_context: Contexts
) -> None:
    folder = state_folder() / "reverts"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "20261002T081400-0.json").write_text('{"due": "soon", "format": 1}')
    context = await open_context()
    (text,) = told
    assert "cannot be read" in text
    assert "Nothing is done for it" in text
    assert await text_of(context, "revert") == "no timed write is pending"
    assert len(files()) == 1
    assert gateway.writes == ()


async def test_a_timed_write_is_refused_where_it_cannot_be_noted(context: Context, gateway: SimulatedGateway) -> None:
    state_folder().mkdir(parents=True, exist_ok=True)
    (state_folder() / "reverts").write_text("a file where the folder should be")
    with pytest.raises(MxGatewayWriteBlockedError, match=r"its revert cannot be noted: .*; nothing was sent"):
        await run(context, f"write {INT} 5 --for 10m", follow)
    assert gateway.writes == ()


async def test_the_session_that_takes_the_place_of_a_lost_one_puts_back(
    context: Context, gateway: SimulatedGateway
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    session = context.session.session_id
    gateway.faults.lose_session(session)
    live = context.live_session
    await until(lambda: live.rebuilds == 1 and live.state.value == "live")
    assert (await result_of(context, "revert")).exit_code is ExitCode.DONE
    assert gateway.read(INT).value == 0


async def test_a_record_that_was_left_behind_is_read_as_it_was_written(context: Context) -> None:
    await text_of(context, f"write {DOUBLE} 1.5 --for 10m")
    changes = context.connected.changes
    await changes.aclose()
    (record,) = RevertFolder(state_folder() / "reverts").left_behind()
    assert isinstance(record, RevertRecord)
    assert (record.tag, record.original.value, record.original.type) == (DOUBLE, 0.0, "double")


@pytest.mark.long
async def test_interrupting_a_timed_write_leaves_it_known_that_a_revert_is_pending(
    context: Context, gateway: SimulatedGateway
) -> None:
    gateway.faults.delay("write", 3600)
    task = asyncio.ensure_future(run(context, f"write {INT} 5 --for 10m", follow))
    await until(lambda: len(files()) == 1 and context.connected.changes.ledger.open())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = await rows_of(context)
    assert (row["revert"], row["certain"]) == ("pending", False)
    assert len(files()) == 1


async def test_limits_that_cannot_be_read_refuse_a_revert_loudly(
    context: Context, gateway: SimulatedGateway, tmp_path: Path
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    context.connected.desk.rules.limits = LimitsFile(tmp_path / "none.toml")
    result = await result_of(context, "revert")
    assert result.exit_code is ExitCode.UNKNOWN
    assert f"{INT} is NOT put back to 0: blocked locally: " in result.text
    assert (gateway.read(INT).value, len(files())) == (5, 1)
    context.connected.desk.rules.limits = None
    assert (await result_of(context, "revert")).exit_code is ExitCode.DONE


async def test_a_connection_that_is_read_only_for_good_puts_nothing_back(
    context: Context, gateway: SimulatedGateway
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    context.connected.arming.rules = ArmingRules(forbidden="the profile plantA is read-only")
    result = await result_of(context, "revert")
    assert "the profile plantA is read-only" in result.text
    assert (result.exit_code, gateway.read(INT).value) == (ExitCode.UNKNOWN, 5)
    context.connected.arming.rules = ArmingRules()


async def test_a_new_connection_offers_what_the_one_before_could_not_put_back(
    context: Context, gateway: SimulatedGateway, told: list[str]
) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    await text_of(context, f"write {DOUBLE} 1.5")
    gateway.set(INT, 9)
    await shows(context, INT, 9)
    await run(context, "connect", follow)
    assert f"left changed: {DOUBLE} is changed: it was 0.0, ours is 1.5, and it is 1.5 now" in told
    assert any(text.startswith(f"a write of 5 to {INT} by ") for text in told)
    assert context.departure.not_put_back
    gateway.set(INT, 5)
    assert (await result_of(context, f"revert {INT}")).exit_code is ExitCode.DONE
    # It is over, as soon as the write of the session before cannot happen any more.
    assert gateway.read(INT).value == 0


async def test_what_was_put_back_later_is_no_failure(context: Context, gateway: SimulatedGateway) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    gateway.set(INT, 9)
    await shows(context, INT, 9)
    await run(context, "connect", follow)
    assert context.departure.not_put_back
    await text_of(context, f"keep {INT}")
    assert not context.departure.not_put_back


async def test_the_journal_has_a_line_for_each_step_of_a_revert(context: Context) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    await text_of(context, "revert")
    journal = context.connected.desk.records.journal
    assert isinstance(journal, Journal)
    await journal.drained()
    lines = [json.loads(line) for path in journal.folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    reverts = [line for line in lines if line["kind"] == "revert"]
    assert [(line["event"], line["tag"], line["original"], line["ours"]) for line in reverts] == [
        ("armed", INT, 0, [5]),
        ("made", INT, 0, []),
    ]
    intents = [line for line in lines if line["kind"] == "intent"]
    assert [(line["command"], line["entries"][0]["new"]) for line in intents] == [
        (f"write {INT} 5 --for 10m", 5),
        (f"revert {INT}", 0),
    ]


async def test_status_shows_what_waits_to_be_put_back(context: Context) -> None:
    await text_of(context, f"write {INT} 5 --for 10m")
    assert f"put back    {INT} to 0 in 9:5" in await text_of(context, "status")


async def test_files_of_earlier_demos_are_removed(gateway: SimulatedGateway, told: list[str]) -> None:
    context = Context(all_commands(), interactive=False)
    context.set_outputs(lambda text: None, told.append)
    connection = Connection(endpoint=gateway.endpoint, plaintext=True)
    await context.connect(connection, "demo", terms=SIMULATED)
    await text_of(context, f"write {INT} 5 --for 10m")
    await context.connected.changes.aclose()
    folder = state_folder() / "reverts/demo"
    assert len(list(folder.glob("*.json"))) == 1
    later = Context(all_commands(), interactive=False)
    later.set_outputs(lambda text: None, told.append)
    await later.connect(connection, "demo", terms=SIMULATED)
    assert list(folder.glob("*.json")) == []
    assert told == []
    await later.disconnect()
    context.connected.changes.reverts.pending.forget(context.connected.changes.pending[0])
    await context.disconnect()


async def test_undo_gives_a_write_a_moment_to_show(
    context: Context, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await text_of(context, f"read {INT}")
    await text_of(context, f"watch {INT} --count 1")
    live = context.live_session
    old = replace(live[INT])
    await text_of(context, f"write {INT} 5")
    await shows(context, INT, 5)
    looks: list[object] = []

    def unseen_write(server: int, item: int) -> UnseenWrite | None:
        looks.append(item)
        if len(looks) < 3:
            # Something comes, as it does in a plant.
            gateway.set(DOUBLE, float(len(looks)))
            return UnseenWrite(5, clock.monotonic(), "a")
        return None

    await text_of(context, f"watch {DOUBLE} --count 1")
    latest = live.latest
    monkeypatch.setattr(live, "unseen_write", unseen_write)
    monkeypatch.setattr(live, "latest", lambda *key: old if len(looks) < 3 else latest(*key))
    await text_of(context, "undo")
    assert gateway.read(INT).value == 0


async def test_a_long_list_of_what_is_left_is_cut(context: Context) -> None:
    await text_of(context, f"write {INT} 5")
    row = (await context.connected.changes.now())[0]
    assert left_lines([row] * 30)[-2:] == [row.left_text, "and 10 more: changes lists them"]
    assert left_lines([row] * 20) == [row.left_text] * 20


async def test_a_plan_says_that_a_value_would_be_put_back(context: Context, gateway: SimulatedGateway) -> None:
    command = context.registry.commands["write"]
    parsed = context.registry.parse(f"write {INT} 5 --for 30s", context)
    assert parsed is not None
    assert command.preview is not None
    result = await command.preview(context, *parsed.positional, **command.grouped(parsed.options))
    assert isinstance(result, TextResult)
    assert result.text == f"would write {INT}   0 → 5, put back after 30s"
    assert gateway.writes == ()
