"""One name, one class: a reader who searches for a name finds one thing."""

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from import_graph import PACKAGES, files

# The simulator stands for another program, and may name what it shares with us as we do.
OURS = [name for short, name in PACKAGES.items() if short != "simulator"]


def declared_twice(sources: Iterable[str]) -> set[str]:
    """The names of the classes that are declared more than once, wherever in a module."""
    names = Counter(
        node.name for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)
    )
    return {name for name, count in names.items() if count > 1}


def modules() -> list[Path]:
    return [path for package in OURS for path in files(package) if path.suffix == ".py"]


def test_no_two_classes_have_one_name() -> None:
    assert declared_twice(path.read_text(encoding="utf-8") for path in modules()) == set()


def test_a_name_that_two_modules_declare_is_seen() -> None:
    assert declared_twice(["class A: pass\nclass B: pass", "def f():\n class A: pass"]) == {"A"}
