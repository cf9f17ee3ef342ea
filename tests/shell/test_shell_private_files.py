"""Files of the user's own: made for their owner alone, and not relied on where others may change them."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from prompt_toolkit.history import FileHistory, InMemoryHistory

from zb_mom_ww_mxgateway_console.connect.profiles import read_file
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists
from zb_mom_ww_mxgateway_shell.terminal.prompt import history_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such rights there")


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The umask of a machine where nobody thought of it."""
    old = os.umask(0)
    try:
        yield
    finally:
        os.umask(old)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_lists_are_made_for_their_owner_alone_and_not_read_where_others_may_change_them(tmp_path: Path) -> None:
    lists = WatchLists(tmp_path / "config" / "lists")
    path = lists.save("one", ["Plant.Tank1.Level"])
    assert [rights(each) for each in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    assert WatchLists(tmp_path / "config" / "lists").load("one") == ["Plant.Tank1.Level"]
    for wrong in (path, path.parent):
        kept = rights(wrong)
        wrong.chmod(0o777)
        with pytest.raises(ShellError, match=f"others may change {wrong}: chmod go-w"):
            WatchLists(tmp_path / "config" / "lists").load("one")
        wrong.chmod(kept)


def test_a_list_is_not_written_through_a_link_that_waits_for_it(tmp_path: Path) -> None:
    lists = WatchLists(tmp_path / "lists")
    lists.save("one", ["A.b"])
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "lists" / "one.new").symlink_to(tmp_path / "victim")
    lists.save("one", ["C.d"])
    assert (tmp_path / "victim").read_text() == "precious"
    assert WatchLists(tmp_path / "lists").load("one") == ["C.d"]


def test_profiles_that_others_may_change_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text('[profiles.a]\nendpoint = "a:1"\n')
    path.chmod(0o666)
    with pytest.raises(click.UsageError, match=f"others may change {path}: chmod go-w"):
        read_file(path)
    path.chmod(0o644)
    assert list(read_file(path).profiles) == ["a"]


def test_the_history_is_its_owners_alone_and_not_used_where_others_may_change_it(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "state" / "history"
    assert isinstance(history_at(path, said.append), FileHistory)
    assert (rights(path), rights(path.parent)) == (0o600, 0o700)
    path.chmod(0o666)
    assert isinstance(history_at(path, said.append), InMemoryHistory)
    assert said == [f"the history is not used: others may change {path}: chmod go-w {path}"]
