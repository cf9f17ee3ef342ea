"""Which variables of the environment are the user's own settings, and stay out of the tests."""

import os


def is_the_users(name: str) -> bool:
    """Whether a variable is a setting of ours; but a contract that a whole run of tests is under is meant."""
    if name == "MXGATEWAY_CONTRACT":
        return "TESTS_UNDER_A_CONTRACT" not in os.environ
    return name.startswith("MXGATEWAY_")
