"""Actions of the journal: one row for what several lines say, whatever they say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, LiveSession, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_actions import COLUMNS, JournalAction, actions, lines_back
from zb_mom_ww_mxgateway.safety.journal_chain import JournalError, JournalLine
from zb_mom_ww_mxgateway.safety.journal_values import from_form
from zb_mom_ww_mxgateway.safety.plant_values import LivePlantValues
from zb_mom_ww_mxgateway.safety.write_note import given as noted
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, OTHER = "TestChildObject.TestInt", "TestChildObject.TestDouble"


def line(kind: str, frame: str = "f", **fields: Any) -> JournalLine:
    return JournalLine(
        number=1,
        at="2026-10-02T08:14:00.000000Z",
        monotonic=1.0,
        who={"user": "op", "host": "line3", "profile": "plant"},
        pid=7,
        frame=frame,
        kind=kind,
        previous="",
        fields=fields,
    )


def intent(action: str = "a", *tags: str) -> JournalLine:
    entries = [{"tag": tag, "old": 1, "quality": 192, "new": 2, "rules": []} for tag in tags or ("Plant.A",)]
    return line("intent", action=action, call="write", entries=entries)


def result_of(*lines: JournalLine) -> list[tuple[str, str]]:
    return [(each.result, each.why) for each in actions(lines)]


async def test_the_rows_of_a_real_session_say_who_what_and_how_it_ended(
    gateway: SimulatedGateway, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "state", tmp_path / "data", {"profile": "line3"})
    rules, records = WriteRules(Arming()), WriteRecords("plant", gateway.endpoint, journal)
    rules.arming.arm([INT], 600)
    options = ClientOptions(
        endpoint=gateway.endpoint,
        api_key=gateway.api_key,
        plaintext=True,
        write_guard=WriteDesk(rules, records),
    )
    records.opened()
    async with await GatewayClient.connect(options) as client, await LiveSession.open(client) as live:
        rules.values = LivePlantValues(live)
        with noted(reason="ticket 7", command="write …"):
            await live.write(INT, 41)
            await live.wait_for(INT, lambda value: value == 41, timeout=30)
            await live.write(INT, 42)
        with pytest.raises(MxGatewayWriteBlockedError):
            await live.write(OTHER, 1.5)
    records.closed()
    await journal.aclose()
    [lines] = lines_back(tmp_path / "state")
    opened, first, second, refused, closed = actions(lines)
    assert (opened.kind, closed.kind) == ("opened", "closed")
    assert (first.tag, first.new, first.result, first.why) == (INT, 41, "completed", "")
    assert (second.old, second.quality, second.new) == (41, 192, 42)
    assert (second.reason, second.command, second.call) == ("ticket 7", "write …", "write")
    assert (second.endpoint, second.connection, second.facts["profile"]) == (gateway.endpoint, "plant", "line3")
    assert second.seconds is not None
    assert second.seconds >= 0
    assert (refused.tag, refused.result) == (OTHER, "refused_here")
    assert "not among the tags that are armed" in refused.why


def test_the_last_word_about_an_action_is_its_result() -> None:
    accepted = line("answer", action="a", outcome="accepted", why="", seconds=0.1)
    completed = line("outcome", action="a", entries=[{"outcome": "completed", "completed_after": 0.4, "why": ""}])
    unknown = line("outcome", action="a", entries=[{"outcome": "accepted", "accepted_after": 0.1, "why": ""}])
    refused = line("outcome", action="a", entries=[{"outcome": "refused", "why": "out of range"}])
    as_written = line("outcome", action="a", verified=[{"as_written": True, "value": 2}])
    different = line("outcome", action="a", verified=[{"as_written": False, "value": 3}])
    unseen = line("outcome", action="a", verified=[{"as_written": False, "problem": "no value came"}])
    assert result_of(intent(), accepted) == [("accepted", "")]
    assert result_of(intent(), accepted, completed) == [("completed", "")]
    assert result_of(intent(), accepted, unknown)[0][0] == "unknown"
    assert result_of(intent(), accepted, refused) == [("refused_there", "out of range")]
    assert result_of(intent(), accepted, completed, as_written) == [("verified", "")]
    assert result_of(intent(), accepted, completed, different) == [("not_verified", "it was 3 then")]
    assert result_of(intent(), accepted, completed, unseen) == [("not_verified", "no value came")]
    # A value that is there does not say whose it is.
    assert result_of(intent(), accepted, unknown, as_written)[0][0] == "unknown"
    assert result_of(intent(), line("answer", action="a", outcome="not sent", why="w")) == [("not_sent", "w")]
    assert result_of(intent(), line("answer", action="a", outcome="unknown", why="w")) == [("unknown", "w")]
    assert result_of(intent(), line("refused", action="a", why="w")) == [("refused_here", "w")]
    assert actions([intent(), accepted, completed])[0].seconds == 0.4
    assert actions([intent(), accepted])[0].seconds == 0.1


def test_an_action_without_an_end_is_unknown() -> None:
    [(result, why)] = result_of(intent(), line("answer", frame="another", action="a", outcome="accepted"))[:1]
    assert (result, "may have been carried out" in why) == ("unknown", True)


def test_each_tag_of_a_call_has_its_own_result() -> None:
    call = intent("a", "Plant.A", "Plant.B", "Plant.C")
    answer = line("answer", action="a", outcome="refused", why="w", refused=[False, True, False])
    assert [each for each, _ in result_of(call, answer)] == ["accepted", "refused_there", "accepted"]
    outcome = line("outcome", action="a", entries=[{"outcome": "completed"}, {"outcome": "refused", "why": "no"}])
    assert [each for each, _ in result_of(call, answer, outcome)] == ["completed", "refused_there", "accepted"]


def test_an_acknowledgement_has_the_reference_of_its_alarm() -> None:
    entries = [{"alarm": "Galaxy!Area.Tank1.Level.Hi", "comment": "seen", "operator": "op"}]
    [row] = actions([line("intent", action="a", call="acknowledge_alarm", entries=entries)])
    assert (row.tag, row.facts["comment"]) == ("Galaxy!Area.Tank1.Level.Hi", "seen")


def test_rules_and_guards_are_told_apart() -> None:
    rules = [{"rule": "max", "met": True, "text": "2 <= 5"}, {"rule": "guard", "met": True, "text": "P1.Mode: Auto"}]
    [row] = actions([line("intent", action="a", entries=[{"tag": "Plant.A", "rules": rules}])])
    assert (row.rules, row.guards) == (("max: 2 <= 5",), ("P1.Mode: Auto",))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NAMES = ("action", "answer", "entries", "outcome", "reason", "refused", "seconds", "tag", "verified", "why")
_FIELDS = st.fixed_dictionaries({}, optional=dict.fromkeys(_NAMES, _JSON))


@given(st.lists(st.tuples(st.sampled_from(["intent", "refused", "answer", "outcome", "armed"]), _FIELDS), max_size=6))
def test_lines_of_any_shape_are_shown(lines: list[tuple[str, Mapping[str, Any]]]) -> None:
    rows = actions(line(kind, **fields) for kind, fields in lines)
    for row in rows:
        assert tuple(row.form()) == COLUMNS
        json.dumps(row.form())


def test_a_row_comes_back_from_its_form_as_it_was() -> None:
    [row] = actions(
        [line("intent", action="a", entries=[{"tag": "Plant.A", "old": Float32(0.1), "new": [2**60, b"x"]}])]
    )
    back = {name: from_form(value) for name, value in json.loads(json.dumps(row.form())).items()}
    assert JournalAction(**back | {"rules": (), "guards": ()}) == row


async def test_the_newest_file_comes_first_and_what_is_no_line_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state", tmp_path / "data", {}, rotate_at=500)
    for number in range(6):
        await journal.append("armed", {"place": number})
    await journal.aclose()
    files = [[each.fields.get("place") for each in lines] for lines in lines_back(tmp_path / "state")]
    assert len(files) > 1
    assert [place for each in reversed(files) for place in each if place is not None] == list(range(6))
    (tmp_path / "state" / "journal-000001.jsonl").write_bytes(b"broken\n{")
    assert list(lines_back(tmp_path / "state"))[-1] == []
    (tmp_path / "state" / "journal-000001.jsonl").unlink()
    (tmp_path / "state" / "journal-000001.jsonl").mkdir()
    with pytest.raises(JournalError, match="cannot be read"):
        list(lines_back(tmp_path / "state"))
    assert list(lines_back(tmp_path / "nowhere")) == []
