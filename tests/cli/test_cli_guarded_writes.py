"""Writes of ``mxgw-py`` with a profile, or with ``--arm``: what passes, what is refused here, and what the journal
tells of it."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_process import KEY, Drive, Open, Run, Start, ended, until

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL, FLOAT = "TestChildObject.TestInt", "TestChildObject.TestBool", "TestChildObject.TestFloat"
ALARM = "ZB!Plant.Tank1.Level.Hi"
PLANT = ("--profile", "plant")


class Profiles:
    """The profiles file, with one profile of the gateway."""

    def __init__(self, path: Path, gateway: SimulatedGateway) -> None:
        self.path = path
        key = path.with_name("key")
        key.write_text(KEY.text, encoding="utf-8")
        self.add("[profiles.plant]", f'endpoint = "{gateway.endpoint}"', "plaintext = true", f"api_key_file = '{key}'")

    def add(self, *lines: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def profiles(tmp_path: Path, environment: dict[str, str], gateway: SimulatedGateway) -> Profiles:
    del environment["MXGATEWAY_ENDPOINT"], environment["MXGATEWAY_API_KEY"]
    environment["MXGATEWAY_PROFILES"] = str(tmp_path / "profiles.toml")
    return Profiles(tmp_path / "profiles.toml", gateway)


class Lines:
    """The lines of the journal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for path in sorted(self._folder.rglob("journal-*.jsonl")):
            yield from map(json.loads, path.read_text(encoding="ascii").splitlines())

    @property
    def kinds(self) -> list[str]:
        return [line["kind"] for line in self]

    def of(self, kind: str) -> dict[str, Any]:
        """The only line of that kind."""
        (line,) = (line for line in self if line["kind"] == kind)
        return line


@pytest.fixture
def journal(environment: dict[str, str]) -> Lines:
    return Lines(Path(environment["MXGATEWAY_STATE"]))


# By name.


async def test_with_a_profile_nothing_is_written_without_consent(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway, journal: Lines
) -> None:
    ran = await mxgw_py("write", INT, "5", *PLANT, "--json")
    assert ran.code == 5
    (form,) = ran.json
    assert (form["error"]["exit_code"], form["outcome"], form["result"]) == (5, "not sent", "refused_here")
    assert f"read-only: --arm {INT} lets it through; nothing was sent" in form["error"]["message"]
    assert gateway.mutating_calls == 0
    assert journal.kinds == ["opened", "refused", "closed"]
    refused = journal.of("refused")
    assert refused["why"] == f"read-only: --arm {INT} lets it through"
    assert (refused["profile"], refused["key_id"], refused["certificate"]) == ("plant", "plant", "none: plaintext")
    assert (refused["command"], refused["who"]["program"]) == ("mxgw-py write", "mxgw-py")
    assert (refused["entries"][0]["tag"], refused["entries"][0]["new"]) == (INT, 5)


async def test_a_tag_that_is_armed_is_written_and_all_of_it_is_in_the_journal(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway, journal: Lines
) -> None:
    gateway.set(INT, 41)
    ran = await mxgw_py("write", INT, "5", *PLANT, "--arm", "testchildobject.*", "--reason", "batch 7")
    assert ran.code == 0
    assert [write.value for write in gateway.writes] == [5]
    assert journal.kinds == ["opened", "armed", "intent", "answer", "outcome", "closed"]
    intent, answer, outcome = (journal.of(kind) for kind in ("intent", "answer", "outcome"))
    assert intent["action"] == answer["action"] == outcome["action"]
    assert (intent["reason"], intent["entries"][0]["new"]) == ("batch 7", 5)
    assert (answer["outcome"], outcome["entries"][0]["outcome"]) == ("accepted", "completed")
    last = list(journal)[-1]
    assert ran.err == f"mxgw-py: journal head {last['number']}:{last['hash']}\n"


