"""Where a user's own files are."""

from pathlib import Path

import platformdirs
import pytest

from zb_mom_ww_mxgateway.places import config_folder


@pytest.mark.parametrize("named", [None, "", "elsewhere"])
def test_settings_are_where_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str | None
) -> None:
    if named is None:
        monkeypatch.delenv("XDG_CONFIG_HOME")
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / named) if named else "")
    assert config_folder() == platformdirs.user_config_path("mxgw")
