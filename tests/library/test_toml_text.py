"""The line of every key of a TOML text: of all that the parser finds, and of nothing else."""

from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from zb_mom_ww_mxgateway.system.toml_text import KeyPath, TomlError, key_lines, line_of, parse_toml

TEXT = '''# a comment with [a.table] and key = 1
top = "a \\" [no.table]"
[tags."Plant.Tank1.SP"]  # the rule
max = 100
note = """
[no.table]
max = 7 \\""" ""
"""
allowed = [  # "a comment
    1,
    [2, 'three'],
    { a = 4, "b.c" = 5 },
]
'quoted key'.dotted . also = 1979-05-27 07:32:00
[[examples]]
write = 'C:\\'
[examples.more]
value = 1
[[examples]]
write = ''
'''


def test_each_key_has_its_line() -> None:
    assert key_lines(TEXT) == {
        ("top",): 2,
        ("tags",): 3,
        ("tags", "Plant.Tank1.SP"): 3,
        ("tags", "Plant.Tank1.SP", "max"): 4,
        ("tags", "Plant.Tank1.SP", "note"): 5,
        ("tags", "Plant.Tank1.SP", "allowed"): 9,
        ("tags", "Plant.Tank1.SP", "allowed", 0): 10,
        ("tags", "Plant.Tank1.SP", "allowed", 1): 11,
        ("tags", "Plant.Tank1.SP", "allowed", 1, 0): 11,
        ("tags", "Plant.Tank1.SP", "allowed", 1, 1): 11,
        ("tags", "Plant.Tank1.SP", "allowed", 2): 12,
        ("tags", "Plant.Tank1.SP", "allowed", 2, "a"): 12,
        ("tags", "Plant.Tank1.SP", "allowed", 2, "b.c"): 12,
        ("tags", "Plant.Tank1.SP", "quoted key"): 14,
        ("tags", "Plant.Tank1.SP", "quoted key", "dotted"): 14,
        ("tags", "Plant.Tank1.SP", "quoted key", "dotted", "also"): 14,
        ("examples",): 15,
        ("examples", 0): 15,
        ("examples", 0, "write"): 16,
        ("examples", 0, "more"): 17,
        ("examples", 0, "more", "value"): 18,
        ("examples", 1): 19,
        ("examples", 1, "write"): 20,
    }


def test_lines_of_a_file_from_windows_are_the_same() -> None:
    assert key_lines(TEXT.replace("\n", "\r\n")) == key_lines(TEXT)


def test_a_missing_key_has_the_line_of_its_table() -> None:
    lines = key_lines(TEXT)
    assert line_of(lines, ("examples", 1, "value")) == 19
    assert line_of(lines, ("profiles", "a")) == 1
    assert line_of({}, ()) == 1


@pytest.mark.parametrize("depth", [100, 200, 300, 400])
def test_arrays_in_hundreds_of_arrays_do_not_break_it(depth: int) -> None:
    text = "a = 1\nb = " + "[" * depth + "]" * depth
    try:
        parse_toml(text)
    except TomlError:
        return
    assert line_of(key_lines(text), ("b", 0, 0)) == 2


def paths(content: Any, path: KeyPath = ()) -> set[KeyPath]:
    if isinstance(content, dict):
        inner = [paths(value, (*path, key)) for key, value in content.items()]
    elif isinstance(content, list):
        inner = [paths(value, (*path, number)) for number, value in enumerate(content)]
    else:
        inner = []
    return set().union(*inner) | ({path} if path else set())


KEYS = st.sampled_from(["a", "b-1", '"a"', "'b.c'", '"\\u0061"', '""', "'\"'", '"]"', "'#'", "0"])
DOTTED = st.lists(KEYS, min_size=1, max_size=3).map(" . ".join)
PLAIN = ["1", "-1.5e3", "true", "nan", '"[a]"', '"\\""', '"# ,"', "''", '""', "1979-05-27 07:32:00", "07:32:00"]
IN_LINES = ["'''\n[a]\n'''", '"""a""" # c', '"""""a"""""', "'''''a'''''", '"""\\\n  a = 1"""']
VALUES = st.recursive(
    st.sampled_from(PLAIN + IN_LINES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n # [x]\n".join(items) + "\n]"),
        st.lists(st.tuples(DOTTED, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + " }"
        ),
    ),
    max_leaves=5,
)
LINES = st.one_of(
    st.tuples(DOTTED, VALUES).map(" = ".join),
    DOTTED.map(lambda key: f"[{key}]"),
    DOTTED.map(lambda key: f"[[ {key} ]]"),
    st.sampled_from(["", "  # [a]", "\t"]),
)


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_what_the_parser_finds_has_a_line_and_nothing_else_has(text: str) -> None:
    try:
        content = parse_toml(text)
    except TomlError:
        assume(False)
    lines = key_lines(text)
    assert set(lines) == paths(content)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a = 1\nb = \n", 2, "Invalid value"),
        ("a = 1\na = 2\n", 2, "Cannot overwrite"),
        ("[a]\nb = 1\n[a]\n", 3, "Cannot declare"),
        ("a = 1\nb = [1,", 2, "Invalid value"),
        ("a = 1\na = " + "[" * 100_000 + "\n", 2, "nested"),
        ("a = 1\na = " + "9" * 10_000 + "\n", 2, "digits"),
        ("a = 1\n\nb = 2025-02-30\n", 3, "Invalid date"),
        ("a = 'b\x00'\n", 1, "invalid character"),
    ],
)
def test_what_is_no_toml_is_reported_in_one_line(text: str, line: int, message: str) -> None:
    with pytest.raises(TomlError, match=message) as caught:
        parse_toml(text)
    assert caught.value.line == line
    assert str(caught.value).isprintable()
    assert "(at" not in str(caught.value)


@given(st.text(alphabet="ab=[]{}\"'#\n\\., 1", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        content = parse_toml(text)
    except TomlError as caught:
        error = caught
    else:
        assert set(key_lines(text)) == paths(content)
        return
    assert 1 <= error.line <= text.count("\n") + 1
