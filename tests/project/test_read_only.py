"""Without consent nothing changes the plant, whichever call is made and whichever way it is asked for.

The calls are those of the descriptors, so a new one fails here until docs/safety.md says whether it is a write, and
until a line of each program makes it. The simulated gateway counts what arrives.
"""

import asyncio
import json
import os
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import prepared_programs
import pytest
from contract_calls import (
    ALARM,
    BEFORE_CALL,
    BOOL,
    CALLS,
    FIELDS,
    INT,
    KINDS,
    PROGRAM,
    SHELL,
    STAMP,
    TIME,
    VALUE,
    fields_of,
    program_line,
)
from library_calls import LIBRARY, Plant

from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, MxGatewayError, MxGatewayWriteBlockedError, Session, wire
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.problems import exit_code_for
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

GUARDED = 5
SAFETY = (Path(__file__).parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")


def classified(answer: str) -> list[str]:
    """The calls in the rows of the table "What counts as a write" that have this answer."""
    table = SAFETY.partition("\n## What counts as a write\n")[2].partition("\n## ")[0]
    rows = re.findall(rf"^\| (.+?) \| {answer} \|", table, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


CHANGING = classified("yes")
OTHERS = classified("no")
CHANGING_KINDS = [kind for kind in KINDS if kind in CHANGING]


def bare(kind: str, session_id: str = "session-1") -> pb.MxCommandRequest:
    """A command of that kind without any field."""
    return wire.command_request(session_id, wire.command(kind), "correlation-1")


def test_every_call_is_classified_once_and_as_the_library_takes_it() -> None:
    assert sorted([*CHANGING, *OTHERS]) == sorted(CALLS)
    assert [kind for kind in KINDS if wire.changes_plant(bare(kind))] == CHANGING_KINDS
    assert wire.changes_plant(pb.AcknowledgeAlarmRequest())


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    """A permissive gateway with an active alarm. At the end of each test nothing has asked it for a change."""
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as running:
        running.raise_alarm(ALARM)
        yield running
        assert running.mutating_calls == 0
        assert not running.writes
        assert [alarm.acked for alarm in running.alarms] == [False]


# The library.


@pytest.fixture
async def plant(gateway: SimulatedGateway) -> AsyncIterator[Plant]:
    """A session with two advised items, on a client with a desk that nobody has armed."""
    desk = WriteDesk(WriteRules(Arming()), WriteRecords("plant", gateway.endpoint))
    options = ClientOptions(endpoint=gateway.endpoint, plaintext=True, write_guard=desk)
    async with await GatewayClient.connect(options) as client:
        session = await client.open_session()
        server = await session.register("x")
        results = await session.subscribe_bulk(server, [INT, BOOL])
        yield Plant(client, session, server, [each.item_handle for each in results], str(gateway.alarms[0].guid))


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_of_the_library(name: str, plant: Plant) -> None:
    if name in CHANGING:
        with pytest.raises(MxGatewayWriteBlockedError, match="nothing was sent"):
            await LIBRARY[name](plant)
        return
    made = await LIBRARY[name](plant)
    if isinstance(made, Session):
        await made.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_of_ones_own(kind: str, plant: Plant) -> None:
    client, session = plant.client, plant.session
    # A payload without a kind, and with another one: a gateway may go by either.
    without, another = bare(kind, session.session_id), bare("ping", session.session_id)
    without.command.ClearField("kind")
    getattr(another.command, kind).SetInParent()
    requests = [bare(kind, session.session_id), without, *([another] if kind in CHANGING else [])]
    for request in requests:
        for send in (client.invoke, session.send, client._transport.invoke):  # the last is where all of them end
            if kind in CHANGING:
                with pytest.raises(MxGatewayWriteBlockedError):
                    await send(request)
            else:
                # What the gateway says of a command without fields is not the question.
                with suppress(MxGatewayError):
                    await send(request)


# The shell, line by line.


async def follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


DEFAULTS = {
    "server_handle": 1,
    "item_handle": 1,
    "value": VALUE,
    "timestamp_value": STAMP,
    "tag_addresses": [INT],
    "item_definition": INT,
    "client_name": "x",
}


def json_of(kind: str, gateway: SimulatedGateway) -> str:
    """Fields that the kind takes, as JSON."""
    if kind in FIELDS:
        return fields_of(kind, gateway)
    fields = {field.name for field in getattr(pb.MxCommand(), kind).DESCRIPTOR.fields}
    return json.dumps({name: value for name, value in DEFAULTS.items() if name in fields})


def lines_of(name: str, gateway: SimulatedGateway) -> list[str]:
    """The lines of the shell that make a call; the last one makes it."""
    lines = SHELL.get(name) or (*BEFORE_CALL.get(name, ()), f"call {name} {json_of(name, gateway)}")
    return [line.replace("{endpoint}", gateway.endpoint) for line in lines]


@pytest.fixture
async def context(gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Context]:
    """A shell that has connected and that nobody has armed, with every yes given beforehand."""
    monkeypatch.setenv("MXGATEWAY_PASSWORD", "secret")
    context = Context(all_commands(), interactive=False)
    context.assume_yes = context.has_screen = True
    await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant")
    yield context
    while context.connections:
        await context.disconnect()


async def is_blocked(context: Context, line: str) -> bool:
    """Whether a line is refused here; any other error of it is raised."""
    outcome = await LineRun(context, line).run(follow)
    if outcome.error is not None:
        if exit_code_for(outcome.error) != GUARDED:
            raise outcome.error
        return True
    return outcome.result is not None and outcome.result.exit_code == GUARDED


@pytest.mark.parametrize("name", CALLS)
async def test_a_typed_line(name: str, context: Context, gateway: SimulatedGateway) -> None:
    *before, line = lines_of(name, gateway)
    for each in before:
        assert not await is_blocked(context, each)
    assert await is_blocked(context, line) is (name in CHANGING)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "authenticate_user"])  # a password is never typed
