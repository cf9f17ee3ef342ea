"""``mxgw-py schema``: a JSON Schema of every command's ``--json``, which its real output fits."""

import json
import re
import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from cli_process import Drive, Open, Run, Start, ended, until
from cli_schemas import kinds_of, validators
from documents import text_of
from jsonschema import Draft202012Validator

from zb_mom_ww_mxgateway_cli.commands.index import MODULE_OF
from zb_mom_ww_mxgateway_cli.schemas import LINES, schema_of
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestBool", "TestChildObject.TestDouble"
HIGH = "ZB!Plant.Boiler.High"


def test_every_command_has_a_schema() -> None:
    assert {command.partition(" ")[0] for command in LINES} == set(MODULE_OF)


@pytest.mark.parametrize("command", LINES)
def test_a_schema_is_one_and_has_what_it_refers_to(command: str) -> None:
    schema = schema_of(command)
    Draft202012Validator.check_schema(schema)
    named = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert named == set(schema["$defs"])


async def test_the_schema_is_printed(mxgw_py: Run) -> None:
    ran = await mxgw_py("schema", "read")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == schema_of("read")
    assert (await mxgw_py("schema", "read", "--json")).json == [
        {"command": "read", "ok": True, "schema": schema_of("read")}
    ]
    assert (await mxgw_py("schema", "reed")).code == 2


def test_a_line_with_another_key_or_without_one_does_not_pass() -> None:
    line: dict[str, Any] = {
        "contract": "built-in",
        "gateway_protocol_version": 3,
        "ok": True,
        "python": "3.11",
        "version": "1",
    }
    assert kinds_of("version", line) == {"line_version"}
    for wrong in ({**line, "more": 1}, {**line, "ok": False}, {**line, "version": 1}, {"ok": True}):
        with pytest.raises(AssertionError):
            kinds_of("version", wrong)
    # A user's validator takes what a later version adds.
    Draft202012Validator(schema_of("version")).validate({**line, "more": 1})


