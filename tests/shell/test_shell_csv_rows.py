"""CSV text as rows of fields with their places."""

import csv
import io

import pytest
from hypothesis import given, strategies

from zb_mom_ww_mxgateway_console.text.csv_rows import CsvMistake, csv_rows


def texts(text: str) -> list[list[str]]:
    return [[field.text for field in row] for row in csv_rows(text)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("\n\r\n", []),
        ("a", [["a"]]),
        ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
        ("a,b\rc,d", [["a", "b"], ["c", "d"]]),
        (" a , b \n\n,\n", [["a", "b"], ["", ""]]),
        ('"a, ""b""\nc" , d\n', [['a, "b"\nc', "d"]]),
        ('""\n" a"', [[""], [" a"]]),
        ("a,\n", [["a", ""]]),
    ],
)
def test_rows(text: str, rows: list[list[str]]) -> None:
    assert texts(text) == rows


def test_places() -> None:
    rows = list(csv_rows('a, b\r\n"x\r\ny",  c,"d ""e"\r\nlast,"f"'))
    assert [[(field.text, field.line, field.column) for field in row] for row in rows] == [
        [("a", 1, 1), ("b", 1, 4)],
        [("x\r\ny", 2, 2), ("c", 3, 6), ('d "e', 3, 9)],
        [("last", 4, 1), ("f", 4, 7)],
    ]
    assert [field.is_as_written for row in rows for field in row] == [True, True, False, True, False, True, True]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ('a\nb,"c', 2, 3, "a quote is not closed"),
        ('a,5" valve', 1, 4, "a quote within a field"),
        ('"a" b', 1, 5, "text after a closing quote"),
        ('x\n"a\nb" c', 3, 4, "text after a closing quote"),
    ],
)
def test_mistakes_have_their_place(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(CsvMistake, match=said) as raised:
        list(csv_rows(text))
    assert (raised.value.line, raised.value.column) == (line, column)


@given(strategies.lists(strategies.lists(strategies.text("ab\",;\n\r '", max_size=6), min_size=1), min_size=1))
def test_what_pythons_writer_quotes_is_read_back(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    assert texts(file.getvalue()) == rows
