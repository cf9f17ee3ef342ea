"""Recordings that are read: the same rows and the same tables from each format, whatever happened to the file."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from zb_mom_ww_mxgateway import MxGatewayArgumentError, RecordedRow, Recording, read_recording
from zb_mom_ww_mxgateway.recordings.arrow_columns import ARROW_COLUMNS
from zb_mom_ww_mxgateway.recordings.columns import COLUMNS

HEADING = ",".join(COLUMNS)
AT = datetime(2026, 10, 2, 8, 14, 0, 250000, UTC)
AT_TEXT = "2026-10-02T08:14:00.250000Z"

# The data type, the cell of CSV, the JSON, the value, and the column of Arrow.
VALUES: list[tuple[str, str, Any, Any, str]] = [
    ("BOOLEAN", "true", True, True, "value_bool"),
    ("INTEGER", "-5", -5, -5, "value_int"),
    ("INTEGER", str(2**63 - 1), 2**63 - 1, 2**63 - 1, "value_int"),
    ("FLOAT", "0.1", 0.1, 0.1, "value_double"),
    ("DOUBLE", "1e+300", 1e300, 1e300, "value_double"),
    ("DOUBLE", "-inf", "-inf", float("-inf"), "value_double"),
    ("ELAPSED_TIME", "7", 7, 7.0, "value_double"),
    ("STRING", '"say ""no"", twice"', 'say "no", twice', 'say "no", twice', "value_text"),
    ("STRING", '"two\r\nlines\n"', "two\r\nlines\n", "two\r\nlines\n", "value_text"),
    ("STRING", "5", "5", "5", "value_text"),
    ("STRING", "nan", "nan", "nan", "value_text"),
    ("STRING", "'=1+1", "=1+1", "=1+1", "value_text"),
    ("STRING", "''=1+1", "'=1+1", "'=1+1", "value_text"),
    ("STRING", "", "", "", "value_text"),
    ("STRING", "[half", "[half", "[half", "value_text"),
    ("TIME", AT_TEXT, AT_TEXT, AT, "value_time"),
    ("TIME", "1601-01-01T00:00:00.000Z", "1601-01-01T00:00:00.000Z", datetime(1601, 1, 1, tzinfo=UTC), "value_text"),
    ("NO_DATA", "", None, None, ""),
    ("BOOLEAN", '"[true, false]"', [True, False], [True, False], "values_bool"),
    ("INTEGER", '"[1, 2]"', [1, 2], [1, 2], "values_int"),
    ("INTEGER", "[]", [], [], "values_int"),
    ("DOUBLE", '"[1.5, ""inf""]"', [1.5, "inf"], [1.5, float("inf")], "values_double"),
    ("STRING", '"[""a"", ""b""]"', ["a", "b"], ["a", "b"], "values_text"),
    ("TIME", f'"[""{AT_TEXT}""]"', [AT_TEXT], [AT], "values_time"),
    ("UNKNOWN", '"{""base64"": ""AP8=""}"', {"base64": "AP8="}, {"base64": "AP8="}, "value_json"),
    ("QUALIFIED_ENUM", "3", 3, 3, "value_int"),
]
ROWS = [
    RecordedRow("start", AT, note="recording 1 tag of localhost:5000"),
    *(
        RecordedRow("sample", AT, "A.b", value, 192, "good", AT, data_type, None, number, 1, 2)
        for number, (data_type, _, _, value, _) in enumerate(VALUES)
    ),
    RecordedRow("gap", AT, lost=3, note="GAP 3 events lost (sequence 27 to 29)"),
]


def as_csv() -> str:
    lines = [HEADING, f"start,{AT_TEXT},{',' * 11}recording 1 tag of localhost:5000"]
    lines += [
        f"sample,{AT_TEXT},A.b,{cell},192,good,{AT_TEXT},{data_type},,{number},1,2,,"
        for number, (data_type, cell, *_) in enumerate(VALUES)
    ]
    return "\n".join([*lines, f"gap,{AT_TEXT},{',' * 10}3,GAP 3 events lost (sequence 27 to 29)", ""])


def as_json() -> str:
    def line(*fields: Any) -> str:
        return json.dumps(dict(zip(COLUMNS, fields, strict=True))) + "\n"

    samples = [
        line("sample", AT_TEXT, "A.b", form, 192, "good", AT_TEXT, data_type, None, number, 1, 2, None, None)
        for number, (data_type, _, form, *_) in enumerate(VALUES)
    ]
    first = line("start", AT_TEXT, *[None] * 11, "recording 1 tag of localhost:5000")
    return "".join([first, *samples, line("gap", AT_TEXT, *[None] * 10, 3, "GAP 3 events lost (sequence 27 to 29)")])


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Recording:
    """The same rows in each format."""
    path = tmp_path / f"tank.{request.param}"
    path.write_bytes((as_json() if request.param == "jsonl" else as_csv()).encode())
    if request.param == "parquet":
        table = read_recording(path).to_arrow()
        path.unlink()
        pyarrow.parquet.write_table(table, path)
    found = read_recording(path)
    assert found.format == request.param
    return found


def test_every_row_is_read_and_read_again(recording: Recording) -> None:
    assert list(recording) == ROWS
    assert list(recording) == ROWS
    assert [type(row.value) for row in recording] == [type(row.value) for row in ROWS]


def test_each_value_is_in_the_column_of_its_type(recording: Recording) -> None:
    table = recording.to_arrow()
    assert table.column_names == list(ARROW_COLUMNS)
    assert table.schema.field("received").type == pyarrow.timestamp("ns", tz="UTC")
    columns = [name for name in ARROW_COLUMNS if name.startswith("value")]
    used = [[name for name in columns if table[name][number].is_valid] for number in range(1, len(VALUES) + 1)]
    assert used == [[column] if column else [] for *_, column in VALUES]
    assert table["lost"].to_pylist()[-1] == 3
    assert table["kind"].to_pylist() == [row.kind for row in ROWS]


def test_pandas_keeps_whole_numbers_exact_and_times_aware(recording: Recording) -> None:
    import pandas

    frame = recording.to_pandas()
    assert list(frame["value_int"].dropna()) == [-5, 2**63 - 1, 3]
    assert frame["received"][0] == pandas.Timestamp(AT)
    assert frame["value_bool"].dropna().tolist() == [True]
    assert frame["lost"].isna().sum() == len(ROWS) - 1


def test_polars_has_the_same_rows(recording: Recording) -> None:
    import polars

    frame = recording.to_polars()
    assert frame.shape == (len(ROWS), len(ARROW_COLUMNS))
    assert frame.filter(polars.col("kind") == "gap")["lost"].to_list() == [3]
    assert frame["received"][0] == AT


def test_batches_are_as_small_as_is_asked(recording: Recording) -> None:
    batches = list(recording.to_batches(10))
    assert [batch.num_rows for batch in batches] == [10, 10, 8]
    assert pyarrow.Table.from_batches(batches) == recording.to_arrow()


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_row(tmp_path: Path) -> None:
    path = tmp_path / "tank.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADING}\r\nstop,{AT_TEXT},{',' * 11}stopped\r\n\r\n".encode())
    assert list(read_recording(path)) == [RecordedRow("stop", AT, note="stopped")]
    path = tmp_path / "tank.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + as_json().replace("\n", "\r\n").encode())
    assert list(read_recording(path)) == ROWS


def test_columns_may_be_fewer_and_in_another_order(tmp_path: Path) -> None:
    path = tmp_path / "tank.csv"
    path.write_text(f"tag,kind,received,mine,value,data_type\nA.b,sample,{AT_TEXT},x,1.5,DOUBLE\n", encoding="utf-8")
    assert list(read_recording(path)) == [RecordedRow("sample", AT, "A.b", 1.5, data_type="DOUBLE")]


def test_texts_of_a_raw_csv_are_as_they_were_sent(tmp_path: Path) -> None:
    path = tmp_path / "tank.csv"
    path.write_text(f"{HEADING}\nsample,{AT_TEXT},A.b,'=x,192,good,,STRING,,,,,,\n", encoding="utf-8")
    assert [row.value for row in read_recording(path)] == ["=x"]
    assert [row.value for row in read_recording(path, csv_raw=True)] == ["'=x"]


def sample(value: str, data_type: str = "INTEGER") -> str:
    return f"sample,{AT_TEXT},A.b,{value},192,good,,{data_type},,,,,,\n"


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (sample("1") + sample("2")[:-9], [1, "torn"]),
        (sample("1")[:-9] + sample("2") + sample("3"), ["torn", 3]),
        (sample("1") + sample('"open', "STRING") + sample("2") + sample("3"), [1, "torn", 2, 3]),
        (sample('"two\nlines"', "STRING") + sample("2"), ["two\nlines", 2]),
        (sample("1") + sample("x").replace("192", "much") + sample("2"), [1, "torn", 2]),
        (sample("1") + sample("x").replace("192", "9" * 12) + sample("2"), [1, "torn", 2]),
        (sample("1") + sample("x").replace("Z", "") + sample("2"), [1, "torn", 2]),
        (sample("1") + "\0" * 4096, [1, "torn"]),
        (sample("1") + "\0" * 10 + sample("2") + sample("3"), [1, "torn", 3]),
        (sample("1") + '"' + sample("2") * 3, [1, "torn", 2, 2]),
    ],
)
def test_a_row_that_is_not_whole_costs_no_other(tmp_path: Path, content: str, seen: list[object]) -> None:
    path = tmp_path / "tank.csv"
    path.write_text(f"{HEADING}\n{content}", encoding="utf-8", newline="")
    rows = list(read_recording(path))
    assert [row.kind if row.kind == "torn" else row.value for row in rows] == seen
    assert all(row.note for row in rows if row.kind == "torn")
    assert read_recording(path).to_arrow().num_rows == len(rows)


def test_a_line_that_is_no_json_is_torn_and_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "tank.jsonl"
    lines = as_json().splitlines(keepends=True)
    broken = [
        lines[0][:40] + "\n",
        lines[1][:30] + "\n",
        '["kind"]\n',
        lines[2].replace("192", '"much"'),
        lines[3],
        lines[4][:-9],
    ]
    path.write_text("".join(broken), encoding="utf-8")
    assert [row.kind for row in read_recording(path)] == ["torn", "torn", "torn", "torn", "sample", "torn"]


def test_half_a_character_and_a_time_of_no_calendar_fit_a_table(tmp_path: Path) -> None:
    path = tmp_path / "tank.jsonl"
    row = {"kind": "sample", "received": 9 * 10**21, "tag": "A.b", "value": "\ud800", "source_timestamp": 5}
    path.write_text(json.dumps(row) + "\n" + json.dumps(row | {"value": ["\ud800"]}) + "\n", encoding="utf-8")
    table = read_recording(path).to_arrow()
    assert table["value_text"].to_pylist() == ["\\ud800", None]
    assert table["values_text"].to_pylist() == [None, ["\\ud800"]]
    assert table["received"].to_pylist() == [None, None]
    assert table["note"].to_pylist() == ["received 9000000000000000000000"] * 2
    assert table["source_timestamp"].cast(pyarrow.int64()).to_pylist() == [5, 5]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", b"", "it is empty"),
        ("a.csv", b"time;tag;value\n1;2;3\n", "its first line is 'time;tag;value"),
        ("a.jsonl", b'{"tag": "A.b"}\n', 'its first line is \'{"tag"'),
        ("a.jsonl", b"{not json\n", "its first line is '{not json"),
        ("a.parquet", b"PAR1 and no end", "cannot read"),
        ("a.csv", b"\x1f\x8b\x08\x00", "its first line is"),
    ],
)
def test_what_is_no_recording_is_said(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MxGatewayArgumentError, match=why):
        list(read_recording(path))


def test_a_parquet_file_of_something_else_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"kind": ["sample"]}), path)
    with pytest.raises(MxGatewayArgumentError, match="is no recording: it has no column received"):
        list(read_recording(path))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MxGatewayArgumentError, match=r"cannot read .*no such place\.csv: No such file"):
        read_recording(tmp_path / "no such place.csv")
    with pytest.raises(MxGatewayArgumentError, match="cannot read"):
        read_recording(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe is what this takes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MxGatewayArgumentError, match="it is no regular file"):
        read_recording(tmp_path / "pipe")


def test_a_file_that_polars_wrote_again_is_a_recording(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "again.parquet"
    recording.to_polars().write_parquet(path)
    assert list(read_recording(path)) == ROWS


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2:]:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from zb_mom_ww_mxgateway import read_recording
recording = read_recording(sys.argv[1])
print(sum(row.kind == "sample" for row in recording))
for read in (recording.to_arrow, recording.to_pandas, recording.to_polars):
    try:
        read()
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_rows_need_no_extra_and_a_table_says_which(tmp_path: Path) -> None:
    path = tmp_path / "tank.csv"
    path.write_bytes(as_csv().encode())

    def run(*missing: str) -> list[str]:
        command = [sys.executable, "-c", WITHOUT, str(path), *missing]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    needs = "MxGatewayMissingExtraError a table of a recording needs the extra: pip install "
    assert run("pyarrow", "pandas", "polars")[:2] == [
        str(len(VALUES)),
        f'{needs}"zb-mom-ww-mxaccess-gateway-client[parquet]"',
    ]
    assert run("pandas", "polars") == [
        str(len(VALUES)),
        "MxGatewayMissingExtraError to_pandas needs a package: pip install pandas",
        "MxGatewayMissingExtraError to_polars needs a package: pip install polars",
    ]
