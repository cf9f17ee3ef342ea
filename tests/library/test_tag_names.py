"""One rule says which names of tags are the same, and one which names a glob matches."""

import re

import pytest
from hypothesis import example, given, strategies as st

from zb_mom_ww_mxgateway.tag_names import glob, tag_key

DIFFERENT = [
    ("Straße.Cmd", "Strasse.Cmd"),
    ("Straße.Cmd", "STRASSE.CMD"),
    ("Ma\u017ft.Cmd", "Mast.Cmd"),
    ("Masse\u212a.Cmd", "MasseK.Cmd"),
    ("ﬁlter.Cmd", "filter.Cmd"),
    ("Ä.Cmd", "ä.Cmd"),
    ("Σ.Cmd", "ς.Cmd"),
    ("İ.Cmd", "i.Cmd"),
    ("A\u0308.Cmd", "\u00c4.Cmd"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_differ_in_more_than_ascii_case_are_different(one: str, other: str) -> None:
    assert tag_key(one) != tag_key(other)


@pytest.mark.parametrize("name", ["Plant.Tank1.Level", "Straße.Cmd", "K\u212a.Cmd"])
def test_names_that_differ_only_in_ascii_case_are_the_same(name: str) -> None:
    upper = "".join(letter.upper() if letter.isascii() else letter for letter in name)
    assert tag_key(upper) == tag_key(name) == tag_key(tag_key(name))


@pytest.mark.parametrize("name", [name for pair in DIFFERENT for name in pair])
def test_a_key_is_as_long_as_its_name(name: str) -> None:
    assert len(tag_key(name)) == len(name)


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab.", max_size=10))
@example("*a*a*", "aa")
def test_a_glob_matches_a_whole_name(text: str, name: str) -> None:
    expected = re.fullmatch("".join({"*": ".*", "?": "."}.get(mark, re.escape(mark)) for mark in text), name)
    assert (glob(text).fullmatch(name) is not None) == (expected is not None)


def test_a_glob_of_many_stars_is_an_answer() -> None:
    assert glob("*a" * 40 + "*b").fullmatch("a" * 2_000) is None
