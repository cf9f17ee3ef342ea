"""Text from outside on a terminal: nothing hidden, nothing obeyed, no key, and columns that stay columns."""

import io
import sys
import unicodedata

import pytest
from hypothesis import given, strategies as st
from wcwidth import wcwidth

from zb_mom_ww_mxgateway_console.render.forms import json_line, one_line, safe, value_text
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_middle, cut_start, padded, width

KEY = "mxgw_demo_bm90LWEtc2VjcmV0"


def test_every_character_that_is_not_plainly_visible_is_shown_as_an_escape() -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
    shown_as_it_is = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in hidden and safe(chr(code)) == chr(code)
    ]
    assert shown_as_it_is == [hex(ord(" ")), hex(0x3000)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["a terminal", "a file"])
def test_a_record_of_csv_is_escaped_on_a_terminal_alone(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    report = Report()
    report.choose("csv")
    report.line({"tag": "A", "value": "x\x1b]0;title\x07y"}, "")
    shown = "x\\x1b]0;title\\x07y" if stream.isatty() else "x\x1b]0;title\x07y"
    assert stream.getvalue() == f'tag,value\nA,"{shown}"\n'


@pytest.mark.parametrize(
    ("character", "escape"),
    [
        ("\xad", "\\xad"),
        ("\u200b", "\\u200b"),
        ("\u2066", "\\u2066"),
        ("\ufeff", "\\ufeff"),
        ("\u3164", "\\u3164"),
        ("\uffa0", "\\uffa0"),
        ("\ufe0f", "\\ufe0f"),
        ("\u034f", "\\u034f"),
        ("\u180e", "\\u180e"),
        ("\u2800", "\\u2800"),
        ("\U000e0041", "\\U000e0041"),
        ("\U000e0100", "\\U000e0100"),
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("\xa0", "\\xa0"),
    ],
)
def test_invisible_characters_are_escapes_in_names_messages_and_values(character: str, escape: str) -> None:
    assert safe(f"Pump{character}1") == f"Pump{escape}1"
    assert one_line(f"no tag Pump{character}1") == f"no tag Pump{escape}1"
    assert value_text(f"Pump{character}1") == f"Pump{escape}1"
    assert escape.replace("\\", "\\\\") in value_text([f"Pump{character}1"])


def test_what_plants_write_stays_as_it_is() -> None:
    for text in ("Füllstand 60 °C", "ポンプ　起動", "насос", "درجة", "é", "→ … ─ ⣿ █ ✓"):
        assert safe(text) == text


def test_a_key_is_redacted_wherever_text_is_made_fit_to_be_shown() -> None:
    assert safe(f"add {KEY} to it") == "add mxgw_demo_*** to it"
    assert one_line(f"Bearer abc.def and\n{KEY}") == "Bearer *** and mxgw_demo_***"
    assert KEY not in value_text([KEY, {"a": KEY}])
    assert json_line({"a": [f'say "{KEY}"'], KEY: None}) == '{"a": ["say \\"mxgw_demo_***\\""], "mxgw_demo_***": null}'


def test_a_value_of_a_megabyte_is_a_screenful_with_its_length() -> None:
    whole = "x" * 1_048_576
    shown = value_text(whole)
    assert len(shown) < 2_000
    assert "1,048,576 characters" in shown
    assert len(value_text([whole] * 100)) < 4_000
    assert json_line({"value": whole}) == f'{{"value": "{whole}"}}'


@given(st.text(st.characters(codec="utf-8")))
def test_columns_are_counted_as_a_terminal_shows_them(text: str) -> None:
    shown = safe(text)
    assert width(shown) == sum(wcwidth(character) for character in shown)
    assert all(wcwidth(character) >= 0 for character in shown)


@given(st.text("aß温度 e\u0301→😀"), st.integers(1, 12))
def test_a_shortened_text_fits(text: str, columns: int) -> None:
    for cut_down in (cut, cut_middle, cut_start):
        shown = cut_down(text, columns)
        assert width(shown) <= columns
        assert shown == text or "…" in shown
    assert width(padded(text, columns)) == max(columns, width(text))
