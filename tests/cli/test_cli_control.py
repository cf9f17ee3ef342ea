"""Signs of life, facts of a session, and any command of the contract."""

import re
from pathlib import Path
from typing import Any

import pytest
from cli_process import KEY, Drive, Open, Run, Start, ended, until

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway_sim import GalaxyUser, SimulatedGateway

INT = "TestChildObject.TestInt"


def last(gateway: SimulatedGateway) -> Any:
    """The last command that came in."""
    return [call for call in gateway.calls if call.rpc == "Invoke"][-1].request.command


def in_session(opened: Open) -> list[str]:
    return ["--plaintext", "--session-id", opened.session.session_id]


async def test_ping_state_and_worker_of_a_session(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    ran = await mxgw_py("ping", *in_session(opened))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("answered after ")
    assert (await mxgw_py("session-state", *in_session(opened))).out == "READY\n"
    ran = await mxgw_py("worker-info", *in_session(opened), "--json")
    worker = await opened.session.get_worker_info()
    (form,) = ran.json
    assert (form["worker_process_id"], form["worker_version"]) == (worker.worker_process_id, worker.worker_version)
    told = (await mxgw_py("worker-info", *in_session(opened))).out
    assert re.match(rf"process {worker.worker_process_id}, .*, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ\n", told)
    gone = ["--plaintext", "--session-id", "session-0123456789abcdef0123456789abcdef"]
    assert (await mxgw_py("ping", *gone)).code == 3


async def test_call_sends_any_command_and_prints_its_reply(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    fields = f'{{"server_handle": {opened.server}, "item_definition": "TestInt", "item_context": "TestChildObject"}}'
    ran = await mxgw_py("call", "add-item2", fields, *in_session(opened), "--json")
    assert (ran.code, ran.err) == (0, "")
    (form,) = ran.json
    assert form["kind"] == "add_item2"
    assert form["reply"]["add_item2"] == {"item_handle": 2}
    assert last(gateway).add_item2.item_context == "TestChildObject"
    ran = await mxgw_py("call", "ping", *in_session(opened))
    assert (ran.code, ran.err) == (0, "")
    assert '  "kind": "MX_COMMAND_KIND_PING",\n' in ran.out
    ran = await mxgw_py("call", "ping", *in_session(opened), "--output", "csv")
    assert ran.out.startswith("kind,milliseconds,ok,reply,session_id\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add_itm"], "no command of the contract is add_itm; did you mean add_item?"),
        (["add_item", "{"], "not JSON: "),
        (["add_item", "[]"], "the fields of a command are a JSON object"),
        (["add_item", '{"tag": 1}'], "it takes server_handle, item_definition"),
        (["ping", "--password-env", "A"], "a password is for authenticate_user alone, not for ping"),
    ],
)
async def test_a_mistake_in_a_call_is_reported_and_nothing_is_sent(
    arguments: list[str], said: str, gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    before = len(gateway.calls)
    ran = await mxgw_py("call", *arguments, *in_session(opened))
    assert (ran.code, ran.out, len(gateway.calls)) == (2, "", before)
    assert said in ran.err


@pytest.mark.parametrize(
    "field",
    ['"verify_user_password": "geheim"', '"verifyUserPassword": "geheim"', '"verify_user_p\\u0061ssword": "geheim"',
     '"password": "geheim"', '"verify_user_password": ["geheim"]'],
)  # fmt: skip
async def test_a_password_on_the_command_line_is_refused_and_never_repeated(
    field: str, gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    before = len(gateway.calls)
    for more in ([], ["--password-env", "ANN"], ["--json"]):
        fields = f'{{"server_handle": 1, "verify_user": "ann", {field}}}'
        ran = await mxgw_py("call", "authenticate_user", fields, *in_session(opened), *more, ANN="geheim")
        assert (ran.code, len(gateway.calls)) == (2, before)
        assert "a password does not belong on a command line" in ran.out + ran.err
        assert "geheim" not in ran.out + ran.err


async def test_the_password_of_a_call_comes_from_the_environment_or_a_file(mxgw_py: Run, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pass word\n", encoding="utf-8")
    users = [GalaxyUser("ann", "pass word")]
    async with (
        SimulatedGateway(plaintext=True, api_keys=[KEY], users=users) as gateway,
        await GatewayClient.connect(gateway.endpoint, api_key=KEY.text, plaintext=True) as client,
        await client.open_session() as session,
    ):
        await session.register("test")
        call = ["call", "authenticate_user", '{"server_handle": 1, "verify_user": "ann"}', "--plaintext"]
        call += ["--endpoint", gateway.endpoint, "--session-id", session.session_id]
        for source in (["--password-env", "ANN"], ["--password-file", str(tmp_path / "password")]):
            ran = await mxgw_py(*call, *source, "--json", ANN="pass word")
            assert (ran.code, ran.err) == (0, "")
            assert ran.json[0]["reply"]["authenticate_user"]["user_id"]
            assert "pass word" not in ran.out
        ran = await mxgw_py(*call, "--password-env", "ANN", ANN="wrong one")
        assert ran.code == 3
        assert "wrong one" not in ran.out + ran.err
        ran = await mxgw_py(*call)
        assert ran.code == 2
        assert "authenticate_user takes its password from --password-env or --password-file: name one" in ran.err


async def test_an_interrupted_call_that_writes_has_an_unknown_outcome_and_another_has_not(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    write = f'{{"server_handle": {opened.server}, "item_handle": {opened.item}, "value": {{"int32_value": 5}}}}'
    for kind, fields, code in (("write", write, 6), ("ping", "{}", 130)):
        gateway.faults.stall(kind)
        process = await start("call", kind, fields, *in_session(opened), "--json")
        sent = f"MX_COMMAND_KIND_{kind.upper()}"
        await until(lambda sent=sent: sent in str(gateway.calls[-1].request))
        process.terminate()
        ran = await ended(process)
        assert ran.code == code
        gateway.faults.release()


async def test_a_call_works_in_a_batch(gateway: SimulatedGateway, opened: Open, drive: Drive) -> None:
    batch = await drive("--plaintext")
    (answer,) = await batch.ask("call advise", "'{\"server_handle\": 1, \"item_handle\": 1}'",
        "--session-id", opened.session.session_id)  # fmt: skip
    assert (answer["ok"], answer["kind"]) == (True, "advise")
    assert await batch.end() == (0, "")
