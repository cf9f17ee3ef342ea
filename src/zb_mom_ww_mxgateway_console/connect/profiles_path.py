"""Where the file of profiles is.

A separate file: every start looks for the profiles file, and most starts do not read it.
"""

import os
from pathlib import Path

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.config_dir import config_folder

FILE_VARIABLE = "MXGATEWAY_PROFILES"


def default_path() -> Path:
    """Return the path of the file: MXGATEWAY_PROFILES, or the default."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named) if named else config_folder() / "profiles.toml"


def is_there() -> bool:
    """Return whether there is anything to read: a file, or the name of one."""
    if os.environ.get(FILE_VARIABLE):
        return True
    try:
        return default_path().exists()
    except MxGatewayArgumentError:
        return False  # A user without a home has no file there.
