"""Where a user's own files are."""

from pathlib import Path

import platformdirs
import pytest
from platformdirs import windows

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.config_dir import config_folder
from zb_mom_ww_mxgateway.system.state_dir import cache_folder, data_folder, state_folder
from zb_mom_ww_mxgateway_console.connect.profiles_path import is_there


@pytest.mark.parametrize("named", [None, "", "elsewhere"])
def test_settings_are_where_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str | None
) -> None:
    if named is None:
        monkeypatch.delenv("XDG_CONFIG_HOME")
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / named) if named else "")
    assert config_folder() == platformdirs.user_config_path("mxgw")


def test_without_a_home_the_error_names_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(MxGatewayArgumentError, match="set HOME or XDG_CONFIG_HOME"):
        config_folder()
    assert not is_there()


def test_on_windows_the_folder_is_not_in_another_of_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(
        platformdirs, "user_config_path", lambda *given, **named: windows.Windows(*given, **named).user_config_path
    )
    monkeypatch.setattr(windows, "get_win_folder", lambda name: str(tmp_path))
    assert config_folder() == tmp_path / "mxgw"


def test_records_are_where_platformdirs_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MXGATEWAY_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("XDG_DATA_HOME")
    assert state_folder() == platformdirs.user_state_path("mxgw") == tmp_path / "state/mxgw"
    assert data_folder() == platformdirs.user_data_path("mxgw")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == platformdirs.user_cache_path("mxgw")


def test_a_variable_names_the_folder_of_both_kinds_of_records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MXGATEWAY_STATE", str(tmp_path))
    assert (state_folder(), data_folder()) == (tmp_path / "state", tmp_path / "data")


def test_records_without_a_home_are_an_error_that_names_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MXGATEWAY_STATE")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(MxGatewayArgumentError, match="set HOME or MXGATEWAY_STATE"):
        state_folder()
