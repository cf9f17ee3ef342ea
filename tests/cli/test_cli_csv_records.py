"""CSV: read back as it was by Python's csv module, and no formulas for a spreadsheet."""

import csv
import io

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway_console.render.csv_records import csv_record

HARD = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n\v\f\x85\u2028\t\",;'=+-@ "))


def read_back(*records: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(f"{record}\n" for record in records), newline="")))


@given(st.lists(st.lists(HARD, min_size=1), min_size=1))
def test_fields_are_read_back_as_they_were(rows: list[list[str]]) -> None:
    assert read_back(*(csv_record(row, raw=True) for row in rows)) == rows


@given(st.lists(HARD, min_size=1))
def test_an_apostrophe_in_front_is_all_that_keeps_a_formula_from_being_one(row: list[str]) -> None:
    (fields,) = read_back(csv_record(row))
    for field, text in zip(fields, row, strict=True):
        assert field in (text, f"'{text}")
        # Taken off again by one rule: an apostrophe before what a spreadsheet would evaluate.
        assert field == text or field[1:].lstrip("'")[0] in "=+-@\t\r\n＝＋－＠"  # noqa: RUF001


@pytest.mark.parametrize("text", ["=1+1", "+5 bar", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "'=1", "-", "＝1"])  # noqa: RUF001
def test_a_formula_is_kept_from_being_one_but_not_where_it_is_wanted_raw(text: str) -> None:
    assert read_back(csv_record([text])) == [[f"'{text}"]]
    assert read_back(csv_record([text], raw=True)) == [[text]]


@pytest.mark.parametrize("number", ["-5", "+5", "-0.25", "-1e-7", "-.5", "-inf", "5"])
def test_numbers_stay_numbers(number: str) -> None:
    assert csv_record([number, float(number), -5]) == f"{number},{float(number)!r},-5"


def test_what_is_no_text_has_one_form() -> None:
    assert csv_record([None, True, 1.5, [1, "a"], ""]) == ',true,1.5,"[1, ""a""]",'
    assert csv_record([None]) == '""'
    assert csv_record(["mxgw_demo_c2VjcmV0"]) == "mxgw_demo_***"