async def test_a_typed_call(kind: str, context: Context, gateway: SimulatedGateway) -> None:
    for each in (*BEFORE_CALL.get(kind, ()), *SHELL.get(kind, ())[:-1]):
        await is_blocked(context, each)
    try:
        blocked = await is_blocked(context, f"call {kind} {json_of(kind, gateway)}")
    except MxGatewayError:
        blocked = False  # The gateway refused the fields.
    assert blocked is (kind in CHANGING)


# Programs as their users start them.


class Programs:
    """Runs programs that may connect to the gateway, and get no consent to a write."""

    def __init__(self, gateway: SimulatedGateway, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
        self.environment |= {
            "MXGATEWAY_PASSWORD": "secret",
            "MXGATEWAY_PROFILES": str(folder / "profiles.toml"),
            "MXGATEWAY_STATE": str(folder / "records"),
        }
        self.file("profiles.toml", "[profiles.plant]", f'endpoint = "{gateway.endpoint}"', "plaintext = true")

    async def __call__(self, program: str, *arguments: str, stdin: str | None = None) -> tuple[int, str]:
        """The exit code and all that was said."""
        ended = await prepared_programs.ended(
            f"zb_mom_ww_mxgateway_{program}",
            arguments,
            environment=self.environment,
            folder=self.folder,
            stdin=None if stdin is None else stdin.encode(),
        )
        return ended.code, (ended.out + ended.err).decode()

    def file(self, name: str, *lines: str) -> str:
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name


@pytest.fixture
def programs(gateway: SimulatedGateway, tmp_path: Path) -> Programs:
    return Programs(gateway, tmp_path)


PLANT = ("--profile", "plant")
DECLARED = f'requires write "{INT}" "Plant.*"'


@pytest.mark.parametrize("name", CHANGING)
async def test_a_line_of_a_run(name: str, programs: Programs, gateway: SimulatedGateway) -> None:
    lines = lines_of(name, gateway)
    undeclared, declared = programs.file("undeclared.mxs", *lines), programs.file("declared.mxs", DECLARED, *lines)
    endpoint = ("--endpoint", gateway.endpoint, "--plaintext")
    typed = [word for line in lines for word in ("-e", line)]
    runs = [
        programs("shell", *endpoint, "-c", declared),
        programs("shell", *PLANT, *typed, "--yes"),
        programs("shell", *PLANT, stdin="\n".join((*lines, ""))),
    ]
    if name in ("write", "write_bulk", "AcknowledgeAlarm"):
        runs += [
            programs("shell", *PLANT, "-c", undeclared),
            programs("shell", *endpoint, "-c", declared, "--arm", BOOL, "--yes"),
            programs("shell", "-e", f"connect {gateway.endpoint} --plaintext", *typed),
            programs("shell", *endpoint, stdin="\n".join((DECLARED, *lines, ""))),
        ]
    for code, said in await asyncio.gather(*runs):
        assert code == GUARDED, said


async def test_all_other_lines_of_a_run(programs: Programs, gateway: SimulatedGateway) -> None:
    # Whatever the lines before it left behind: what a line meets is not the question.
    lines = ["on-error continue"]
    for name in OTHERS:
        lines += [*lines_of(name, gateway), *(["use plant"] if name == "CloseSession" else [])]
    path = programs.file("others.mxs", *lines)
    for code, said in await asyncio.gather(
        programs("shell", *PLANT, "-c", path, "--yes"), programs("shell", *PLANT, "--yes", stdin="\n".join(lines))
    ):
        assert code != GUARDED, said
        assert "blocked locally" not in said


PYTHON = """
import json

async def tried(what):
    try:
        await what
    except Exception as error:
        return str(error)
    return ""

said = []
for name, lines, fields in json.loads(CALLS):
    for line in ("disconnect", "connect plant", *lines[:-1]):
        await tried(mx(line))
    said.append([name, "line", await tried(mx(lines[-1]))])
    if fields:
        said.append([name, "call_json", await tried(session.call_json(name, fields))])
        said.append([name, "invoke", await tried(client.invoke(session.request(name)))])
print(json.dumps(said))
"""


async def test_a_python_file(programs: Programs, gateway: SimulatedGateway) -> None:
    calls = [
        (name, lines_of(name, gateway), json_of(name, gateway) if name in CHANGING_KINDS else "") for name in CALLS
    ]
    path = programs.file("calls.py", PYTHON.replace("CALLS", repr(json.dumps(calls))))
    _, said = await programs("shell", *PLANT, "--python", path, "--yes")
    (found,) = (json.loads(line) for line in said.splitlines() if line.startswith("[["))
    assert len(found) == len(CALLS) + 2 * len(CHANGING_KINDS)
    for name, way, text in found:
        assert ("read-only" in text or "blocked locally" in text) is (name in CHANGING), (name, way, text)


# mxgw-py.


def words_of(name: str, gateway: SimulatedGateway, session: str, programs: Programs) -> list[str]:
    entry = json.dumps({"item_handle": 1, "type": "int32", "value": 5, "timestamp": TIME})
    stamped = programs.file("entries.jsonl", entry)
    return [word.replace("{session}", session).replace("{stamped}", stamped) for word in program_line(name, gateway)]


def call_words(kind: str, gateway: SimulatedGateway, session: str) -> list[str]:
    return ["call", kind, json_of(kind, gateway), "--session-id", session]


# All the others are lines of a batch.
@pytest.mark.parametrize("name", ["write", "write_bulk", "AcknowledgeAlarm"])
async def test_a_command_of_mxgw_py(name: str, programs: Programs, gateway: SimulatedGateway, plant: Plant) -> None:
    session = plant.session.session_id
    words = words_of(name, gateway, session, programs)
    runs = [programs("cli", *words, *PLANT), programs("cli", *words, *PLANT, "--arm", "Other.*", "--yes")]
    if name in KINDS:
        runs.append(programs("cli", *call_words(name, gateway, session), *PLANT))
    if name == "write":
        runs.append(programs("cli", "write", INT, "5", *PLANT))
    for code, said in await asyncio.gather(*runs):
        assert code == GUARDED, said


@pytest.mark.parametrize("consent", [(), ("--arm", "Other.*", "--yes")], ids=["none", "to others"])
async def test_a_batch_of_mxgw_py(
    consent: tuple[str, ...], programs: Programs, gateway: SimulatedGateway, plant: Plant
) -> None:
    session = plant.session.session_id
    names = [name for name in CALLS if name in PROGRAM or name in FIELDS]
    # First what needs items and registrations, last the end of the session.
    names.sort(key=lambda name: (name not in CHANGING, name in ("shutdown_worker", "CloseSession")))
    lines = {f"call {kind}": call_words(kind, gateway, session) for kind in CHANGING_KINDS}
    lines |= {name: words_of(name, gateway, session, programs) for name in names}
    batch = "".join(f"{shlex.join(words)}\n" for words in lines.values())
    code, said = await programs("cli", "batch", *PLANT, *consent, stdin=batch)
    assert code == 0, said
    answers = [answer.splitlines()[-1] for answer in said.split("__MXGW_BATCH_EOR__\n")[: len(lines)]]
    codes = {
        name: error["exit_code"]
        for name, answer in zip(lines, answers, strict=True)
        if (error := json.loads(answer).get("error"))
    }
    blocked = {name for name, code in codes.items() if code == GUARDED}
    assert blocked == {*CHANGING, *(f"call {kind}" for kind in CHANGING_KINDS)}
