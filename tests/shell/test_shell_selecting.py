"""Select before operate at the prompt: what is shown, what answers it, and what makes it void."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from shell_terminal import CTRL_C, CTRL_D, ENTER, Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.selection import Level, Selection
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms

SETPOINT, INT, ARRAY = "Plant.Tank1.LevelSP", "TestChildObject.TestInt", "TestChildObject.TestIntArray"


@asynccontextmanager
async def selecting(tmp_path: Path, level: Level = "yes", **options: Any) -> AsyncIterator[Shell]:
    async with shell(tmp_path, columns=80, write_complete_delay=0, **options) as made:
        await until(lambda: made.context.catalogue.is_complete)
        assert made.context.current is not None
        made.context.current.desk.rules.level = level
        yield made


async def test_a_write_is_shown_and_sent_when_it_is_answered(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        shown = await made.terminal.enter(f"write {SETPOINT} 65", f"send 65.0 to {SETPOINT}? [y/N]", "void in")
        assert not made.gateway.writes
        for fact in (
            f"write on demo ({made.gateway.endpoint})",
            "description  Feed tank",
            "type         Double, in %   security: Operate",
            "now          60.0   good",
            "new          65.0   difference +5",
            "limits       no rule names this tag",
            "last write   none in this session, or put back",
        ):
            assert fact in shown
        await made.terminal.enter("y", "60.0 → 65.0", "completed")
        assert [each.value for each in made.gateway.writes] == [65.0]
        await made.terminal.enter(f"write {SETPOINT} 66", "last write   65.0", "not changed since", "send 66.0 to")
        made.terminal.type(CTRL_C)
        await made.terminal.shows("the selection is void: it was not confirmed; nothing was sent")
        assert len(made.gateway.writes) == 1


@pytest.mark.parametrize(
    ("level", "question", "wrong", "right"),
    [
        ("yes", "[y/N]", "ok", "yes"),
        ("value", "Type the value again:", "yes", "65"),
        ("tag", "Type the tag again:", "y", SETPOINT),
    ],
)
async def test_a_wrong_answer_voids_it_once(
    tmp_path: Path, level: Level, question: str, wrong: str, right: str
) -> None:
    async with selecting(tmp_path, level) as made:
        await made.terminal.enter(f"write {SETPOINT} 65", question)
        await made.terminal.enter(wrong, "the selection is void: the answer was another one; nothing was sent")
        assert not made.gateway.writes
        await made.terminal.enter("clear-nothing", "no command")  # The right answer comes too late now.
        await made.terminal.prompted()
        made.terminal.type(f"write {SETPOINT} 65{ENTER}")
        await until(lambda: made.terminal.text.count(question) == 2)
        await made.terminal.enter(right, "completed")
        assert len(made.gateway.writes) == 1


async def test_a_value_that_moves_ends_the_question(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        await made.terminal.enter(f"write {SETPOINT} 65", "[y/N]")
        made.gateway.set(SETPOINT, 61.0)
        await made.terminal.shows(f"the selection is void: {SETPOINT} moved from 60.0 to 61.0; nothing was sent")
        await made.terminal.enter("y", "no command y")
        assert not made.gateway.writes


async def test_a_value_that_goes_bad_ends_the_question(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        await made.terminal.enter(f"write {SETPOINT} 65", "[y/N]")
        made.gateway.set(SETPOINT, 60.0, quality=0)
        await made.terminal.shows(f"the selection is void: {SETPOINT} went from good to bad; nothing was sent")
        assert not made.gateway.writes


async def test_a_lost_session_ends_the_question(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        await made.terminal.enter(f"write {SETPOINT} 65", "[y/N]")
        made.gateway.faults.drop_streams()
        await made.terminal.shows("the selection is void:", "nothing was sent")
        assert not made.gateway.writes


async def test_what_is_typed_ahead_does_not_answer(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        made.terminal.type(f"write {SETPOINT} 65{ENTER}y{ENTER}yes{ENTER}")
        await made.terminal.shows("[y/N]", "or when something shown changes")
        assert not made.gateway.writes
        await made.terminal.enter("n", "the selection is void", "> y\nyes")
        assert not made.gateway.writes


async def test_a_file_of_writes_is_one_list_with_one_question(tmp_path: Path) -> None:
    file = tmp_path / "setpoints.csv"
    file.write_text(f"tag,value\n{SETPOINT},65\nPlant.Tank2.LevelSP,55\n")
    async with selecting(tmp_path, "value") as made:
        await made.terminal.enter(
            f"write-many {file}", "send these 2 writes on demo? Type how many they are:", "2 entries"
        )
        assert not made.gateway.writes
        await made.terminal.enter("2", "completed")
        assert [each.value for each in made.gateway.writes] == [65.0, 55.0]
        await made.terminal.enter(f"write-many {file}", "not changed since", "void in")
        made.gateway.set(SETPOINT, 1.0)
        await made.terminal.shows("moved from 65.0 to 1.0")
        assert len(made.gateway.writes) == 2


async def test_an_array_of_which_the_rest_is_lost_is_asked_about_once(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        await made.terminal.enter(
            f"write-elements {ARRAY} 5 0=7",
            "an array of 5 with 1 element set: {0: 7}",
            "LOST         the values of all elements that are not named: each becomes 0,",
            f"to {ARRAY}? [y/N]",
        )
        assert not made.gateway.writes
        await made.terminal.enter("y", "completed")
        assert len(made.gateway.writes) == 1


async def test_an_acknowledgement_is_asked_about(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        made.gateway.raise_alarm("ZB!Plant.Tank1.Level.Hi")
        await made.terminal.enter(
            "ack ZB!Plant.Tank1.Level.Hi --comment seen",
            "comment      seen",
            "send acknowledgement of ZB!Plant.Tank1.Level.Hi? [y/N]",
        )
        await made.terminal.enter("y", "acknowledged")


async def test_several_acknowledgements_are_one_list_with_one_question(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        screen, gateway = made.terminal, made.gateway
        first, second = "ZB!Plant.Tank1.Level.Hi", "ZB!Plant.Tank2.Level.Hi"

        def sent() -> int:
            return sum(call.rpc == "AcknowledgeAlarm" for call in gateway.calls)

        for reference in (first, second):
            gateway.raise_alarm(reference)
        line = f"ack {first} {second} {first} --comment seen"
        shown = await screen.enter(line, "send these 2 acknowledgements on demo? [y/N]", "2 entries", "void in")
        assert shown.index(first, shown.index("2 entries")) < shown.rindex(second)
        await screen.enter("n", "the selection is void: it was not confirmed; nothing was sent")
        assert sent() == 0
        await screen.enter(line, "void in")
        await screen.enter("y", f"{first} acknowledged", f"{second} acknowledged")
        assert sent() == 2
        journal = made.context.connected.desk.records.journal
        assert isinstance(journal, Journal)
        await journal.drained()
        text = "".join(path.read_text() for path in journal.folder.glob("*.jsonl"))
        lines = [json.loads(line) for line in text.splitlines()]
        decided = [(each["kind"], each["answer"]) for each in lines if each["kind"] in ("refused", "intent")]
        assert decided == [("refused", "n"), *[("intent", "yes, given for all 2 alarms")] * 2]


async def test_a_raw_call_is_asked_about(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        await made.terminal.enter(f"expect {INT} >= 0", "first values")
        live = made.context.live
        assert live is not None
        (item,) = live.session.handles.items.values()
        handles = f'"server_handle": {item.server_handle}, "item_handle": {item.item_handle}'
        line = f'call write {{{handles}, "value": {{"int32_value": 7}}}}'
        await made.terminal.enter(line, f"send 7 to {INT}? [y/N]")
        await made.terminal.enter("n", "the selection is void")
        assert not made.gateway.writes


async def test_the_python_pane_asks_in_its_place(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        made.terminal.type(f"py{ENTER}")
        await made.terminal.shows(">>>")
        made.terminal.type(f'(await live.write("{INT}", 7)).outcome{ENTER}')
        await made.terminal.shows(f"send 7 to {INT}? [y/N]")
        made.terminal.type(f"y{ENTER}")
        await made.terminal.shows("COMPLETED")
        assert [each.value for each in made.gateway.writes] == [7]
        made.terminal.type(f'await live.write("{INT}", 8){ENTER}')
        await made.terminal.shows(f"send 8 to {INT}? [y/N]")
        made.terminal.type(ENTER)
        await made.terminal.shows("MxGatewayWriteBlockedError")
        made.terminal.type(f'later = asyncio.create_task(live.write("{INT}", 9)){ENTER}')
        await made.terminal.shows("nobody can be asked")
        assert len(made.gateway.writes) == 1
        made.terminal.type(CTRL_D)
        await made.terminal.shows("demo>")


async def test_a_question_that_code_left_behind_comes_before_the_next_line(tmp_path: Path) -> None:
    async with selecting(tmp_path) as made:
        assert made.context.current is not None
        rules, asked = made.context.current.desk.rules, asyncio.Event()
        ask = rules.ask
        assert ask is not None

        async def ask_and_tell(selection: Selection) -> str:
            asked.set()
            return await ask(selection)

        rules.ask = ask_and_tell
        made.context.names["asked"] = asked
        await made.terminal.enter("py", ">>>")
        made.terminal.type(f'later = asyncio.create_task(live.write("{INT}", 7)); await asked.wait(){ENTER}')
        await made.terminal.shows(f"send 7 to {INT}? [y/N]")
        assert made.terminal.text.count(">>>") == 1
        made.terminal.type(f"y{ENTER}")
        await until(lambda: made.terminal.text.count(">>>") == 2)
        await made.terminal.enter("(await later).outcome", "COMPLETED")
        assert [each.value for each in made.gateway.writes] == [7]
        made.terminal.type(CTRL_D)
        await made.terminal.enter("status", "demo>")


LIMITS = """
unlisted = "refuse"

