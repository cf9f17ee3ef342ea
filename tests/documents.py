"""The documents for people, and the fenced blocks in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = ("README.md", "CONTRIBUTING.md", *sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")
))  # fmt: skip
"""The documents whose commands and programs are run."""
OTHERS = (
    "SECURITY.md",
    "CHANGELOG.md",
    "examples/README.md",
    "examples/water-plant/README.md",
    "examples/COMMANDS.md",
    "proto/README.md",
)


def text_of(name: str) -> str:
    """The text of a document, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(language: str, name: str) -> list[str]:
    """The fenced blocks in that language of one document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(name), re.MULTILINE | re.DOTALL)


def guides_with(language: str) -> list[str]:
    """The documents that have such blocks."""
    return [name for name in GUIDES if blocks(language, name)]


def programs() -> list[tuple[str, int, str]]:
    """Every Python program of the guides: its document, its number there, its text."""
    return [(name, number, text) for name in GUIDES for number, text in enumerate(blocks("python", name))]