async def test_the_output_of_every_command_fits_its_schema(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run, start: Start, drive: Drive, tmp_path: Path
) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    # A batch prints of a command what --json does; every test that runs one holds that to the schema, too.
    batch = await drive("--plaintext", ANN="pass word", XDG_CONFIG_HOME=str(tmp_path))

    def take(command: str, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            seen[command] |= kinds_of(command, line)

    async def run(command: str, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        lines = await batch.ask(command, *map(shlex.quote, arguments))
        assert (lines[-1].get("error") or {}).get("exit_code", 0) == code, (command, lines)
        take(command, lines)
        return lines

    async def run_alone(command: str, *arguments: str, code: int = 0) -> None:
        ran = await mxgw_py(command, *arguments, "--json")
        assert (ran.code, ran.err) == (code, ""), (command, ran)
        take(command, ran.json)

    plain, session = ["--plaintext"], ["--plaintext", "--session-id", opened.session.session_id]
    at, server = opened.at_server, ["--server-handle"]
    for command, argument in (("version", []), ("completion", ["bash"]), ("schema", ["read"])):
        await run(command, *argument)

    ours = str(tmp_path / "ours.protoset")
    await run("contract export", ours)
    for command, argument in (("show", []), ("compare", [ours]), ("use", [ours]), ("show", []), ("reset", [])):
        await run(f"contract {command}", *argument)

    (made,) = await run("open-session", *plain)
    await run("close-session", *plain, "--session-id", made["session_id"])
    await run("close-session", *plain, "--session-id", made["session_id"], code=3)
    await run("smoke", *plain, "--item", INT)
    await run("smoke", *plain, "--item", "No.Such", code=3)
    await run("read", *plain, INT, "No.Such", code=3)
    await run_alone("forward", *plain, "--to", "-", "--count", "1", INT)
    await run_alone("forward", *plain, "--to", "-", code=2)
    await run("write", *plain, INT, "5")
    await run("write", *plain, "No.Such", "5", code=3)
    await run("write", *plain, "Plant.Tank1.Level", "5", "--refused")

    (made,) = await run("register", *session, "--client-name", "second")
    await run("unregister", *session, *server, str(made["server_handle"]))
    (made,) = await run("add-item", *at, "--item", BOOL)
    item = ["--item-handle", str(made["item_handle"])]
    await run("add-item2", *at, "--item", "TestDouble", "--context", "TestChildObject")
    await run("add-buffered-item", *at, "--item", DOUBLE)
    await run("add-buffered-item", *at, "--item", DOUBLE, "--interval", "1s", "--context", "TestChildObject")
    for command in ("advise", "suspend", "activate", "unadvise", "advise-supervisory", "remove-item"):
        await run(command, *at, *item)
    await run("remove-item", *at, *item, code=3)
    await run("subscribe-bulk", *at, "--item", BOOL, "--item", DOUBLE)
    await run("read-bulk", *at, "--item", INT)
    await run("read-bulk", *at, "--item", INT, "--item", "No.Such", code=3)
    await run("bench-read-bulk", *at, "--item", INT, "--rounds", "2")
    await run("bench-read-bulk", *at, "--item", "No.Such", "--rounds", "1", code=3)

    await run(*opened.write, "--type", "int32", "--value", "5")
    for command in ("write-bulk", "write2-bulk", "write-secured-bulk", "write-secured2-bulk"):
        more = ["--timestamp", "2026-10-02T08:14:00Z"] if "2" in command else []
        more += ["--user", "ann", "--password-env", "ANN"] if "secured" in command else []
        await run(command, *at, "--entry", f"{opened.item}=int32:5", *more)
        await run(command, *at, "--entry", "99=int32:5", *more, code=3)

    for command in ("ping", "session-state", "worker-info"):
        await run(command, *session)
    await run("call", "ping", *session)
    await run("call", "advise", '{"server_handle": 1, "item_handle": 99}', *session, code=3)

    streams = await start(*opened.stream, "--count", "2", "--json"), await start("stream-alarms", *plain, "--json",
        "--prefix", "ZB!Plant.Boiler", "--count", "4")  # fmt: skip
    gateway.raise_alarm(HIGH, severity=700, type_name="Hi", value=98.5, limit=95.0)
    await until(lambda: gateway.open_streams and gateway.open_alarm_streams)
    gateway.set(INT, 7)
    gateway.set(INT, None, quality=0)
    await run("acknowledge-alarm", *plain, "--reference", HIGH)
    for command, process in zip(("stream-events", "stream-alarms"), streams, strict=True):
        ran = await ended(process)
        assert (ran.code, ran.err) == (0, "")
        take(command, ran.json)

    await until(lambda: not gateway.open_streams)
    await run(*opened.stream, "--output", str(tmp_path / "events.csv"), "--for", "100ms")

    for with_attributes in ([], ["--attributes"]):
        await run("galaxy-browse", *plain, *with_attributes)
        await run("galaxy-discover", *plain, *with_attributes)
    await run("galaxy-deploy-events", *plain, "--count", "1")
    take("batch", await batch.ask("galaxy-browse"))
    assert await batch.end() == (0, "")

    assert {command: set(validators(command)) - kinds - {"line_failed"} for command, kinds in seen.items()} == {
        command: set() for command in LINES
    }


def test_the_guide_names_the_keys_of_the_schemas() -> None:
    table = text_of("docs/mxgw-py.md").partition("| command | keys |\n|---|---|\n")[2].partition("\n\n")[0]
    guide = {}
    for row in table.splitlines():
        commands, keys = row.strip("| ").split(" | ", 1)
        guide[commands] = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", keys)))

    def keys(command: str, kind: str) -> set[str]:
        return set(schema_of(command)["$defs"][f"line_{kind}"]["properties"])

    everywhere = {"milliseconds", "ok", "session_id"}
    assert guide["`version`"] == keys("version", "version")
    assert guide["`read`, each tag"] == keys("read", "tag")
    assert guide["`write TAG VALUE`"] == keys("write", "by_name")
    assert guide["`write` to a handle"] == keys("write", "by_handle")
    assert guide["`smoke`, each step"] == keys("smoke", "step")
    assert guide["`smoke`, last"] == keys("smoke", "summary") | {"error"}
    assert guide["`stream-events`, each event"] == set(schema_of("stream-events")["$defs"]["event"]["properties"])
    named = keys("forward", "summary") | keys("forward", "news")
    assert guide["`stream-events --output FILE`, at the end"] == keys("stream-events", "recorded")
    assert guide["`forward`, at the end"] == named
    assert guide["bulk calls"] == keys("write-bulk", "written") | {"error"}
    answers = guide["one call in a session"]
    assert answers == everywhere
    rows = {
        "`register`, `unregister`": (("register", "registered"), ("unregister", "unregistered")),
        "`add-item`, `add-item2`, `add-buffered-item`": (
            ("add-item", "added"),
            ("add-item2", "added"),
            ("add-buffered-item", "added"),
        ),
        "`advise`, `advise-supervisory`, `unadvise`, `remove-item`": (("advise", "advised"), ("unadvise", "unadvised")),
        "`suspend`, `activate`": (("suspend", "suspended"), ("activate", "activated")),
        "`session-state`": (("session-state", "state"),),
        "`worker-info`": (("worker-info", "worker"),),
        "`call`": (("call", "reply"),),
    }
    for row, kinds in rows.items():
        assert guide[row] == set().union(*(keys(*kind) for kind in kinds)) - everywhere, row
    assert guide["`schema`"] == keys("schema", "schema")
    assert guide["`contract compare`"] == keys("contract compare", "compared") - {"text", "weight"}
    assert (
        guide["`contract show`, `contract use`"] == keys("contract show", "spoken") == keys("contract use", "adopted")
    )
    assert guide["`contract reset`"] == keys("contract reset", "removed")
    assert guide["`contract export`"] == keys("contract export", "written")
