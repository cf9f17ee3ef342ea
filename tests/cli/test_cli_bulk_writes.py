"""Bulk writes: every entry told at its place, the outcome unknown where no answer came, nothing sent twice."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli_process import KEY, Drive, Open, Run, until

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway_sim import GalaxyUser, SimulatedGateway

MOMENT = "2026-10-02T08:14:00Z"


def write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def last(gateway: SimulatedGateway) -> Any:
    """The payload of the last command that came in."""
    command = [call for call in gateway.calls if call.rpc == "Invoke"][-1].request.command
    return getattr(command, command.WhichOneof("payload"))


async def advised(opened: Open, tag: str) -> int:
    """The handle of one more item, advised."""
    item = await opened.session.add_item(opened.server, tag)
    await opened.session.advise(opened.server, item)
    return item


async def test_many_values_are_written(gateway: SimulatedGateway, opened: Open, mxgw_py: Run, tmp_path: Path) -> None:
    text = await advised(opened, "TestChildObject.TestString")
    (tmp_path / "entries").write_text(json.dumps({"item_handle": 1, "type": "int32", "value": 6, "user_id": 9}))
    arguments = ["write-bulk", *opened.at_server, "--user-id", "7", "--entries-file", str(tmp_path / "entries")]
    arguments += ["--entry", "1=int32:5", "--entry", f"{text}=string:a:b=c "]
    ran = await mxgw_py(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()] == [[str(item), "accepted"] for item in (1, text, 1)]
    entries = [(entry.item_handle, entry.user_id) for entry in last(gateway).entries]
    assert entries == [(1, 7), (text, 7), (1, 9)]
    await until(lambda: gateway.read("TestChildObject.TestString").value == "a:b=c ")
    ran = await mxgw_py(*arguments, "--json")
    (form,) = ran.json
    assert isinstance(form.pop("milliseconds"), float)
    accepted = {
        "error_message": "",
        "hresult": "0x00000000",
        "result": "accepted",
        "statuses": [],
        "was_successful": True,
    }
    assert form == {
        "failed": 0,
        "ok": True,
        "results": [accepted | {"item_handle": item} for item in (1, text, 1)],
        "server_handle": 1,
        "session_id": opened.session.session_id,
    }


async def test_a_refused_entry_is_reported_at_its_place(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    arguments = ["write-bulk", *opened.at_server, "--entry", "99=int32:5", "--entry", "1=int32:5"]
    ran = await mxgw_py(*arguments)
    assert (ran.code, ran.err) == (3, "mxgw-py: write_bulk: 1 of 2 failed\n")
    refused, accepted = ran.out.splitlines()
    assert refused.startswith("    99  REFUSED: ")
    assert accepted == "     1  accepted"
    ran = await mxgw_py(*arguments, "--json")
    assert (ran.code, ran.err) == (3, "")
    (form,) = ran.json
    assert form["error"] == {"exit_code": 3, "message": "write_bulk: 1 of 2 failed", "type": "EntriesFailed"}
    assert (form["ok"], form["failed"]) == (False, 1)
    assert [(one["was_successful"], one["hresult"], one["result"]) for one in form["results"]] == [
        (False, "0x80070057", "refused_there"),
        (True, "0x00000000", "accepted"),
    ]
    assert set(form) == {"error", "failed", "milliseconds", "ok", "results", "server_handle", "session_id"}


async def test_source_times_are_written(gateway: SimulatedGateway, opened: Open, mxgw_py: Run, tmp_path: Path) -> None:
    entries = [
        {"item_handle": 1, "type": "int32", "value": 6, "timestamp": "2026-10-02T10:15:00+02:00"},
        {"item_handle": 1, "type": "time", "value": [MOMENT]},
    ]
    (tmp_path / "entries").write_text("\n".join(map(json.dumps, entries)))
    arguments = ["--timestamp", MOMENT, "--entry", "1=int32:5", "--entries-file", str(tmp_path / "entries")]
    await mxgw_py("write2-bulk", *opened.at_server, *arguments)
    sent = [entry.timestamp_value.timestamp_value.ToDatetime(UTC) for entry in last(gateway).entries]
    assert sent == [datetime(2026, 10, 2, 8, minute, tzinfo=UTC) for minute in (14, 15, 14)]
    times = last(gateway).entries[2].value.array_value.timestamp_values.values
    assert [time.ToDatetime(UTC) for time in times] == [datetime(2026, 10, 2, 8, 14, tzinfo=UTC)]


async def test_secured_writes_are_made_for_users(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run, tmp_path: Path
) -> None:
    users = [await opened.session.authenticate_user(opened.server, name, "s3cret") for name in ("ann", "bob")]
    item = await advised(opened, "TestChildObject.TestBool")
    one = {"item_handle": item, "type": "bool", "value": True}
    (tmp_path / "entries").write_text(json.dumps(one | {"current_user_id": users[1]}))
    common = ["--current-user-id", str(users[0]), "--verifier-user-id", str(users[1])]
    common += ["--entry", f"{item}=bool:true", "--entries-file", str(tmp_path / "entries")]
    ran = await mxgw_py("write-secured-bulk", *opened.at_server, *common, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [result["was_successful"] for result in ran.json[0]["results"]] == [True, True]
    sent = [(entry.current_user_id, entry.verifier_user_id) for entry in last(gateway).entries]
    assert sent == [(users[0], users[1]), (users[1], users[1])]
    ran = await mxgw_py("write-secured2-bulk", *opened.at_server, *common, "--timestamp", MOMENT)
    assert (ran.code, ran.err) == (0, "")
    assert last(gateway).entries[0].timestamp_value.timestamp_value.ToDatetime(UTC).minute == 14


@pytest.fixture
async def strict() -> AsyncIterator[SimulatedGateway]:
    """A gateway whose galaxy knows two users."""
    users = [GalaxyUser("ann", "pass word"), GalaxyUser("bob", "geheim")]
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], users=users, write_complete_delay=0) as running:
        yield running


@pytest.mark.parametrize("command", ["write-secured-bulk", "write-secured2-bulk"])
async def test_users_are_authenticated_by_the_command_that_writes_for_them(
    command: str, strict: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    write(tmp_path / "ann", "\ufeffpass word\r\n")
    async with await GatewayClient.connect(strict.endpoint, api_key=KEY.text, plaintext=True) as client:
        session = await client.open_session()
        server = await session.register("a")
        (added,) = await session.subscribe_bulk(server, ["TestChildObject.TestBool"])
        at = ["--endpoint", strict.endpoint, "--plaintext", "--session-id", session.session_id]
        at += ["--server-handle", str(server), "--entry", f"{added.item_handle}=bool:true"]
        at += ["--timestamp", MOMENT] if "2" in command else []
        users = ["--user", "ann", "--password-file", str(tmp_path / "ann"), "--verifier", "bob"]
        ran = await mxgw_py(command, *at, *users, "--verifier-password-env", "BOB", "--json", BOB="geheim")
        assert (ran.code, ran.err) == (0, "")
        assert ran.json[0]["results"][0]["was_successful"]
        entry = last(strict).entries[0]
        assert entry.current_user_id
        assert entry.verifier_user_id not in (0, entry.current_user_id)
        writes = len(strict.writes)
        ran = await mxgw_py(command, *at, *users, "--verifier-password-env", "BOB", BOB="wrong-secret")
        assert ran.code == 3
        assert "bob" in ran.err
        assert "wrong-secret" not in ran.out + ran.err
        assert len(strict.writes) == writes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "ann"], "--user takes its password from --password-env or --password-file: name one"),
        (["--user", "ann", "--password-env", "A", "--password-file", "b"], "they exclude each other"),
        (["--password-env", "A"], "a password without its user: give --user NAME"),
        (["--user", "ann", "--password-env", "A", "--current-user-id", "1"], "--current-user-id exclude each other"),
        (["--user", "ann", "--password-env", "NO_SUCH"], "the environment variable NO_SUCH is not set"),
        (["--user", "ann", "--password-file", "/nowhere/x"], "cannot read /nowhere/x: No such file"),
        (["--verifier", "bob"], "--verifier takes its password from --verifier-password-env or --verifier-password-f"),
    ],
)
async def test_a_user_needs_one_source_of_a_password(
    arguments: list[str], said: str, opened: Open, mxgw_py: Run
) -> None:
    current = [] if "--user" in arguments else ["--current-user-id", "1"]
    ran = await mxgw_py("write-secured-bulk", *opened.at_server, "--entry", "1=int32:5", *arguments, *current)
    assert ran.code == 2
    assert said in ran.err


async def test_a_secured_write_without_a_user_is_refused_at_its_entry(opened: Open, mxgw_py: Run) -> None:
    arguments = ["--entry", "1=int32:5", "--current-user-id", "77"]
    for command, more in (("write-secured-bulk", []), ("write-secured2-bulk", ["--timestamp", MOMENT])):
        ran = await mxgw_py(command, *opened.at_server, *arguments, *more)
        assert ran.code == 3
        assert ran.out.startswith("     1  REFUSED: ")
        assert ran.err == f"mxgw-py: {command.replace('-', '_')}: 1 of 1 failed\n"


async def test_a_lost_reply_is_an_unknown_outcome(gateway: SimulatedGateway, opened: Open, drive: Drive) -> None:
    batch = await drive()
    for command, more in (
        ("write-bulk", ""),
        ("write2-bulk", f"--timestamp {MOMENT}"),
        ("write-secured-bulk", "--current-user-id 1"),
        ("write-secured2-bulk", f"--current-user-id 1 --timestamp {MOMENT}"),
    ):
        kind = command.replace("-", "_")
        gateway.faults.lose_next_reply(kind)
        (answer,) = await batch.ask(command, *opened.at_server, "--entry 1=int32:5", more)
        assert (answer["error"]["exit_code"], answer["error"]["outcome_unknown"]) == (6, True)
        message = answer["error"]["message"]
        assert message.startswith(f"outcome unknown: {kind} at {gateway.endpoint}: UNAVAILABLE ")
        assert message.endswith(
            "It may have happened, or may still happen for up to 75 s, "
            "and was not sent again: check before you repeat it"
        )
        assert sum(call.rpc == "Invoke" and call.request.command.HasField(kind) for call in gateway.calls) == 1
    assert await batch.end() == (0, "")