[tags."Plant.Tank1.LevelSP"]
writable = true
max = 80
confirm = "value"
dead_band = 0.5
guards = ['Plant.Tank1.Level is good and Plant.Tank1.Overflow == false']
"""


async def test_limits_and_guards_are_shown_and_judged_while_the_question_stands(tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text(LIMITS)
    async with shell(tmp_path, columns=80, write_complete_delay=0) as made:
        gateway = Connection(endpoint=made.gateway.endpoint, plaintext=True)
        await made.context.connect(gateway, "plant", terms=ConnectionTerms(limits=str(limits)))
        made.terminal.type(ENTER)
        await made.terminal.shows("plant (read-only)>")
        await made.terminal.enter(f"arm {SETPOINT}", "armed for 10m")
        await made.terminal.enter(
            f"write {SETPOINT} 65",
            "limits.toml:",
            "max        65.0 is at most 80",
            "guard      Plant.Tank1.Level is good and Plant.Tank1.Overflow == false:",
            "Type the value again:",
        )
        made.gateway.set(SETPOINT, 60.4)  # Within the dead band.
        await until(lambda: made.context.live is not None and made.context.live[SETPOINT].value == 60.4)
        await made.terminal.enter("65.0", "completed")
        await made.terminal.prompted()
        made.terminal.type(f"write {SETPOINT} 66{ENTER}")
        await until(lambda: made.terminal.text.count("Type the value again:") == 2)
        made.gateway.set("Plant.Tank1.Overflow", True)
        await made.terminal.shows("the selection is void:", "Plant.Tank1.Overflow is true")
        assert [each.value for each in made.gateway.writes] == [65.0]
