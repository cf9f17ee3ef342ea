"""Snapshots: only good values are kept, a file is exact and strict, and a comparison says what it does not know."""

import json
import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway import Float32, GatewayClient, LiveSession, MxGatewayArgumentError, Typed
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.safety.snapshots import (
    LeftOutTag,
    RowState,
    Snapshot,
    SnapshotFolder,
    SnapshotRow,
    compare,
    take_snapshot,
)
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition

INT, DOUBLE, TEXT = "TestChildObject.TestInt", "TestChildObject.TestDouble", "TestChildObject.TestString"
ARRAY, BOOL = "TestChildObject.TestIntArray", "TestChildObject.TestBool"
NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)


def snapshot(*rows: SnapshotRow, name: str = "before") -> Snapshot:
    return Snapshot(name, "plantgw:5001", NOON, None, rows, (LeftOutTag("Tank9.Level", "its quality is bad"),))


def row(value: Typed, tag: str = "Tank1.LevelSP") -> SnapshotRow:
    return SnapshotRow(tag, value, 192, 0)


# Files.

SCALARS = {
    "bool": st.booleans(),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False).map(Float32),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text(st.characters(codec="utf-8"), max_size=20),
}
VALUES = st.one_of(
    *(st.builds(Typed, st.just(name), values | st.lists(values, max_size=4)) for name, values in SCALARS.items())
)


@given(VALUES)
def test_a_file_reads_back_as_the_same_values(value: Typed) -> None:
    saved = snapshot(row(value))
    read = Snapshot.of(json.loads(json.dumps(saved.form())))
    (found,) = read.rows
    assert (found.value.type, repr(found.value.sent)) == (value.type, repr(value.sent))
    assert (read.name, read.taken_at, read.left_out) == (saved.name, saved.taken_at, saved.left_out)


def test_a_snapshot_is_saved_for_its_owner_alone_and_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path / "deep" / "snapshots")
    assert (folder.names(), folder.has("before")) == ([], False)
    path = folder.save(snapshot(row(Typed("double", 55.5))))
    if sys.platform != "win32":
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    folder.save(snapshot(row(Typed("double", 60.0))))
    assert [each.value.sent for each in folder.load("before").rows] == [60.0]
    assert (folder.names(), [each.name for each in path.parent.iterdir()]) == (["before"], ["before.json"])
    with pytest.raises(FileNotFoundError):
        folder.load("after")
    for name in ("../before", "", "a b", "a.b", "x" * 101):
        with pytest.raises(MxGatewayArgumentError, match="name of a snapshot"):
            folder.load(name)


def test_it_is_by_default_with_the_records_of_the_user(tmp_path: Path) -> None:
    assert SnapshotFolder().folder == tmp_path / "records" / "state" / "snapshots"


@pytest.mark.skipif(sys.platform == "win32", reason="rights are inherited on Windows")
def test_a_file_that_others_may_change_is_refused(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path / "snapshots")
    folder.save(snapshot()).chmod(0o666)
    with pytest.raises(ValueError, match="may change"):
        folder.load("before")


def changed(form: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**form, **fields}


def without(form: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in form.items() if key != name}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda form: changed(form, more=1), "nothing else"),
        (lambda form: without(form, "endpoint"), "nothing else"),
        (lambda form: changed(form, format=2), "another version"),
        (lambda form: changed(form, endpoint=""), "endpoint is no text"),
        (lambda form: changed(form, taken_at="soon"), "Invalid isoformat"),
        (lambda form: changed(form, taken_at="2026-10-02T08:14:00"), "not in UTC"),
        (lambda form: changed(form, rows={}), "rows is no list"),
        (lambda form: changed(form, rows=[5]), "nothing else"),
        (lambda form: changed(form, rows=form["rows"] * 2), "twice"),
        (lambda form: changed(form, rows=[changed(form["rows"][0], quality="good")]), "no whole number"),
        (lambda form: changed(form, rows=[changed(form["rows"][0], quality=True)]), "no whole number"),
        (lambda form: changed(form, rows=[changed(form["rows"][0], value=55.5)]), "no type"),
        (lambda form: changed(form, rows=[changed(form["rows"][0], value={"type": "int32", "text": "x"})]), "read"),
        (lambda form: changed(form, left_out=[{"tag": "A.b"}]), "nothing else"),
        (lambda form: [form], "nothing else"),
        (lambda form: changed(form, name="other"), "the snapshot other"),
    ],
)
def test_a_file_is_read_strictly(tmp_path: Path, spoil: Callable[[dict[str, Any]], Any], said: str) -> None:
    folder = SnapshotFolder(tmp_path)
    saved = snapshot(row(Typed("double", 55.5)))
    path = folder.save(saved)
    path.write_text(json.dumps(spoil(saved.form())), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        folder.load("before")


@pytest.mark.parametrize("text", ["", "{", '{"format": 1, "format": 1}', "[" * 100_000])
def test_what_is_no_json_is_no_snapshot(tmp_path: Path, text: str) -> None:
    folder = SnapshotFolder(tmp_path)
    folder.save(snapshot()).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r".+"):
        folder.load("before")


