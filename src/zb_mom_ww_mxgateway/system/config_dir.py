"""Where a user's own files are."""

import os
import sys
from pathlib import Path

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError


def config_folder() -> Path:
    """The folder of settings: what platformdirs says, which takes a tenth of a start to load where it is not needed.

    Raises MxGatewayArgumentError where the user has no home, as in some containers.
    """
    if sys.platform == "linux":
        named = os.environ.get("XDG_CONFIG_HOME", "").strip()
        return (Path(named) if named else _home() / ".config") / "mxgw"
    import platformdirs

    # Without an author: on Windows the author would add a folder around that of the program.
    return platformdirs.user_config_path("mxgw", appauthor=False)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise MxGatewayArgumentError(
            "there is no home folder for settings and remembered certificates: set HOME or XDG_CONFIG_HOME"
        ) from None