@pytest.mark.parametrize("glob", [BOOL, "TestChildObject", "Plant.*", f"{INT}x"])
async def test_another_tag_that_is_armed_opens_nothing(
    glob: str, profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    ran = await mxgw_py("write", INT, "5", *PLANT, "--arm", glob)
    assert ran.code == 5
    assert f"{INT} is not among the tags that are armed ({glob})" in ran.err
    assert gateway.mutating_calls == 0


async def test_a_profile_may_arm_tags_for_every_command(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    profiles.add(f'arms = ["{INT}"]')
    assert (await mxgw_py("write", INT, "5", *PLANT)).code == 0
    assert (await mxgw_py("write", BOOL, "true", *PLANT)).code == 5
    assert (await mxgw_py("write", BOOL, "true", *PLANT, "--arm", BOOL)).code == 0
    assert (await mxgw_py("write", INT, "6", *PLANT, "--arm", BOOL)).code == 0
    assert [write.value for write in gateway.writes] == [5, True, 6]


async def test_a_read_only_profile_cannot_be_armed(profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway) -> None:
    profiles.add("read_only = true")
    ran = await mxgw_py("write", INT, "5", *PLANT, "--arm", INT)
    assert ran.code == 5
    assert "the profile plant is read-only; nothing was sent" in ran.err
    assert gateway.mutating_calls == 0


async def test_a_profile_may_demand_a_reason(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway, journal: Lines
) -> None:
    profiles.add("arm_needs_reason = true")
    ran = await mxgw_py("write", INT, "5", *PLANT, "--arm", INT)
    assert ran.code == 5
    assert "not armed: the profile plant demands a reason; --reason TEXT gives it" in ran.err
    assert gateway.mutating_calls == 0
    assert (await mxgw_py("write", INT, "5", *PLANT, "--arm", INT, "--reason", "batch 7")).code == 0
    assert journal.of("armed")["reason"] == journal.of("intent")["reason"] == "batch 7"


@pytest.fixture
def no_journal(environment: dict[str, str]) -> None:
    """There is a file where the journal's folder would be."""
    Path(environment["MXGATEWAY_STATE"]).write_text("no folder", encoding="utf-8")


@pytest.mark.usefixtures("no_journal")
async def test_a_journal_that_cannot_be_written_lets_nothing_through(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    ran = await mxgw_py("write", INT, "5", *PLANT, "--arm", INT)
    assert ran.code == 5
    assert "the journal" in ran.err
    assert gateway.mutating_calls == 0


# Without a profile.


async def test_an_endpoint_alone_has_no_guard_and_no_journal(
    gateway: SimulatedGateway, mxgw_py: Run, journal: Lines
) -> None:
    ran = await mxgw_py("write", INT, "5", "--plaintext")
    assert (ran.code, ran.err, journal.kinds) == (0, "", [])
    assert [write.value for write in gateway.writes] == [5]


async def test_an_endpoint_is_guarded_as_soon_as_anything_asks_for_it(
    gateway: SimulatedGateway, mxgw_py: Run, journal: Lines
) -> None:
    ran = await mxgw_py("write", INT, "5", "--plaintext", "--arm", BOOL)
    assert ran.code == 5
    assert gateway.mutating_calls == 0
    assert (await mxgw_py("write", INT, "5", "--plaintext", "--arm", INT)).code == 0
    assert journal.of("intent")["connection"] == gateway.endpoint


async def test_a_reason_needs_a_journal(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("write", INT, "5", "--plaintext", "--reason", "batch 7")
    assert (ran.code, gateway.mutating_calls) == (2, 0)
    assert "--reason is for the journal, which --profile, --arm or --limits begins" in ran.err


async def test_a_glob_that_names_nothing_is_a_mistake(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("write", INT, "5", "--plaintext", "--arm", "*")
    assert (ran.code, gateway.mutating_calls) == (2, 0)
    assert '"*" names nothing' in ran.err


# Limits.


@pytest.fixture
def limits(tmp_path: Path) -> Path:
    path = tmp_path / "limits.toml"
    path.write_text(
        f"""
        unlisted = "refuse"
        [tags."{INT}"]
        writable = true
        max = 100
        step = 10
        guards = ["{BOOL} == true"]
        """,
        encoding="utf-8",
    )
    return path


def rule(limits: Path, line: str) -> None:
    """Leave one rule of the file, with this line."""
    limits.write_text(f'unlisted = "refuse"\n[tags."{INT}"]\nwritable = true\n{line}\n', encoding="utf-8")


LIMITED = [
    (INT, "101", True, "max: 101 is above 100"),
    (INT, "61", True, "step: "),
    (INT, "55", False, f"{BOOL} == true: "),
    (FLOAT, "1.5", True, "is named by no rule"),
    (INT, "55", True, ""),
]


@pytest.mark.parametrize("is_bulk", [False, True])
async def test_limits_and_guards_go_by_what_is_read_now(
    is_bulk: bool, limits: Path, profiles: Profiles, drive: Drive, gateway: SimulatedGateway
) -> None:
    gateway.set(INT, 50)
    driver = await drive(*PLANT, "--arm", INT, "--arm", FLOAT, "--limits", str(limits))
    (answer,) = await driver.ask("open-session")
    session = ("--session-id", answer["session_id"])
    await driver.ask("register", *session, "--client-name", "a")
    at_server = (*session, "--server-handle", "1")
    (answer,) = await driver.ask("subscribe-bulk", *at_server, "--item", INT, "--item", FLOAT)
    handles = {each["tag_address"]: each["item_handle"] for each in answer["results"]}
    for tag, value, is_on, problem in LIMITED:
        gateway.set(BOOL, is_on)
        before = gateway.mutating_calls
        if is_bulk:
            kind = "float" if tag == FLOAT else "int32"
            (answer,) = await driver.ask("write-bulk", *at_server, "--entry", f"{handles[tag]}={kind}:{value}")
        else:
            (answer,) = await driver.ask("write", tag, value)
        error = answer.get("error") or {"exit_code": 0, "message": ""}
        assert error["exit_code"] == (5 if problem else 0), error
        assert problem in error["message"]
        assert gateway.mutating_calls - before == (not problem)
    await driver.end()


async def test_a_command_goes_by_limits_too(
    limits: Path, profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    gateway.set(INT, 50)
    gateway.set(BOOL, True)
    for value, problem in (("101", "max: 101 is above 100"), ("55", "")):
        ran = await mxgw_py("write", INT, value, *PLANT, "--arm", INT, "--limits", str(limits))
        assert (ran.code, problem in ran.err) == (5 if problem else 0, True), ran
    assert gateway.mutating_calls == 1


async def test_what_cannot_be_read_refuses(
    limits: Path, profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    gateway.set(INT, 50)
    gateway.set(BOOL, True, quality=0)
    ran = await mxgw_py("write", INT, "55", *PLANT, "--arm", INT, "--limits", str(limits))
    assert (ran.code, gateway.mutating_calls) == (5, 0)
    assert f"{BOOL} is bad" in ran.err


async def test_limits_with_a_mistake_forbid_every_write_and_nothing_else(
    limits: Path, profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    profiles.add(f"limits = '{limits}'", f'arms = ["{INT}"]')
    rule(limits, "maximum = 5")
    ran = await mxgw_py("write", INT, "5", *PLANT)
    assert (ran.code, gateway.mutating_calls) == (5, 0)
    assert f"{limits}:4" in ran.err
    assert (await mxgw_py("read", INT, *PLANT)).code == 0


async def test_nothing_replaces_the_limits_of_a_profile(
    limits: Path, profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    profiles.add(f"limits = '{limits}'")
    ran = await mxgw_py("write", INT, "5", *PLANT, "--arm", INT, "--limits", "other.toml")
    assert (ran.code, gateway.mutating_calls) == (2, 0)
    assert "which nothing replaces" in ran.err


@pytest.mark.parametrize(
    ("level", "options", "code"),
    [("yes", (), 5), ("yes", ("--yes",), 0), ("value", ("--yes",), 5), ("tag", ("--yes",), 5), ("none", (), 0)],
)
async def test_nobody_is_asked(
    level: str, options: tuple[str, ...], code: int, limits: Path, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    rule(limits, f'confirm = "{level}"')
    ran = await mxgw_py("write", INT, "5", "--plaintext", "--arm", INT, "--limits", str(limits), *options)
    assert (ran.code, gateway.mutating_calls) == (code, code == 0)
    assert ("there is no terminal to ask at" in ran.err) is (code == 5)


async def test_limits_may_demand_a_reason(limits: Path, mxgw_py: Run, gateway: SimulatedGateway) -> None:
    rule(limits, "needs_reason = true")
    write = ("write", INT, "5", "--plaintext", "--arm", INT, "--limits", str(limits))
    ran = await mxgw_py(*write)
    assert (ran.code, gateway.mutating_calls) == (5, 0)
    assert f"{INT} needs a reason: --reason TEXT" in ran.err
    assert (await mxgw_py(*write, "--reason", "batch 7")).code == 0


# In a session that another command opened.


def at(opened: Open) -> list[str]:
    return ["--session-id", opened.session.session_id, "--server-handle", str(opened.server)]


VALUE = {"int32_value": 5}
CALLS = {
    "write": {"item_handle": 1, "value": VALUE},
    "write2": {"item_handle": 1, "value": VALUE, "timestamp_value": {"timestamp_value": "2026-10-02T08:14:00Z"}},
    "write_secured": {"item_handle": 1, "current_user_id": 1, "value": VALUE},
    "write_bulk": {"entries": [{"item_handle": 1, "value": VALUE}]},
}


@pytest.mark.parametrize("kind", CALLS)
async def test_an_item_without_a_name_cannot_be_armed(
    kind: str, profiles: Profiles, mxgw_py: Run, opened: Open, gateway: SimulatedGateway
) -> None:
    fields = json.dumps({"server_handle": opened.server, **CALLS[kind]})
    ran = await mxgw_py("call", kind, fields, "--session-id", opened.session.session_id, *PLANT, "--arm", INT)
    assert ran.code == 5
    assert "the item's tag is unknown here" in ran.err
    assert "or add the item in the same batch" in ran.err
    assert gateway.mutating_calls == 0


async def test_bulk_writes_and_writes_by_handle_pass_the_same_guard(
    profiles: Profiles, mxgw_py: Run, opened: Open, gateway: SimulatedGateway
) -> None:
    item = ["--item-handle", str(opened.item), "--type", "int32", "--value", "5"]
    for words in (
        ["write", *at(opened), *item],
        ["write-bulk", *at(opened), "--entry", "1=int32:5"],
        ["write2-bulk", *at(opened), "--entry", "1=int32:5", "--timestamp", "2026-10-02T08:14:00Z"],
        ["write-secured-bulk", *at(opened), "--entry", "1=int32:5", "--current-user-id", "1"],
        [
            *("write-secured2-bulk", *at(opened), "--entry", "1=int32:5", "--current-user-id", "1"),
            *("--timestamp", "2026-10-02T08:14:00Z"),
        ],
    ):
        assert (await mxgw_py(*words, *PLANT)).code == 5, words
    assert gateway.mutating_calls == 0


# Alarms.


async def test_an_alarm_is_armed_by_its_reference(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway, journal: Lines
) -> None:
    gateway.raise_alarm(ALARM)
    acknowledge = ("acknowledge-alarm", "--reference", ALARM, "--comment", "seen", *PLANT)
    assert (await mxgw_py(*acknowledge)).code == 5
    assert (await mxgw_py(*acknowledge, "--arm", "Plant.Tank2.*")).code == 5
    assert gateway.mutating_calls == 0
    assert (await mxgw_py(*acknowledge, "--arm", "Plant.Tank1.*")).code == 0
    assert journal.of("intent")["entries"] == [{"alarm": ALARM, "comment": "seen", "operator": ""}]
    assert journal.of("answer")["outcome"] == "accepted"


async def test_an_alarm_that_is_only_a_guid_cannot_be_armed(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway
) -> None:
    gateway.raise_alarm(ALARM)
    guid = str(gateway.alarms[0].guid)
    ran = await mxgw_py("acknowledge-alarm", "--reference", guid, *PLANT, "--arm", guid)
    assert ran.code == 5
    assert gateway.mutating_calls == 0


# In a batch.


async def test_items_that_a_batch_adds_have_a_name(
    profiles: Profiles, drive: Drive, gateway: SimulatedGateway, journal: Lines
) -> None:
    driver = await drive(*PLANT, "--arm", INT, "--reason", "batch 7")
    (answer,) = await driver.ask("open-session")
    session = answer["session_id"]
    (answer,) = await driver.ask("register", "--client-name", "a", "--session-id", session)
    at_server = ("--session-id", session, "--server-handle", str(answer["server_handle"]))
    handles = {}
    for tag in (INT, BOOL):
        (answer,) = await driver.ask("add-item", *at_server, "--item", tag)
        handles[tag] = ("--item-handle", str(answer["item_handle"]))
        await driver.ask("advise", *at_server, *handles[tag])
    (answer,) = await driver.ask("write", *at_server, *handles[BOOL], "--type", "bool", "--value", "true")
    assert (answer["error"]["exit_code"], answer["result"]) == (5, "refused_here")
    (answer,) = await driver.ask("write", *at_server, *handles[INT], "--type", "int32", "--value", "5")
    assert answer["outcome"] == "accepted"
    fields = json.dumps({"server_handle": 1, "item_handle": 1, "value": VALUE})
    (answer,) = await driver.ask("call", "write", f"'{fields}'", "--session-id", session)
    assert answer["ok"] is True
    # What a line arms takes the place of what the batch arms, for this line.
    (answer,) = await driver.ask("write", BOOL, "true", "--arm", BOOL)
    assert answer["outcome"] == "completed"
    (answer,) = await driver.ask("write", BOOL, "false")
    assert answer["error"]["exit_code"] == 5
    code, said = await driver.end()
    assert (code, "journal head" in said) == (0, True)
    assert gateway.mutating_calls == 3
    kinds = journal.kinds
    # One connection, whatever its lines arm.
    assert (kinds[0], kinds.count("opened"), kinds.count("intent"), kinds[-1]) == ("opened", 1, 3, "closed")
    assert {line["reason"] for line in journal if line["kind"] == "intent"} == {"batch 7"}


async def test_what_a_batch_arms_is_not_armed_at_another_gateway(
    profiles: Profiles, drive: Drive, gateway: SimulatedGateway
) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as other:
        elsewhere = ("write", INT, "5", "--endpoint", other.endpoint, "--plaintext")
        for options in ((*PLANT, "--arm", INT), ("--endpoint", gateway.endpoint, "--plaintext", "--arm", INT)):
            driver = await drive(*options)
            (answer,) = await driver.ask(*elsewhere)
            assert answer["error"]["exit_code"] == 5
            assert "read-only" in answer["error"]["message"]
            await driver.end()
        assert other.mutating_calls == 0
        driver = await drive(*PLANT)
        (answer,) = await driver.ask(*elsewhere, "--arm", INT)
        assert answer["outcome"] == "completed"
        await driver.end()
    assert gateway.mutating_calls == 0


# What becomes of a write.


async def test_the_journal_never_tells_more_than_is_known(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway, journal: Lines
) -> None:
    gateway.faults.lose_next_reply("write")
    ran = await mxgw_py("write", INT, "5", *PLANT, "--arm", INT, "--timeout", "1s")
    assert ran.code == 6
    assert journal.of("answer")["outcome"] == "unknown"
    assert journal.of("answer")["why"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
async def test_an_interrupted_write_is_unknown_in_the_journal_too(
    profiles: Profiles, start: Start, gateway: SimulatedGateway, journal: Lines
) -> None:
    gateway.faults.stall("write")
    process = await start("write", INT, "5", *PLANT, "--arm", INT)
    await until(lambda: gateway.mutating_calls)
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    assert ran.code == 6
    assert journal.of("answer")["outcome"] == "unknown"
    assert journal.kinds[-1] == "closed"


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
async def test_a_write_that_is_interrupted_while_its_guards_are_looked_up_is_not_sent(
    limits: Path, profiles: Profiles, start: Start, gateway: SimulatedGateway, journal: Lines
) -> None:
    gateway.schedule("at subscribe_bulk 2 stall")  # the first one is for the tag itself
    process = await start("write", INT, "5", *PLANT, "--arm", INT, "--limits", str(limits), "--json")
    await until(lambda: any(BOOL in str(call.request) for call in gateway.calls))
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    gateway.faults.release()
    assert (ran.code, ran.json[0]["outcome"], ran.json[0]["result"]) == (130, "not sent", None)
    assert ran.json[0]["error"]["message"] == "interrupted; no write was sent"
    assert "interrupted" in journal.of("refused")["why"]
    assert {"intent", "answer", "outcome"}.isdisjoint(journal.kinds)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
async def test_a_write_that_is_interrupted_after_it_was_accepted_says_so(
    profiles: Profiles, start: Start, gateway: SimulatedGateway, journal: Lines
) -> None:
    gateway.faults.hold_write_completes()
    process = await start("write", INT, "5", *PLANT, "--arm", INT, "--json")
    await until(lambda: "answer" in journal.kinds)
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    assert (ran.code, ran.json[0]["outcome"]) == (6, "accepted")
    assert "interrupted after it was accepted and before its completion came" in ran.json[0]["error"]["message"]
    assert journal.of("outcome")["entries"][0]["outcome"] == "accepted"


async def test_two_commands_share_the_journal(
    profiles: Profiles, mxgw_py: Run, gateway: SimulatedGateway, journal: Lines
) -> None:
    profiles.add(f'arms = ["{INT}"]')
    ran = await asyncio.gather(*(mxgw_py("write", INT, str(number), *PLANT) for number in range(3)))
    assert [each.code for each in ran] == [0, 0, 0]
    assert [line["number"] for line in journal] == list(range(1, 19))
    assert sorted(line["entries"][0]["new"] for line in journal if line["kind"] == "intent") == [0, 1, 2]


async def test_a_value_outside_the_range_of_its_tag_is_pointed_out_guarded_or_not(
    profiles: Profiles, gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    setpoint = "Plant.Tank1.LevelSP"
    for guard in (("--arm", setpoint), ("--endpoint", gateway.endpoint)):
        gateway_options = PLANT if guard[0] == "--arm" else ("--plaintext",)
        ran = await mxgw_py("write", setpoint, "4000", *gateway_options, *guard, MXGATEWAY_API_KEY=KEY.text)
        assert f"{setpoint}: 4000.0 is FAR OUTSIDE the tag's range, 0.0 to 100.0" in ran.err
        assert (ran.code, "completed" in ran.out) == (0, True)
        ran = await mxgw_py("write", setpoint, "40", *gateway_options, *guard, MXGATEWAY_API_KEY=KEY.text)
        assert (ran.code, "outside" in ran.err.lower()) == (0, False)
    assert [each.value for each in gateway.writes] == [4000.0, 40.0, 4000.0, 40.0]
