"""The index of tag names, beside a plain list of them."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings, strategies as st

from zb_mom_ww_mxgateway.models.security_classes import VIEW_ONLY
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway_shell.galaxy import tag_index_storage
from zb_mom_ww_mxgateway_shell.galaxy.index_lines import index_lines, reading_index
from zb_mom_ww_mxgateway_shell.galaxy.tag_index import TagIndex

# Few letters, so that names are alike; a hyphen sorts before the dot; ß and the long s are letters of their own, though
# Unicode folds them to ss and s.
SEGMENT = st.text("asAS-ß\u017f", min_size=1, max_size=3)
NAME = st.lists(SEGMENT, min_size=1, max_size=3).map(".".join)
GALAXY = st.dictionaries(NAME, st.lists(NAME, max_size=5), max_size=30)


def galaxy_object(name: str, attributes: list[str], security: int = 1, prefix: str | None = None) -> Any:
    return SimpleNamespace(
        tag_name=name,
        is_area=False,
        template_chain=("$Thing",),
        attributes=[
            SimpleNamespace(
                full_tag_reference=f"{name if prefix is None else prefix}.{each}",
                data_type=DataType.DOUBLE,
                data_type_name="Double",
                is_array=False,
                security_classification=security,
            )
            for each in attributes
        ],
    )


def index_of(galaxy: dict[str, list[str]]) -> TagIndex:
    index = TagIndex()
    for name, attributes in galaxy.items():
        index.add(galaxy_object(name, attributes))
    return index


def through_lines(index: TagIndex) -> TagIndex:
    """The index that the lines of another one make."""
    steps = reading_index(list(index_lines(index)))
    while True:
        try:
            next(steps)
        except StopIteration as done:
            made: TagIndex = done.value
            return made


def group(name: str, depth: int) -> str:
    segments = name.split(".")
    return name if len(segments) <= depth else ".".join(segments[:depth]) + "."


def shouted(tag: str) -> str:
    return "".join(letter.upper() if letter.isascii() else letter for letter in tag)


@settings(deadline=None)
@given(GALAXY, NAME | st.just(""), st.booleans(), st.booleans())
def test_look_ups_are_those_of_a_plain_list(
    galaxy: dict[str, list[str]], typed: str, ends_with_dot: bool, is_kept: bool
) -> None:
    index = through_lines(index_of(galaxy)) if is_kept else index_of(galaxy)
    tags = {tag_key(f"{owner}.{name}") for owner, names in galaxy.items() for name in names}
    assert {tag_key(tag) for owner in index.owners_from("") for tag in index.tags_of(owner)} == tags
    assert all(index.find(shouted(tag)) for tag in tags)
    spelled = {tag for owner in index.owners_from("") for tag in index.tags_of(owner)}
    # Two objects may have what is one tag to MXAccess: S with s.A, and S.S with A. One of the spellings is given.
    answers = {index.spelled(shouted(tag)) for tag in tags}
    assert answers <= spelled
    assert {tag_key(answer or "") for answer in answers} == tags
    assert (index.find(typed) is not None) == (tag_key(typed) in tags)
    prefix = f"{typed}." if typed and ends_with_dot else typed
    folded = tag_key(prefix)
    depth = folded.count(".") + 1
    expected = {group(tag, depth) for tag in tags if tag.startswith(folded)}
    expected |= {group(f"{tag_key(owner)}.", depth) for owner in galaxy if tag_key(owner).startswith(folded)}
    found = [tag_key(text) for text, _ in index.segments(prefix, 10_000)]
    assert found == sorted(found)
    # An object without attributes is offered with its dot; so is what more is below.
    assert set(found) == {each if each.endswith(".") or each in tags else f"{each}." for each in expected}
    objects = {tag_key(owner) for owner in galaxy}
    assert {tag_key(text) for text, _ in index.objects_like(prefix, 10_000)} == {
        group(owner, depth).rstrip(".") for owner in objects if owner.startswith(folded)
    }


@settings(deadline=None)
@given(GALAXY, st.text("asAS.-\u017f", min_size=2, max_size=5))
def test_what_contains_a_text_is_found_wherever_it_stands(galaxy: dict[str, list[str]], text: str) -> None:
    index = index_of(galaxy)
    needle = tag_key(text)
    found = [tag_key(name) for name, _ in index.containing(text, 10_000)]
    assert len(found) == len(set(found))
    assert all(needle in name and not name.startswith(needle) for name in found)
    tags = {tag_key(f"{owner}.{name}") for owner, names in galaxy.items() for name in names}
    if needle.strip(".") == needle:
        # Each tag that has it is offered: itself, or up to a dot behind it.
        having = {tag for tag in tags if needle in tag and not tag.startswith(needle)}
        assert all(any(tag == name or tag.startswith(name) for name in found) for tag in having)


@settings(deadline=None)
@given(st.permutations([f"{area}.{unit}" for area in "abcd" for unit in "xyz"]), st.integers(2, 5))
def test_runs_split_in_whatever_order_objects_come(names: list[str], size: int) -> None:
    former, tag_index_storage._RUN = tag_index_storage._RUN, size
    try:
        index = index_of({name: ["P"] for name in names})
    finally:
        tag_index_storage._RUN = former
    assert [owner.name for owner in index.owners_from("")] == sorted(names)
    assert all(index.find(f"{name}.p") for name in names)
    assert [text for text, _ in index.segments("B.", 10)] == ["b.x.", "b.y.", "b.z."]
    assert [text for text, _ in index.containing("y.p", 10)] == ["a.y.P", "b.y.P", "c.y.P", "d.y.P"]


def test_objects_of_one_template_share_what_they_have() -> None:
    index = index_of({f"Unit{number}": ["PV", "SP", "OP"] for number in range(1000)})
    assert index.tags == 3000
    assert len(index._shapes) == 1


def test_an_object_that_comes_again_keeps_what_it_had_and_a_strange_reference_finds_its_place() -> None:
    index = TagIndex()
    index.add(galaxy_object("Unit", ["PV"], VIEW_ONLY))
    index.add(galaxy_object("unit", ["pv", "SP"]))
    index.add(galaxy_object("Other", ["X.Y"], prefix="Elsewhere"))
    assert index.tags == 3
    first, second = index.segments("unit.", 10)
    assert (first, second) == (("Unit.PV", "Double, read-only"), ("Unit.SP", "Double"))
    assert index.find("elsewhere.x.y")


def test_names_that_would_reach_the_terminal_as_controls_are_left_out() -> None:
    index = TagIndex()
    index.add(galaxy_object("Unit", ["Good", "Bad\x1b[2J", "Two\nlines", ""]))
    index.add(galaxy_object("Evil\x07", ["PV"]))
    assert [text for text, _ in index.segments("", 10)] == ["Unit."]
    assert [text for text, _ in index.segments("Unit.", 10)] == ["Unit.Good"]


def test_a_template_that_cannot_be_shown_is_left_out_and_the_rest_can_be_kept() -> None:
    index = TagIndex()
    thing = galaxy_object("Unit", ["PV"])
    thing.template_chain = ("$Bad\x1b[2J", "$Good")
    index.add(thing)
    for each in (index, through_lines(index)):
        assert each.templates == {"$Good": 1}
        assert each.find("Unit.PV")


def test_where_a_segment_begins_with_it_comes_first() -> None:
    index = index_of({"Mixer": ["HighLevel", "Level", "Level.Hi"], "Abc.Levels": ["X"]})
    assert [text for text, _ in index.containing("level", 10)] == [
        "Abc.Levels.",
        "Mixer.Level",
        "Mixer.Level.",
        "Mixer.HighLevel",
    ]
    assert [text for text, _ in index.containing("level", 2)] == ["Abc.Levels.", "Mixer.Level"]
    assert index.containing("l", 10) == []
