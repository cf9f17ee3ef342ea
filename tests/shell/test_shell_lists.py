"""Lists of tags: what is saved is what is loaded."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists

ODD = ["P#2.Level", "#1Tank.Level", "Tank #3.Level", '"x".Level', "A.\u2028b", "My Tank.Level", "a\\b.c", "Tank's.x"]


def test_a_list_has_the_names_that_were_saved(tmp_path: Path) -> None:
    WatchLists(tmp_path).save("odd", ODD)
    assert WatchLists(tmp_path).load("odd") == ODD


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=10), max_size=5))
def test_a_list_has_the_names_that_were_saved_whatever_is_in_them(tmp_path: Path, tags: list[str]) -> None:
    WatchLists(tmp_path).save("any", tags)
    assert WatchLists(tmp_path).load("any") == tags


def test_a_hand_written_list_may_have_comments(tmp_path: Path) -> None:
    text = '\ufeff# tanks\r\nA.b # the first\r\n\r\n  P#2.Level\t# not P\r\n"#1.x" # quoted\r\n'
    (tmp_path / "mine.tags").write_bytes(text.encode())
    assert WatchLists(tmp_path).load("mine") == ["A.b", "P#2.Level", "#1.x"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'A.b\n"C.d\n', 'mine.tags:2:1: the closing " is missing'),
        (b'A.b\n "C.d" E.f # g\n', "mine.tags:2:8: a line holds one tag"),
        (b"\xe4", "1:1: not UTF-8"),
    ],
)
def test_a_mistake_in_a_list_is_reported_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "mine.tags").write_bytes(content)
    with pytest.raises(ShellError) as caught:
        WatchLists(tmp_path).load("mine")
    assert said in str(caught.value)
