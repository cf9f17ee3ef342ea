"""One rule says which names of tags are the same."""

import pytest

from zb_mom_ww_mxgateway.tag_names import tag_key

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
