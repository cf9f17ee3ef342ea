"""``read TAG…`` and ``write TAG VALUE`` in one step, and the forms that results are printed in."""

import asyncio
import csv
import io
import json
import re
import signal
import sys
from typing import Any

import grpc
import pytest
from cli_process import KEY, Drive, Run, Start, ended, until

from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, NativeType, SimulatedGateway, TagDefinition

INT, FLOAT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestFloat", "TestChildObject.TestBool"
STRING, SETPOINT, LEVEL = "TestChildObject.TestString", "Plant.Tank1.LevelSP", "Plant.Tank1.Level"


async def test_tags_are_read_in_one_step_and_nothing_is_left_behind(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.set(INT, 41)
    ran = await mxgw_py("read", INT, LEVEL, "--plaintext")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{INT}  41  good  ")
    assert not gateway.live_sessions
    ran = await mxgw_py("read", INT, "--plaintext", "--json")
    (form,) = ran.json
    assert (form["tag"], form["value"], form["quality_word"], form["cached"], form["ok"]) == (
        INT, 41, "good", False, True,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no time zone from TZ")
async def test_text_has_local_times_or_utc_with_their_zone(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    read = ("read", "TestChildObject.TestTime", "--plaintext")
    assert "  2026-01-01T05:30:00.000+05:30  good  " in (await mxgw_py(*read, TZ="Asia/Kolkata")).out
    utc = await mxgw_py(*read, TZ="Asia/Kolkata", MXGATEWAY_TIMES="utc")
    assert re.search(r"  2026-01-01T00:00:00\.000Z  good  \S+Z", utc.out)
    (form,) = (await mxgw_py(*read, "--json", TZ="Asia/Kolkata")).json
    assert form["value"] == "2026-01-01T00:00:00.000Z"
    wrong = await mxgw_py(*read, MXGATEWAY_TIMES="gmt")
    assert (wrong.code, "MXGATEWAY_TIMES: one of local, utc is expected, not gmt" in wrong.err) == (2, True)


async def test_a_tag_that_cannot_be_read_is_said_beside_the_others(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("read", "No.Such", INT, "--plaintext", "--json")
    assert ran.code == 3
    wrong, right, error = ran.json
    assert (wrong["ok"], right["ok"], error["ok"]) == (False, True, False)
    assert "1 of 2 failed" in error["error"]["message"]
    nothing = await mxgw_py("read", "--plaintext")
    assert (nothing.code, "TAG" in nothing.err) == (2, True)


async def test_a_time_that_no_gateway_gives_a_tag_is_said_of_its_option(mxgw_py: Run) -> None:
    ran = await mxgw_py("read", INT, "--plaintext", "--timeout", "2h")
    assert (ran.code, "'--timeout': at most 1h" in ran.err) == (2, True)


async def test_tags_come_from_standard_input_too(gateway: SimulatedGateway, start: Start) -> None:
    process = await start("read", "--items-file", "-", "--plaintext", "--json", stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(f"{INT}\n\n{FLOAT}\n".encode())
    process.stdin.close()
    ran = await ended(process)
    assert [form["tag"] for form in ran.json] == [INT, FLOAT]


async def test_a_batch_keeps_its_standard_input_and_its_form(gateway: SimulatedGateway, drive: Drive) -> None:
    driver = await drive("--plaintext")
    (answer,) = await driver.ask("read", "--items-file", "-")
    assert "standard input has the lines" in answer["error"]["message"]
    (answer,) = await driver.ask("read", INT, "--output", "csv")
    assert "answered by JSON" in answer["error"]["message"]
    (answer,) = await driver.ask("read", INT)
    assert answer["tag"] == INT
    (answer,) = await driver.ask("write", INT, "-7")
    assert answer["outcome"] == "completed"
    (answer,) = await driver.ask("write", f"{INT}Array", """'["5", "6"]'""")
    assert (answer["error"]["exit_code"], '"5" is text' in answer["error"]["message"]) == (2, True)
    (answer,) = await driver.ask("write", f"{INT}Array", "'[5, 6]' --type int32")
    assert (answer["outcome"], answer["value"]) == ("completed", [5, 6])
    assert await driver.end() == (0, "")


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        (INT, "123", 123),
        (INT, "-5", -5),
        (SETPOINT, "60", 60.0),
        ("TestChildObject.TestDouble", "-1.5e1", -15.0),
        (BOOL, "TRUE", True),
        (STRING, "007", "007"),
        (STRING, "-5", "-5"),
    ],
)
async def test_a_tag_is_written_in_one_step_in_its_own_type(
    gateway: SimulatedGateway, mxgw_py: Run, tag: str, text: str, value: object
) -> None:
    ran = await mxgw_py("write", tag, text, "--plaintext", "--json")
    assert (ran.code, ran.err) == (0, "")
    (form,) = ran.json
    assert (form["outcome"], form["ok"], form["value"]) == ("completed", True, value)
    assert gateway.read(tag).value == value
    assert not gateway.live_sessions


async def test_a_negative_value_may_stand_behind_a_flag(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("write", INT, "--plaintext", "-5")
    assert (ran.code, gateway.read(INT).value) == (0, -5)
    # But what an option is given is its own.
    ran = await mxgw_py("write", INT, "6", "--plaintext", "--user-id", "-5")
    assert (ran.code, "--user-id" in ran.err, gateway.read(INT).value) == (2, True, -5)


async def test_an_array_of_texts_is_written_as_it_is_typed(mxgw_py: Run) -> None:
    texts = TagDefinition("Recipe.Texts", NativeType.STRING, ("a", "b", "c"), is_array=True)
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], tags=[texts]) as gateway:
        words = ("--plaintext", "--endpoint", gateway.endpoint)
        ran = await mxgw_py("write", texts.name, '[1.10, "x", 1e5]', *words)
        assert (ran.code, gateway.read(texts.name).value) == (0, ("1.10", "x", "1e5"))
        ran = await mxgw_py("write", texts.name, "[null]", *words)
        assert (ran.code, "Array expected" in ran.err) == (2, True)
        assert len(gateway.writes) == 1


async def test_a_write_that_is_refused_and_a_value_that_cannot_be(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("write", LEVEL, "5", "--plaintext", "--json")
    (form,) = ran.json
    assert (ran.code, form["outcome"], form["result"]) == (3, "refused", "refused_there")
    assert (form["ok"], form["tag"]) == (False, LEVEL)
    assert form["statuses"]
    ran = await mxgw_py("write", INT, "abc", "--plaintext")
    assert ran.code == 2
    assert "Integer expected" in ran.err
    assert "nothing was written" in (await mxgw_py("write", "No.Such", "5", "--plaintext")).err
    assert not gateway.writes


async def test_a_write_whose_answer_is_lost_is_unknown_and_sent_once(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.faults.lose_next_reply("write")
    ran = await mxgw_py("write", INT, "5", "--plaintext", "--json")
    (form,) = ran.json
    assert (ran.code, form["outcome"], form["error"]["outcome_unknown"]) == (6, "unknown", True)
    assert form["result"] == "unknown"


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
async def test_a_write_that_is_called_off_is_unknown_and_says_where(gateway: SimulatedGateway, start: Start) -> None:
    gateway.faults.stall("write")
    process = await start("write", INT, "5", "--plaintext", "--json")
    await until(lambda: any(call.rpc == "Invoke" and call.request.command.HasField("write") for call in gateway.calls))
    process.send_signal(signal.SIGTERM)
    ran = await ended(process)
    gateway.faults.release()
    (form,) = ran.json
    error = form["error"]
    assert (ran.code, form["outcome"], form["tag"], form["value"], ran.err) == (6, "unknown", INT, 5, "")
    assert (error["outcome_unknown"], error["call"], error["endpoint"]) == (True, "write", gateway.endpoint)


async def test_a_write_whose_completion_does_not_come_is_not_called_done(
    gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    gateway.faults.hold_write_completes()
    ran = await mxgw_py("write", INT, "5", "--plaintext", "--timeout", "8s", "--json")
    (form,) = ran.json
    assert (ran.code, form["outcome"], form["result"]) == (6, "accepted", "unknown")


async def test_a_key_that_may_not_write_writes_nothing(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    reader = GatewayKey("reader", "only", frozenset(KeyScope) - {KeyScope.INVOKE_WRITE})
    async with SimulatedGateway(plaintext=True, api_keys=[reader]) as other:
        ran = await mxgw_py(
            "write", INT, "5", "--plaintext", "--json", "--endpoint", other.endpoint, MXGATEWAY_API_KEY=reader.text
        )
        (form,) = ran.json
        assert (ran.code, form["outcome"], form["result"]) == (3, "not sent", "refused_there")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "TAG VALUE is expected"),
        ((INT,), "one VALUE is expected"),
        ((INT, "5", "--value", "6"), "one VALUE is expected"),
        ((INT, "5", "--session-id", "session-1"), "exclude each other"),
        (("--session-id", "session-1"), "missing option --server-handle, --item-handle, --type, --value"),
        ((INT, "5", "--tpye", "int32"), "No such option"),
        ((INT, "5", "6"), "unexpected extra argument"),
    ],
)
async def test_what_a_write_is_not(gateway: SimulatedGateway, mxgw_py: Run, words: tuple[str, ...], said: str) -> None:
    ran = await mxgw_py("write", *words, "--plaintext")
    assert ran.code == 2
    assert said in ran.err
    assert not gateway.live_sessions


# Forms.


async def test_the_forms_of_results(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.set(INT, 41)
    gateway.set(STRING, "=1+2, really")
    words = ("read", INT, STRING, "--plaintext", "--output")
    document, lines, table, sheet = await asyncio.gather(
        *(mxgw_py(*words, form) for form in ("json", "jsonl", "table", "csv"))
    )
    whole: list[dict[str, Any]] = json.loads(document.out)
    assert whole == lines.json
    assert [each["value"] for each in whole] == [41, "=1+2, really"]
    assert table.out == (await mxgw_py(*words[:-1])).out
    rows = list(csv.DictReader(io.StringIO(sheet.out)))
    assert [(row["tag"], row["value"]) for row in rows] == [(INT, "41"), (STRING, "'=1+2, really")]


async def test_no_form_of_a_result_has_a_key_in_it(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.set(STRING, "mxgw_other_bm90LWE")
    for form in ("json", "jsonl", "table", "csv"):
        ran = await mxgw_py("read", STRING, "--plaintext", "--output", form)
        assert (ran.code, "mxgw_other_***" in ran.out, "bm90LWE" in ran.out) == (0, True, False)


async def test_a_document_is_an_object_of_one_result_and_a_list_of_a_stream(
    gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    version = await mxgw_py("version", "--output", "json")
    assert json.loads(version.out)["ok"] is True
    deploys = await mxgw_py("galaxy-deploy-events", "--plaintext", "--count", "1", "--output", "json")
    assert len(json.loads(deploys.out)) == 1
    failed = await mxgw_py("read", "No.Such", "--plaintext", "--output=json")
    assert [each["ok"] for each in json.loads(failed.out)] == [False, False]
    wrong = await mxgw_py("read", "--nonsense", "--output=json")
    assert json.loads(wrong.out)["ok"] is False
    smoke = await mxgw_py("smoke", "--item", INT, "--plaintext", "--output", "csv")
    assert smoke.out.splitlines()[0] == "milliseconds,ok,session_id,step"
    both = await mxgw_py("version", "--json", "--output", "csv")
    assert (both.code, "name one form" in both.out + both.err) == (2, True)


async def test_streams_end_by_the_names_that_the_shell_has_too(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    for words in (("--for", "50ms"), ("--duration", "50ms"), ("--count", "1"), ("--max-messages", "1")):
        ran = await mxgw_py("stream-alarms", "--plaintext", *words)
        assert (ran.code, ran.err) == (0, ""), words


async def test_a_refusal_says_first_what_it_means(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("write", LEVEL, "5", "--plaintext")
    assert (ran.code, ran.out) == (3, "")
    assert "write: REFUSED: read-only (ViewOnly); SECURITY_ERROR, detected by" in ran.err
    assert f"; {LEVEL} did not take 5.0" in ran.err
    for _ in ("the range, before it is sent", "the security, of which the refusal tells"):
        gateway.faults.fail_next("DiscoverHierarchy", code=grpc.StatusCode.UNAVAILABLE)
    ran = await mxgw_py("write", LEVEL, "5", "--plaintext")
    assert "write: REFUSED: write access was denied; SECURITY_ERROR, detected by" in ran.err


async def test_a_write_that_the_plant_must_refuse_succeeds_if_it_does(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("write", LEVEL, "5", "--plaintext", "--json", "--refused", "security-error")
    assert ran.code == 0, ran.err
    (form,) = ran.json
    assert (form["ok"], form["outcome"], form["result"], form["refused_by"]) == (
        True, "refused", "refused_there", "MXAccess",
    )  # fmt: skip
    ran = await mxgw_py("write", LEVEL, "5", "--plaintext", "--refused")
    assert (ran.code, "as expected refused by MXAccess: read-only (ViewOnly); SECURITY_ERROR" in ran.out) == (0, True)
    ran = await mxgw_py("write", LEVEL, "5", "--plaintext", "--refused", "56")
    assert (ran.code, "to be refused with detail 56, and it was refused by MXAccess" in ran.err) == (1, True)
    ran = await mxgw_py("write", INT, "5", "--plaintext", "--json", "--refused")
    assert ran.code == 1
    assert (ran.json[-1]["ok"], ran.json[-1]["result"], gateway.read(INT).value) == (False, "completed", 5)
    gateway.faults.fail_next("write", code=grpc.StatusCode.PERMISSION_DENIED)
    ran = await mxgw_py("write", INT, "6", "--plaintext", "--refused", "PERMISSION_DENIED")
    assert (ran.code, "as expected refused by the gateway" in ran.out) == (0, True)
    gateway.faults.lose_next_reply("write")
    assert (await mxgw_py("write", INT, "7", "--plaintext", "--refused")).code == 6
    ran = await mxgw_py("write", INT, "8", "--plaintext", "--refused", "NONSENSE")
    assert (ran.code, "a status is expected behind --refused" in ran.err) == (2, True)
