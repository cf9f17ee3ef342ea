"""A command is declared in one file: what the rest of the shell knows about it are attributes of its declaration."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway_shell.commands.index import MODULE_OF

SHELL = Path(__file__).parents[2] / "src" / "zb_mom_ww_mxgateway_shell"
COMMANDS = set(MODULE_OF)

# Where such a word is not the name of a command: module, word, and what it is there.
OTHER_WORDS = {
    ("diagnosis/galaxy_check.py", "browse"): "a line that is suggested to a person",
    ("diagnosis/why.py", "write"): "the line that failed last, as it was typed",
    ("samples/recorder.py", "read"): "the kind of a row of a recording",
    ("scripts/run_log.py", "step"): "the part of a run that a step is",
    ("state/connection.py", "alarms"): "an attribute that may not have been made yet",
    ("state/saved_profile.py", "profiles"): "a table of the user's file",
    ("terminal/full_watch.py", "changes"): "a column of the screen",
}


def words_of(node: ast.expr) -> Iterator[str]:
    """The texts in an operand: alone, or in a collection that is written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for each in node.elts:
            yield from words_of(each)
    elif isinstance(node, ast.Dict):
        for key in filter(None, node.keys):
            yield from words_of(key)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("frozenset", "set"):
        for each in node.args:
            yield from words_of(each)


def compared_words(source: str) -> set[str]:
    """The texts that a module compares something with: by an operator, a case, a look-up or a named collection."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        operands: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            operands = [node.value]
        elif isinstance(node, ast.Subscript):
            operands = [node.slice] if isinstance(node.ctx, ast.Load) and "commands" in ast.unparse(node.value) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_prefix = node.func.attr in ("startswith", "removeprefix", "endswith")
            if is_prefix or (node.func.attr == "get" and "commands" in ast.unparse(node.func.value)):
                operands = node.args[:1]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            # A list of nothing but commands is there to be looked up; one of columns may have one among them.
            listed = [] if isinstance(node.value, ast.Constant) else list(words_of(node.value))
            operands = [node.value] if listed and set(listed) <= COMMANDS else []
        for operand in operands:
            found |= {word.strip() for word in words_of(operand)}
    return found


def test_no_module_outside_the_commands_knows_one_by_its_name() -> None:
    found = {
        (path.relative_to(SHELL).as_posix(), word)
        for path in sorted(SHELL.rglob("*.py"))
        if path.relative_to(SHELL).parts[0] != "commands"
        for word in compared_words(path.read_text(encoding="utf-8")) & COMMANDS
    }
    assert found == set(OTHER_WORDS)


@pytest.mark.parametrize(
    "source",
    [
        'if name == "wait": pass',
        'if name in ("include", "finally"): pass',
        '_ELSEWHERE = ("use", "connect")',
        "_OF_THE_LANGUAGE = frozenset({'let'})",
        'match name:\n    case "exit" | "x": pass',
        'registry.commands["write"]',
        'registry.commands.get("write")',
        'line.startswith("sleep ")',
    ],
)
def test_a_comparison_with_a_name_is_seen(source: str) -> None:
    assert compared_words(source) & COMMANDS
