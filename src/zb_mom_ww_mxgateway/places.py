"""Where a user's own files are."""

import os
import sys
from pathlib import Path


def config_folder() -> Path:
    """The folder of settings: what platformdirs says, which takes a tenth of a start to load where it is not needed."""
    if sys.platform == "linux":
        named = os.environ.get("XDG_CONFIG_HOME", "").strip()
        return (Path(named) if named else Path.home() / ".config") / "mxgw"
    import platformdirs

    return platformdirs.user_config_path("mxgw")
