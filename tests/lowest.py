"""Prints constraints that pin each dependency to the lowest version that is allowed: for make test-lowest."""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lowest() -> list[str]:
    """``NAME==VERSION`` of each dependency that has a lowest version."""
    needed = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    found = [re.fullmatch(r"([A-Za-z0-9_.-]+)>=([0-9.]+).*", each) for each in needed]
    assert all(found), "every dependency says what it needs at least"
    return [f"{each[1]}=={each[2]}" for each in found if each]


if __name__ == "__main__":
    print("\n".join(lowest()))
