"""The forms that both command lines share: stable JSON, exit codes, and text that is safe for a terminal."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import click
import pytest
from cli_process import Run
from click.testing import CliRunner

from zb_mom_ww_mxgateway import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmFeedItem,
    AlarmProviderMode,
    AlarmProviderStatus,
    AlarmSnapshotComplete,
    AlarmTransition,
    AlarmTransitionKind,
    Array,
    BufferedData,
    DataType,
    EventFamily,
    EventHeader,
    MxAccessError,
    MxEvent,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCertificateChangedError,
    MxGatewayCommandError,
    MxGatewayContractError,
    MxGatewayError,
    MxGatewayGalaxyChangedError,
    MxGatewayMissingExtraError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWaitError,
    MxGatewayWorkerError,
    MxGatewayWriteBlockedError,
    MxStatus,
    RawValue,
    ReplayGap,
    StatusCategory,
    StatusSource,
    UnknownAlarmMessage,
    wire,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.safety.condition_parser import ConditionError
from zb_mom_ww_mxgateway.safety.journal_chain import JournalError
from zb_mom_ww_mxgateway.safety.limits_file import LimitsError
from zb_mom_ww_mxgateway.times import to_nanoseconds
from zb_mom_ww_mxgateway_cli.forward.broker import BrokerLostError, BrokerRefusedError
from zb_mom_ww_mxgateway_cli.gateways import Gateways
from zb_mom_ww_mxgateway_cli.running import CommandRun, report_options
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_text, feed_form
from zb_mom_ww_mxgateway_console.render.event_forms import event_form, event_text
from zb_mom_ww_mxgateway_console.render.forms import (
    EntriesFailed,
    ExpectationNotMet,
    error_form,
    error_message,
    exit_code_of,
    json_line,
    safe,
    value_form,
    value_text,
)
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.render.report_formats import REPORT_FORMATTERS, ReportFormatter
from zb_mom_ww_mxgateway_sim import SimulatedGateway

MOMENT = datetime(2026, 10, 2, 10, 14, 0, 250000, tzinfo=timezone(timedelta(hours=2)))
RAW = RawValue(DataType.UNKNOWN, "VT_DISPATCH", 9, "no\x1b projection", b"\x00\xff")


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, "null", "null"),
        (True, "true", "true"),
        (-5, "-5", "-5"),
        (2.0, "2.0", "2.0"),
        (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
        (1e300, "1e+300", "1e+300"),
        (math.nan, '"nan"', "nan"),
        (-math.inf, '"-inf"', "-inf"),
        ("ä\n\x1b[2J", '"\\u00e4\\n\\u001b[2J"', "ä\\n\\x1b[2J"),
        (MOMENT, '"2026-10-02T08:14:00.250Z"', "2026-10-02T08:14:00.250Z"),
        (MOMENT.replace(microsecond=1), '"2026-10-02T08:14:00.000001Z"', "2026-10-02T08:14:00.000001Z"),
        (b"\x00\xff", '{"base64": "AP8="}', "2 bytes 00 ff"),
        (Array([1, 2], (2,), DataType.INTEGER), "[1, 2]", "[1, 2]"),
        (Array(["a, b", "\x07"], (2,), DataType.STRING), '["a, b", "\\u0007"]', '["a, b", "\\\\x07"]'),
        (
            RAW,
            '{"raw": {"base64": "AP8=", "data_type": "UNKNOWN", "raw_data_type": 9, '
            '"raw_diagnostic": "no\\u001b projection", "variant_type": "VT_DISPATCH"}}',
            "<VT_DISPATCH, not converted: no\\x1b projection>",
        ),
    ],
)
def test_a_value_as_json_and_as_text(value: object, form: str, text: str) -> None:
    assert json_line(value_form(value)) == form
    assert value_text(value) == text


def test_a_long_array_is_cut_for_a_person_only() -> None:
    values = list(range(100))
    assert value_text(values).endswith("18, 19, … 100 in all]")
    assert value_form(values) == values


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x200B, 0x202E, 0x2028, 0x2066, 0xFEFF])
def test_nothing_that_moves_or_hides_is_let_through(code: int) -> None:
    assert safe(f"a{chr(code)}b").isprintable()


EXIT_CODES = [
    (MxGatewayArgumentError("x"), 2),
    (MxGatewayMissingExtraError("x"), 2),
    (BrokerLostError("x"), 3),
    (BrokerRefusedError("x"), 3),
    (LimitsError("x"), 2),
    (ConditionError("x", 0), 2),
    (click.UsageError("x"), 2),
    (MxGatewayCommandError("x"), 3),
    (MxGatewayContractError("x"), 3),
    (MxGatewayGalaxyChangedError("x"), 3),
    (MxAccessError("x"), 3),
    (EntriesFailed("x"), 3),
    (MxGatewayGalaxyChangedError("x"), 3),
    (MxGatewaySessionError("x"), 3),
    (MxGatewayWorkerError("x"), 3),
    (MxGatewayAuthorizationError("x"), 3),
    (MxGatewayError("x"), 3),
    (MxGatewayWaitError("x"), 3),
    (MxGatewayWriteBlockedError("x"), 5),
    (JournalError("x"), 5),
    (MxGatewayTransportError("x"), 4),
    (MxGatewayAuthenticationError("x"), 4),
    (MxGatewayCertificateChangedError("x", trusted="a", presented="b", first_seen="c"), 4),
    (MxGatewayTransportError("x", outcome_unknown=True), 6),
    (MxGatewayWorkerError("x", outcome_unknown=True), 6),
    (ExpectationNotMet("x"), 1),
    (ZeroDivisionError("x"), 70),
    (KeyboardInterrupt(), 130),
    (click.Abort(), 130),
]


@pytest.mark.parametrize(("error", "code"), EXIT_CODES)
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code_of(error) == code
    form = error_form(error)
    assert form["exit_code"] == code
    assert form["message"]
    json_line(form)


def test_every_error_of_the_library_has_been_thought_of() -> None:
    def tree(kind: type) -> set[type]:
        return {kind}.union(*(tree(below) for below in kind.__subclasses__()))

    assert tree(MxGatewayError) <= {type(error) for error, _ in EXIT_CODES}


def test_an_unknown_outcome_says_that_it_was_not_sent_again() -> None:
    assert error_message(MxGatewayTransportError("outcome unknown: write", outcome_unknown=True)) == (
        "outcome unknown: write. It may have happened, or may still happen for up to 75 s, "
        "and was not sent again: check before you repeat it"
    )


def test_a_defect_is_one_line_too() -> None:
    said = error_message(ZeroDivisionError("a\nb\x1b"))
    assert said == "internal error, please report it: ZeroDivisionError: a b\\x1b (--debug shows where)"


def test_the_fields_of_an_error_are_in_its_form() -> None:
    refused = MxStatus(StatusCategory.SECURITY_ERROR, StatusSource.RESPONDING_LMX, 33)
    error = MxAccessError("no", endpoint="gw:1", call="write", hresult=-2147024809, statuses=(refused,))
    form = error_form(error)
    assert (form["hresult"], form["endpoint"], form["call"]) == ("0x80070057", "gw:1", "write")
    assert form["statuses"][0]["category"] == "SECURITY_ERROR"


def event(
    value: object = 12.5, source_time_ns: int = int(MOMENT.timestamp() * 1000) * 1_000_000, **different: object
) -> MxEvent:
    fields = {"family": EventFamily.ON_DATA_CHANGE, "server_handle": 1, "item_handle": 3, "quality": 192}
    header = EventHeader(**(fields | different))  # type: ignore[arg-type]  # fields by name
    return MxEvent(header, 17, value, source_time_ns)  # type: ignore[arg-type]  # any value


OK = MxStatus(StatusCategory.OK, StatusSource.RESPONDING_LMX, 0)
DENIED = MxStatus(StatusCategory.SECURITY_ERROR, StatusSource.RESPONDING_LMX, 33, diagnostic_text="no\x1b")


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (event(statuses=(OK,)), "17  ON_DATA_CHANGE     1/3      12.5  good  2026-10-02T08:14:00.250Z  OK"),
        (event(quality=0, value=None, source_time_ns=0), "17  ON_DATA_CHANGE     1/3      null  bad"),
        (
            event(family=EventFamily.ON_WRITE_COMPLETE, value=None, quality=0, source_time_ns=0, statuses=(DENIED,)),
            "17  ON_WRITE_COMPLETE  1/3      SECURITY_ERROR, detected by RESPONDING_LMX, detail 33 (no\\x1b)",
        ),
        (
            event(family=EventFamily.OPERATION_COMPLETE, value=None, source_time_ns=0, hresult=-2147024809),
            "17  OPERATION_COMPLETE  1/3      0x80070057",
        ),
        (event(family=77, value=None, source_time_ns=0), "17  77                 1/3"),
        (
            event(family=EventFamily.UNSPECIFIED, replay_gap=ReplayGap(10, 21)),
            "GAP: events lost after 10; the oldest available is 21",
        ),
        (event(family=EventFamily.UNSPECIFIED, replay_gap=ReplayGap(10, 0)), "GAP: events lost after 10; none is"),
    ],
)
def test_an_event_for_a_person(shown: MxEvent, text: str) -> None:
    assert event_text(shown).strip().startswith(text)


def test_an_event_of_an_unknown_family_has_a_form() -> None:
    form = event_form(event(family=77, data_type=99, quality=0))
    assert (form["family"], form["data_type"], form["quality_word"]) == ("77", "99", None)


def test_only_what_has_a_quality_has_a_quality_word() -> None:
    assert event_form(event(quality=0))["quality_word"] == "bad"
    assert event_form(event(family=EventFamily.ON_WRITE_COMPLETE, quality=0))["quality_word"] is None


def test_json_of_infinity_never_leaves_the_house() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_line(math.inf)


def test_a_time_is_utc_whatever_its_zone() -> None:
    assert value_form(MOMENT) == value_form(MOMENT.astimezone(UTC))


FACTS: dict[str, object] = {
    "reference": "Galaxy!Plant.Tank.High",
    "source_object": "Tank",
    "alarm_type": "High",
    "severity": 500,
    "raised_at_ns": to_nanoseconds(MOMENT),
    "category": "process",
    "description": "level\x1b",
    "operator": "",
    "comment": "",
    "current_value": 98.5,
    "limit_value": 95.0,
    "degraded": False,
    "source_provider": AlarmProviderMode.ALARMMGR,
}
ACTIVE = ActiveAlarm(**FACTS, state=AlarmConditionState.ACTIVE, changed_at_ns=0)  # type: ignore[arg-type]  # by name
ACKED = AlarmTransition(
    **(FACTS | {"operator": "ann", "comment": "seen", "degraded": True, "source_provider": 9}),  # type: ignore[arg-type]
    kind=AlarmTransitionKind.ACKNOWLEDGE,
    at_ns=to_nanoseconds(MOMENT),
)
FACTS_FORM = {name: value for name, value in FACTS.items() if name != "raised_at_ns"} | {
    "raised_at": "2026-10-02T08:14:00.250Z",
    "source_provider": "ALARMMGR",
}
ACKED_FORM = FACTS_FORM | {
    "at": "2026-10-02T08:14:00.250Z",
    "comment": "seen",
    "degraded": True,
    "kind": "ACKNOWLEDGE",
    "operator": "ann",
    "source_provider": "9",
}
SUBTAG = AlarmProviderStatus(AlarmProviderMode.SUBTAG, True, "no alarm\nmanager", to_nanoseconds(MOMENT))
SUBTAG_FORM = {"degraded": True, "mode": "SUBTAG", "reason": "no alarm\nmanager", "since": "2026-10-02T08:14:00.250Z"}


def test_an_alarm_time_that_no_calendar_has_is_kept_as_its_number() -> None:
    message = pb.ActiveAlarmSnapshot(alarm_full_reference="ZB!A.B.C")
    message.original_raise_timestamp.seconds = 292_277_026_596
    alarm = wire.from_active_alarm(message)
    assert (alarm.raised_at, alarm.raised_at_ns) == (None, 292_277_026_596_000_000_000)
    assert feed_form(alarm)["raised_at"] == 292_277_026_596_000_000_000
    assert "out of range (292277026596 s since 1970)" in alarm_text(alarm)


@pytest.mark.parametrize(
    ("item", "form", "text"),
    [
        (
            ACTIVE,
            {"message": "active_alarm", **FACTS_FORM, "changed_at": None, "state": "ACTIVE"},
            "ACTIVE         500  Galaxy!Plant.Tank.High  98.5 (limit 95.0)  level\\x1b  2026-10-02T08:14:00.250Z",
        ),
        (
            ACKED,
            {"message": "transition", **ACKED_FORM},
            "ACKNOWLEDGE    500  Galaxy!Plant.Tank.High  98.5 (limit 95.0)  level\\x1b  [ann: seen]  degraded  "
            "2026-10-02T08:14:00.250Z",
        ),
        (
            SUBTAG,
            {"message": "provider_status", **SUBTAG_FORM},
            "PROVIDER SUBTAG, degraded since 2026-10-02T08:14:00.250Z no alarm manager",
        ),
        (AlarmSnapshotComplete(), {"message": "snapshot_complete"}, "SNAPSHOT COMPLETE"),
        (UnknownAlarmMessage("a\nb"), {"message": "unknown", "text": "a b"}, "UNKNOWN a b"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_message_of_the_alarm_stream(item: AlarmFeedItem, form: dict[str, object], text: str) -> None:
    assert feed_form(item) == form
    json_line(feed_form(item))
    assert safe(alarm_text(item)) == text


def test_the_body_of_an_event() -> None:
    times = (int(MOMENT.timestamp() * 1000) * 1_000_000, 0)
    buffered = event(
        family=EventFamily.ON_BUFFERED_DATA_CHANGE,
        value=None,
        body=BufferedData(DataType.DOUBLE, (1.5, math.nan), (192, 0), times),
    )
    assert event_form(buffered)["body"] == {
        "data_type": "DOUBLE",
        "qualities": [192, 0],
        "timestamps": ["2026-10-02T08:14:00.250Z", None],
        "values": [1.5, "nan"],
    }
    assert event_text(buffered).endswith("  1.5 good 2026-10-02T08:14:00.250Z;  nan bad null")
    many = event(family=EventFamily.ON_BUFFERED_DATA_CHANGE, body=BufferedData(4, (7,) * 9, (192,) * 9, (0,) * 9))
    assert event_text(many).endswith("7 good null;  … 9 in all")
    changed = event(family=EventFamily.ON_ALARM_TRANSITION, value=None, body=ACKED)
    assert event_form(changed)["body"] == ACKED_FORM
    assert "ON_ALARM_TRANSITION  1/3      ACKNOWLEDGE" in event_text(changed)
    failover = event(family=EventFamily.ON_ALARM_PROVIDER_MODE_CHANGED, value=None, body=SUBTAG)
    assert event_form(failover)["body"] == SUBTAG_FORM
    assert event_form(event())["body"] is None


async def test_a_key_that_stands_in_a_wrong_place_is_not_shown(mxgw_py: Run, gateway: SimulatedGateway) -> None:
    secret = "c2VjcmV0LXZhbHVl-x_y"
    key = f"mxgw_other_{secret}"
    gateway.set("TestChildObject.TestString", key)
    for arguments in (
        ["smoke", "--plaintext", "--item", "TestChildObject.TestString"],
        ["smoke", "--plaintext", "--item", key],
        ["smoke", "--endpoint", key, "--item", "x"],
        ["ping", "--plaintext", "--session-id", key],
        ["version", key],
    ):
        for how in ([], ["--json"], ["--debug"]):
            ran = await mxgw_py(*arguments, *how)
            assert secret not in ran.out + ran.err, (arguments, how)


async def test_a_new_form_is_a_class_and_an_entry_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tagged(ReportFormatter):
        description = "text in angle brackets"

        def result(self, form: dict[str, Any], text: str) -> list[str]:
            return [f"<{text}>"]

    monkeypatch.setitem(REPORT_FORMATTERS, "tagged", Tagged)

    @click.command()
    @report_options
    def probe(report: Report) -> None:
        report.line({"a": 1}, "one")

    with Gateways() as gateways:
        ran = CliRunner().invoke(probe, ["--output", "tagged"], obj=CommandRun(Report(), gateways))
        shown = CliRunner().invoke(probe, ["--help"], obj=CommandRun(Report(), gateways))
    assert ran.stdout == "<one>\n"
    assert "json|jsonl|csv|table|tagged" in shown.stdout
    assert "or text in angle brackets." in " ".join(shown.stdout.split())
