"""Text files are the same on every system: what reads or writes one says how."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
FILES = [path for path in SRC.rglob("*.py") if "generated" not in path.parts]

# Where the mode stands among the positional arguments: open(path, mode), path.open(mode).
_MODES = {"open": 1, "fdopen": 1}


def calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def what_is_missing(call: ast.Call) -> str:
    """What a call that opens a text file does not say; empty for any other call."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = {keyword.arg for keyword in call.keywords}
    if name in ("read_text", "write_text"):
        needed = {"encoding", "newline"} if name == "write_text" else {"encoding"}
        return ", ".join(sorted(needed - given))
    if not is_opening(call, name):
        return ""
    place = _MODES[name] if isinstance(call.func, ast.Name) or name == "fdopen" else 0
    modes = [node for keyword in call.keywords if keyword.arg == "mode" for node in ast.walk(keyword.value)]
    modes += list(ast.walk(call.args[place])) if len(call.args) > place else []
    said = {node.value for node in modes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    if any("b" in mode for mode in said):
        return ""
    needed = {"encoding", "newline"} if any(set(mode) & set("wxa+") for mode in said) else {"encoding"}
    return ", ".join(sorted(needed - given))


def is_opening(call: ast.Call, name: str) -> bool:
    """Whether it opens a file: not a connection, nor a descriptor."""
    if name == "fdopen" or (name == "open" and isinstance(call.func, ast.Name)):
        return True
    return name == "open" and "path" in ast.unparse(call.func).casefold()


def test_whatever_opens_a_text_file_says_its_encoding_and_whatever_writes_one_its_newlines() -> None:
    wrong = {
        f"{path.relative_to(SRC).as_posix()}:{call.lineno}": missing
        for path in FILES
        for call in calls(path)
        if (missing := what_is_missing(call))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("open(name)", "encoding"),
        ("open(name, 'w', encoding='utf-8')", "newline"),
        ("path.open('a' if append else 'x')", "encoding, newline"),
        ("path.write_text(text, encoding='utf-8')", "newline"),
        ("os.fdopen(handle, 'wb')", ""),
        ("path.open('rb')", ""),
        ("open(name, 'x', encoding='utf-8', newline='')", ""),
    ],
)
def test_a_missing_argument_of_a_call_is_found(line: str, missing: str) -> None:
    (call,) = (node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call))
    assert what_is_missing(call) == missing


def test_signal_handlers_of_the_loop_have_something_else_beside_them() -> None:
    """Loops on Windows have none."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if "add_signal_handler" not in text:
            continue
        asks = [c for c in calls(path) if isinstance(c.func, ast.Attribute) and c.func.attr == "add_signal_handler"]
        assert not asks or "except NotImplementedError" in text, path.name
