"""Where this user's records are: what was written, what is to be put back, and what proves it; and what is kept."""

import os
import sys
from pathlib import Path

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError

STATE_VARIABLE = "MXGATEWAY_STATE"
"""Names a folder that holds the folders of this module, in place of the user's own."""


def state_folder() -> Path:
    """Return the folder of records; raise MxGatewayArgumentError where the user has no home, as in some containers."""
    return _folder("state", "XDG_STATE_HOME", ".local/state")


def data_folder() -> Path:
    """Return a folder apart from that of records, for what proves them; raise as :func:`state_folder` does."""
    return _folder("data", "XDG_DATA_HOME", ".local/share")


def cache_folder() -> Path:
    """Return a folder for what can be had again at any time; raise as :func:`state_folder` does."""
    return _folder("cache", "XDG_CACHE_HOME", ".cache")


def _folder(kind: str, variable: str, below_home: str) -> Path:
    if named := os.environ.get(STATE_VARIABLE, "").strip():
        return Path(named).absolute() / kind
    if sys.platform == "linux":
        # What platformdirs says, which takes a tenth of a start to load.
        place = os.environ.get(variable, "").strip()
        return (Path(place) if Path(place).is_absolute() else _home() / below_home) / "mxgw"
    import platformdirs

    paths = {
        "state": platformdirs.user_state_path,
        "data": platformdirs.user_data_path,
        "cache": platformdirs.user_cache_path,
    }
    # Without an author: on Windows the author would add a folder around that of the program.
    return paths[kind]("mxgw", appauthor=False)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise MxGatewayArgumentError(
            f"there is no home folder for records of writes: set HOME or {STATE_VARIABLE}"
        ) from None