# The plant.


async def test_good_values_are_kept_and_others_are_named(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("snapshots")
    gateway.set(INT, 7)
    nan = pb.MxValue(data_type=pb.MX_DATA_TYPE_DOUBLE, variant_type="VT_R8", double_value=math.nan)
    gateway.set_message(DOUBLE, nan)
    gateway.set(TEXT, "a", 0)
    gateway.set(BOOL, None)
    tags = [ARRAY, INT, DOUBLE, TEXT, BOOL, "No.Such.Tag", INT.upper()]
    taken = await take_snapshot(live, "before", tags, server, galaxy_deployed=NOON)
    assert [(each.tag, each.value.sent) for each in taken.rows] == [(ARRAY, list(range(1, 11))), (INT, 7)]
    assert (taken.endpoint, taken.galaxy_deployed, gateway.writes) == (gateway.endpoint, NOON, ())
    why = {each.tag: each.why for each in taken.left_out}
    assert set(why) == {DOUBLE, TEXT, BOOL, "No.Such.Tag"}
    assert why[DOUBLE] == "it is not a number"
    assert why[TEXT].startswith("its quality is bad")
    assert why["No.Such.Tag"]


async def test_a_value_is_read_afresh_not_taken_from_the_stream(gateway: SimulatedGateway, live: LiveSession) -> None:
    (item,) = await live.subscribe_tags([INT])
    await live.first_value(item)
    gateway.faults.swallow_connections("StreamEvents")
    gateway.set(INT, 7)
    (kept,) = (await take_snapshot(live, "now", [INT], item.server_handle)).rows
    assert kept.value.sent == 7


async def test_a_text_that_looks_like_a_key_is_not_kept() -> None:
    text = TagDefinition("Notes.Text", NativeType.STRING, "mxgw_plant_c2VjcmV0c2VjcmV0")
    async with SimulatedGateway(plaintext=True, tags=[text], api_keys=()) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True)
        async with client, await LiveSession.open(client) as other:
            taken = await take_snapshot(other, "now", [text.name], await other.session.register("x"))
    assert (taken.rows, [each.why for each in taken.left_out]) == ((), ["its value looks like a key or a password"])


async def test_each_row_is_the_same_differs_or_is_unknown(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("snapshots")
    tags = [INT, DOUBLE, TEXT, BOOL, ARRAY]
    gateway.set(DOUBLE, 1.5)
    taken = await take_snapshot(live, "before", tags, server)
    gone = SnapshotRow("No.Such.Tag", Typed("int32", 1), 192, 0)
    gateway.set(INT, 8)
    gateway.set(DOUBLE, 1.6)
    gateway.set(TEXT, "a", 0)
    rows = [*taken.rows, gone]
    states = {each.row.tag: each.state for each in await compare(live, rows, server)}
    assert states == {
        INT: RowState.DIFFERS,
        DOUBLE: RowState.DIFFERS,
        TEXT: RowState.UNKNOWN,
        BOOL: RowState.SAME,
        ARRAY: RowState.SAME,
        gone.tag: RowState.UNKNOWN,
    }
    near = {each.row.tag: each.state for each in await compare(live, rows, server, lambda tag: 0.1)}
    # A whole number has no tolerance.
    assert (near[DOUBLE], near[INT]) == (RowState.SAME, RowState.DIFFERS)
