"""A glob of tags matches as a naive reference does, and its relations to others agree with all short names."""

from itertools import product

import pytest
from hypothesis import example, given, strategies as st

from zb_mom_ww_mxgateway import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.globs import TagGlob

GLOBS = st.text(alphabet="ab*?[]", max_size=5).filter(lambda text: "a" in text or "b" in text).map(TagGlob)
NAMES = ["".join(letters) for length in range(7) for letters in product("ac[]", repeat=length)]
"""Every name of up to six characters; ``c`` is in no glob."""
GLOBS_OF_A = st.text(alphabet="a*?[]", max_size=3).filter(lambda text: "a" in text).map(TagGlob)


def matches(pattern: str, name: str) -> bool:
    """Match character by character, from the definition."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(matches(pattern[1:], name[skipped:]) for skipped in range(len(name) + 1))
    return bool(name) and pattern[0] in ("?", name[0]) and matches(pattern[1:], name[1:])


def names(tag: str) -> list[str]:
    found = [tag]
    while tag.endswith("]") and "[" in tag and "]" not in tag[tag.rindex("[") : -1]:
        tag = tag[: tag.rindex("[")]
        found.append(tag)
    return found


@given(GLOBS, st.text(alphabet="abc[]", max_size=9))
@example(TagGlob("a"), "a[1]")
@example(TagGlob("a"), "a[]")
@example(TagGlob("a"), "a[[]")
@example(TagGlob("a[1]"), "a")
@example(TagGlob("a*b"), "aab[3][4]")
def test_a_glob_matches_as_its_definition_says(one: TagGlob, name: str) -> None:
    assert one.matches(name) == any(matches(one.text, each) for each in names(name))


@given(GLOBS_OF_A, GLOBS_OF_A)
@example(TagGlob("a"), TagGlob("a[]"))
@example(TagGlob("a*]"), TagGlob("?a[*"))
def test_two_globs_overlap_where_a_name_is_matched_by_both(one: TagGlob, other: TagGlob) -> None:
    expected = any(one.matches(name) and other.matches(name) for name in NAMES)
    assert one.overlaps(other) == other.overlaps(one) == expected


@given(GLOBS_OF_A, GLOBS_OF_A)
@example(TagGlob("a*"), TagGlob("a"))
@example(TagGlob("a"), TagGlob("a[]"))
@example(TagGlob("*a*"), TagGlob("?a*"))
def test_a_glob_covers_another_where_it_matches_all_of_its_names(one: TagGlob, other: TagGlob) -> None:
    expected = all(one.matches(name) for name in NAMES if other.matches(name))
    assert one.covers(other) == expected


def test_letter_case_makes_no_difference() -> None:
    assert TagGlob("plant.tank?").matches("PLANT.Tank1")
    assert TagGlob("Plant.Tank1") == TagGlob("PLANT.tank1")
    assert TagGlob("PLANT.*").covers(TagGlob("plant.tank1"))
    assert not TagGlob("Straße*").matches("Strasse")


def test_the_closest_is_first() -> None:
    texts = ["P*", "Plant.Tank?.*", "Plant.Tank1.*", "Plant.*", "Plant.Tank1"]
    assert [glob.text for glob in sorted(map(TagGlob, texts), key=lambda glob: glob.rank)] == [
        "Plant.Tank1",
        "Plant.Tank1.*",
        "Plant.Tank?.*",
        "Plant.*",
        "P*",
    ]


@pytest.mark.parametrize("text", ["", " ", "*", "*.*", "?", "*[*]", "**", "._", "\n"])
def test_a_glob_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(MxGatewayArgumentError, match="names nothing") as caught:
        TagGlob(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [" a", "a ", "a\nb", "a\x1bb"])
def test_a_glob_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(MxGatewayArgumentError, match="cannot be seen"):
        TagGlob(text)


def test_globs_of_many_wildcards_are_an_answer() -> None:
    many = TagGlob("*a" * 40 + "*b")
    assert not many.matches("a" * 2_000)
    assert many.overlaps(TagGlob("*b" * 40))
    assert not TagGlob("*a" + "?" * 40 + "b").covers(TagGlob("*a" + "?" * 39 + "ab*"))
