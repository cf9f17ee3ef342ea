"""Alarms without a session: the feed as it comes, and acknowledging."""

import asyncio
import csv
import io
import json
from unittest.mock import ANY

import grpc
from cli_process import KEY, Run, Start, ended, until

from zb_mom_ww_mxgateway_sim import SimulatedGateway

HIGH = "ZB!Plant.Boiler.High"
STREAM = ("stream-alarms", "--plaintext")
ACKNOWLEDGE = ("acknowledge-alarm", "--plaintext", "--reference", HIGH)


def raise_high(gateway: SimulatedGateway) -> None:
    gateway.raise_alarm(HIGH, severity=700, type_name="Hi", description="too\x1b hot", value=98.5, limit=95.0)


async def test_the_feed_as_csv_has_one_heading_for_all_kinds_of_messages(
    gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    raise_high(gateway)
    ran = await mxgw_py(*STREAM, "--prefix", "ZB!Plant.Boiler", "--max-messages", "3", "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["message"] for row in rows] == ["active_alarm", "snapshot_complete", "provider_status"]
    assert (rows[0]["reference"], rows[0]["severity"], rows[1]["severity"], rows[2]["mode"]) == (
        HIGH,
        "700",
        "",
        "ALARMMGR",
    )
    assert all(None not in row and None not in row.values() for row in rows)


async def test_the_json_of_the_feed(gateway: SimulatedGateway, start: Start, mxgw_py: Run) -> None:
    raise_high(gateway)
    process = await start(*STREAM, "--prefix", "ZB!Plant.Boiler", "--max-messages", "5", "--json")
    await until(lambda: gateway.open_alarm_streams)
    ran = await mxgw_py(*ACKNOWLEDGE, "--comment", "seen", "--operator", "ann", "--json")
    assert (ran.code, ran.err) == (0, "")
    (form,) = ran.json
    assert isinstance(form.pop("milliseconds"), float)
    assert form == {"comment": "seen", "ok": True, "operator": "ann", "reference": HIGH}
    gateway.clear_alarm(HIGH)
    active, complete, provider, acknowledged, cleared = (ran := await ended(process)).json
    assert (ran.code, ran.err) == (0, "")
    facts = {
        "alarm_type": "Hi",
        "category": "Process",
        "comment": "",
        "current_value": 98.5,
        "degraded": False,
        "description": "too\x1b hot",
        "limit_value": 95.0,
        "operator": "",
        "raised_at": ANY,
        "reference": HIGH,
        "severity": 700,
        "source_object": ANY,
        "source_provider": "ALARMMGR",
    }
    assert active == facts | {"changed_at": ANY, "message": "active_alarm", "state": "ACTIVE"}
    assert active["raised_at"].endswith("Z")
    assert complete == {"message": "snapshot_complete"}
    assert provider == {
        "degraded": False,
        "message": "provider_status",
        "mode": "ALARMMGR",
        "reason": "",
        "since": ANY,
    }
    said = {"comment": "seen", "operator": "ann"}
    assert acknowledged == facts | said | {"at": ANY, "kind": "ACKNOWLEDGE", "message": "transition"}
    assert (cleared["message"], cleared["kind"], cleared["reference"]) == ("transition", "CLEAR", HIGH)


async def test_the_feed_for_a_person(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    raise_high(gateway)
    ran = await mxgw_py(*STREAM, "--prefix", HIGH, "--duration", "300ms")
    assert (ran.code, ran.err) == (0, "")
    active, complete, provider = ran.out.splitlines()
    assert active.startswith(f"ACTIVE         700  {HIGH}  98.5 (limit 95.0)  too\\x1b hot  20")
    assert complete == "SNAPSHOT COMPLETE"
    assert provider.startswith("PROVIDER ALARMMGR since 20")


async def test_each_message_is_flushed(gateway: SimulatedGateway, start: Start) -> None:
    process = await start(*STREAM, "--prefix", HIGH, "--json")
    assert process.stdout is not None
    await until(lambda: gateway.open_alarm_streams)
    raise_high(gateway)
    async with asyncio.timeout(30):
        lines = [json.loads(await process.stdout.readline()) for _ in range(3)]
    assert [line["message"] for line in lines] == ["snapshot_complete", "provider_status", "transition"]


async def test_an_alarm_that_is_not_there_is_refused(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*ACKNOWLEDGE)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("mxgw-py: acknowledge_alarm: MXAccess refused: 0x80004005; ")
    assert ran.err.count("\n") == 1


async def test_a_lost_reply_is_an_unknown_outcome(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    raise_high(gateway)
    gateway.faults.fail_next("AcknowledgeAlarm", code=grpc.StatusCode.UNAVAILABLE, details="gone")
    ran = await mxgw_py(*ACKNOWLEDGE)
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith(f"mxgw-py: outcome unknown: acknowledge_alarm at {gateway.endpoint}: UNAVAILABLE gone. ")
    assert sum(call.rpc == "AcknowledgeAlarm" for call in gateway.calls) == 1


async def test_an_acknowledgement_for_a_person(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    raise_high(gateway)
    ran = await mxgw_py(*ACKNOWLEDGE)
    assert (ran.code, ran.out, ran.err) == (0, "acknowledged\n", "")


async def test_a_gateway_without_alarms_says_so(environment: dict[str, str], mxgw_py: Run) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], alarms=False) as gateway:
        for command in (STREAM, ACKNOWLEDGE):
            ran = await mxgw_py(*command, MXGATEWAY_ENDPOINT=gateway.endpoint)
            assert (ran.code, ran.out) == (3, "")
            assert "alarms are disabled" in ran.err
            assert ran.err.count("\n") == 1
