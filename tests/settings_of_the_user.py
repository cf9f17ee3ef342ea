"""Which variables of the environment are the user's own settings, and stay out of the tests and of what they start."""

import os
from pathlib import Path


def is_the_users(name: str) -> bool:
    """Whether a variable is a setting of ours; but a contract that a whole run of tests is under is meant."""
    if name == "MXGATEWAY_CONTRACT":
        return "TESTS_UNDER_A_CONTRACT" not in os.environ
    return name.startswith("MXGATEWAY_")


def programs_environment(folder: Path) -> dict[str, str]:
    """The environment in which tests start our programs; `folder` gets what they keep. To Python it is the same for
    all tests, which so share the process that is forked."""
    kept = {name: value for name, value in os.environ.items() if not (is_the_users(name) or name.startswith("PYTHON"))}
    return kept | {
        "MXGATEWAY_KNOWN_GATEWAYS": str(folder / "known_gateways"),
        "MXGATEWAY_STATE": str(folder / "records"),
        "PYTHONWARNINGS": "error",
        "PYTHONUTF8": "1",
    }
