"""Names that stand for values in a line, and values compared with what was typed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.comparison import Comparison
from zb_mom_ww_mxgateway_shell.language.literals import Literal, TagType, split_type
from zb_mom_ww_mxgateway_shell.language.tokens import Token, elements, split
from zb_mom_ww_mxgateway_shell.language.variables import (
    VariableWord,
    as_typed,
    expanded,
    literal_text,
    plain_value,
    variable,
)
from zb_mom_ww_mxgateway_shell.state.context import Context

NOW = datetime(2026, 10, 2, 8, 14, tzinfo=UTC)
NAMES = {
    "tag": "Plant.Tank1",
    "n": 5,
    "x": 1.5,
    "on": True,
    "text": 'say "hi"',
    "at": NOW,
    "list": [1, 2],
    "none": None,
}


def expand(line: str) -> str:
    return " ".join(expanded(word, NAMES).text for word in split(line))


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("$tag.Level", "Plant.Tank1.Level"),
        ("$tag", "Plant.Tank1"),
        ("$n $x $on $none", "5 1.5 true null"),
        ("$text", '"say \\"hi\\""'),
        ('"he can $text"', '"he can say \\"hi\\""'),
        ("'he can $text'", "'he can $text'"),
        (r'"costs \$n"', r'"costs \$n"'),
        ("${n}th $n", "5th 5"),
        ("$at", "2026-10-02T08:14:00.000Z"),
        ("$list [$n, $x]", "[1, 2] [5, 1.5]"),
        ("[$text]", '["say \\"hi\\""]'),
        ("Obj.Arr[$n]", "Obj.Arr[5]"),
        ("int64:$n $5 a$", "int64:5 $5 a$"),
    ],
)
def test_a_name_stands_for_its_value(line: str, result: str) -> None:
    assert expand(line) == result


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("$open$close", r'"\"x\""'),
        ("$open.Level", r'"\".Level"'),
        ("string:$open$close", r'string:"\"x\""'),
        ("$bracket$n]", '"[5]"'),
        ("$single$n$single", "\"'5'\""),
        ("$typed:5", '"int32:5"'),
        ("${typed}:[$n]", '"int32:[5]"'),
        ("$typed$colon$n", '"int32:5"'),
        ("${in}t32:5", '"int32:5"'),
        ("string:$typed$colon$n", "string:int32:5"),
        ("int64:$n$n", "int64:55"),
        ("string:$slash$slash", 'string:"//"'),
        ("$dash$dash", '"--"'),
        ("$dash-force", '"--force"'),
        ("string:$dash$dash", 'string:"--"'),
        ("${in}f", "inf"),
        ("nu${ll}", '"null"'),
        ("$dash$n", "-5"),
    ],
)
def test_parts_side_by_side_become_nothing_but_text(line: str, result: str) -> None:
    names = {"open": '"', "close": 'x"', "bracket": "[", "single": "'", "n": 5}
    names |= {"typed": "int32", "colon": ":", "in": "in", "slash": "/", "dash": "-", "ll": "ll"}
    (word,) = split(line)
    assert expanded(word, names).text == result


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("${text}z", '"x yz"'),
        ("string:${text}z", 'string:"x yz"'),
        ("$hash$hash", '"##"'),
        ("a$dollar", r'"a\$n"'),
        ("a$hash", "a#"),
        ("$n$n", "55"),
        ("[$n,  $text]", '[5,  "x y"]'),
        ("string:$typed", 'string:"int32:5"'),
    ],
)
def test_a_word_with_names_in_it_is_written_as_it_is_read_again(line: str, result: str) -> None:
    names = {"text": "x y", "hash": "#", "dollar": "$n", "n": 5, "typed": "int32:5"}
    (word,) = split(line)
    made = expanded(word, names)
    assert as_typed(made) == result
    (again,) = split(as_typed(made))
    assert split_type(again)[1].value == split_type(made)[1].value


def test_a_name_that_stands_for_nothing_is_pointed_at() -> None:
    (word,) = split('"ab ${nn} c"')
    with pytest.raises(InputError, match=r"\$nn is not set; did you mean none\?") as caught:
        expanded(word, NAMES)
    assert (caught.value.start, caught.value.end) == (4, 9)
    (word,) = split("$it")
    with pytest.raises(InputError, match="it is a object: only a plain value can be used in a line"):
        expanded(word, {"it": object()})


@given(st.text())
def test_a_text_reaches_a_tag_as_it_is_whatever_stands_in_it(text: str) -> None:
    (word,) = split("$x")
    typed: Any = Literal(expanded(word, {"x": text})).for_tag("A.b", TagType(DataType.STRING))
    assert typed.value == text
    (again,) = split(literal_text(text))
    assert again.value == text
    (quoted,) = split('"<$x>"')
    assert expanded(quoted, {"x": text}).value == f"<{text}>"
    (said_to_be,) = split("string:$x")
    typed = Literal(expanded(said_to_be, {"x": text})).for_tag("A.b", None)
    assert typed.value == text


@given(st.lists(st.text(), min_size=1))
@example(["d,e", "a]b", "[1]", "true", "5"])
def test_texts_reach_an_array_as_they_are_whatever_stands_in_them(texts: list[str]) -> None:
    known, names = TagType(DataType.STRING, is_array=True), {f"x{n}": text for n, text in enumerate(texts)}
    (whole,) = split("$x")
    typed: Any = Literal(expanded(whole, {"x": texts})).for_tag("A.b", known)
    assert typed.value == texts
    (again,) = split(literal_text(texts))
    assert [element.value for element in elements(again)] == texts
    (one_by_one,) = split(f"[{', '.join(f'${name}' for name in names)}]")
    typed = Literal(expanded(one_by_one, names)).for_tag("A.b", known)
    assert typed.value == texts


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[a$text]", "put that in double quotes"),
        ("[${comma}x]", r"\$\{comma\} is \"a,b\": where it is a part of an element, put that in double quotes"),
        ("[$list, 3]", r"\$list is an array: an element is a single value"),
    ],
)
def test_a_name_is_never_more_than_one_element(line: str, message: str) -> None:
    (word,) = split(line)
    with pytest.raises(InputError, match=message):
        expanded(word, NAMES | {"comma": "a,b"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5.5e3", -5500.0),
        ("true", True),
        ("null", None),
        ('"5"', "5"),
        ("Plant.Tank1", "Plant.Tank1"),
        ("int32:5", 5),
        ("string:5", "5"),
        ("time:2026-10-02T08:14:00Z", NOW),
        ("[1, 2.5, a]", [1, 2.5, "a"]),
        ("float:[1, 2]", [1.0, 2.0]),
    ],
)
def test_let_gives_the_value_that_a_word_looks_like(text: str, value: object) -> None:
    (word,) = split(text)
    assert plain_value(word) == value
    name, given_to_it = variable(f"x={text}")
    assert (name, given_to_it.value) == ("x", value)
    assert type(given_to_it.value) is type(value)


@pytest.mark.parametrize("text", ["x", "5=x", "a b=5", "=5"])
def test_a_variable_has_a_name_and_a_value(text: str) -> None:
    with pytest.raises(InputError, match="NAME=VALUE"):
        variable(text)


def holds(actual: object, operator: str, wanted: str, tolerance: str = "", data_type: int = 0) -> bool:
    (word,) = split(wanted)
    tol = Token(tolerance, 0, 1) if tolerance else None
    comparison = Comparison(Token(operator, 0, 1), word, tol)
    comparison.check()
    return comparison.holds(actual, data_type)


@pytest.mark.parametrize(
    ("actual", "operator", "wanted", "tolerance"),
    [
        (5, "=", "5.0", ""),
        (5, "<", "5.5", ""),
        (5, "=", "6", "1"),
        (5, ">=", "6", "1"),
        (2**60 + 1, "!=", str(2**60), ""),
        (True, "=", "true", ""),
        (True, "!=", "false", ""),
        ("abc", "=", "abc", ""),
        ("5", "=", "5", ""),
        ("abc", "~", "'^a.c$'", ""),
        (NOW, "=", "2026-10-02T08:14:02Z", "2s"),
        (NOW, "<", "2026-10-02T08:14:02+00:00", ""),
        ([1, 2], "=", "[1, 2]", ""),
        ([1, 2], "!=", "[1, 2, 3]", ""),
        ([1.0, 2.0], "=", "[1.1, 2]", "0.2"),
        (["a", "b"], "=", '["a", "b"]', ""),
        (None, "=", "null", ""),
        ("null", "=", '"null"', ""),
        (float("nan"), "=", "nan", ""),
        (float("inf"), ">", "1e300", ""),
    ],
)
def test_values_compare_by_type(actual: object, operator: str, wanted: str, tolerance: str) -> None:
    assert holds(actual, operator, wanted, tolerance)
    opposite = {"=": "!=", "!=": "=", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}.get(operator)
    if opposite and not tolerance and not (isinstance(actual, float) and opposite in "<>="):
        assert not holds(actual, opposite, wanted, tolerance)


def test_a_32_bit_number_is_compared_as_one() -> None:
    import struct

    held = struct.unpack("f", struct.pack("f", 0.1))[0]
    assert holds(held, "=", "0.1", "", DataType.FLOAT)
    assert not holds(held, "=", "0.1", "", DataType.DOUBLE)


@pytest.mark.parametrize("wanted", ["nan", "null"])
@pytest.mark.parametrize("operator", ["<", ">=", "~"])
def test_null_and_nan_are_neither_more_nor_less(operator: str, wanted: str) -> None:
    with pytest.raises(InputError, match="compared with = or != only"):
        holds(5, operator, wanted)


def test_an_expectation_completes_its_clauses() -> None:
    context = Context(all_commands(), interactive=False)
    usage = context.registry.commands["wait"].usage
    assert usage == (
        "wait [every] [any] <tag|item> <operator> <value> [tol <number>] [quality <good|uncertain|bad|any>] "
        "[age < <duration>] [now] [hold <duration>] timeout <duration> [not before <duration>]"
    )
    parsed = context.registry.parse("wait A.b = 5 hold 2s timeout 10s", context)
    assert parsed is not None
    assert parsed.options == {"hold": 2.0, "timeout": 10.0}


# Names keep the text they were given.


@pytest.mark.parametrize(
    ("text", "line", "expanded_to"),
    [
        ("01", "Unit1.Pump$x.Start $x [$x]", "Unit1.Pump01.Start 01 [01]"),
        ("00123E4", '$x "$x" string:$x', '00123E4 "00123E4" string:00123E4'),
        ("63.50", "$x", "63.50"),
        ("1e3", "a$x $x", "a1e3 1e3"),
        ("+5", "$x", "+5"),
        ("TRUE", "$x", "TRUE"),
        ("int32:01", "Pump$x $x int64:$x", "Pump01 int32:01 int64:01"),
        ('"a b"', "$x [$x] string:$x", '"a b" ["a b"] string:"a b"'),
        ("[01, 2.50]", "$x", "[01, 2.50]"),
        ("null", "$x", "null"),
        ("two words", "$x string:$x", '"two words" string:"two words"'),
        ("string:two words", "$x", 'string:"two words"'),
    ],
)
def test_a_name_keeps_the_text_it_was_given(text: str, line: str, expanded_to: str) -> None:
    _, given_to_it = variable(f"x={text}")
    assert " ".join(expanded(word, {"x": given_to_it}).text for word in split(line)) == expanded_to


@pytest.mark.parametrize(("text", "value"), [("01", "01"), ("00123E4", "00123E4"), ("-007", "-007"), ("63.50", 63.5)])
def test_python_has_a_code_with_leading_zeros_as_text(text: str, value: object) -> None:
    assert variable(f"x={text}")[1].value == value


@pytest.mark.parametrize(
    ("text", "said", "start"),
    [
        ('v=int32:"12', 'the closing " is missing', 8),
        ("v=double:'63.5", "the closing ' is missing", 9),
        ('v=string:"abc', 'the closing " is missing', 9),
        ("v=int32:[10,25", "the closing ] is missing", 8),
        ('v="12', 'the closing " is missing', 2),
        ("v=[1,25", "the closing ] is missing", 2),
        ('v=["pump"s]', "a comma is missing", 9),
        ('v=["a" "b"]', "a comma is missing", 7),
        ('v=["5"0]', "a comma is missing", 6),
        ('v="a" b', "one value is expected", 6),
        ("v=int32:abc", "Integer expected", 8),
        ("v=[int32:5]", "a type goes before the whole array", 3),
        ("v=\u201cone\u201d", "a curly quote", 2),
    ],
)
def test_a_variable_that_is_no_whole_value_is_refused_with_its_place(text: str, said: str, start: int) -> None:
    with pytest.raises(InputError) as caught:
        variable(text)
    assert said in str(caught.value)
    assert caught.value.start == start


@given(st.text(alphabet="ab01.-+e \"'[],#:\\$int32srg\t", max_size=20))
@example('string:"a b"')
@example("0:[")
@example("int32:[1, 2]")
def test_a_variable_that_is_accepted_reads_back_as_itself(text: str) -> None:
    try:
        _, first = variable(f"x={text}")
    except InputError:
        return
    (word,) = split("$x")
    (again,) = split(expanded(word, {"x": first}).text)
    assert VariableWord.of(again).value == first.value
    assert VariableWord.of(again).text == first.text
    assert expanded(word, {"x": VariableWord.of(again)}).text == again.text


@given(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.lists(st.text(), min_size=1),
        st.lists(st.integers(-(2**31), 2**31 - 1)),
    )
)
def test_a_value_as_it_would_be_typed_is_that_value(value: object) -> None:
    (word,) = split(literal_text(value))
    if isinstance(value, str) or (isinstance(value, list) and value and isinstance(value[0], str)):
        typed: Any = Literal(word).for_tag("A.b", TagType(DataType.STRING, isinstance(value, list)))
        assert typed.value == value
    else:
        assert plain_value(word) == value


# A tag on the right of a comparison.


@pytest.mark.parametrize("operator", ["=", "!=", "<", ">=", "~"])
@pytest.mark.parametrize(
    "wanted",
    ["WTP.P102.Mode", "Obj.Arr[3]", ".Mode", "Tank_1.Level", "$Tank.Level", "P#2.Level", "1Tank.Level", "1Tank.2nd"],
)
def test_the_bare_name_of_a_tag_is_no_text_to_compare_with(operator: str, wanted: str) -> None:
    with pytest.raises(InputError, match="is the name of a tag, and would be compared as text") as caught:
        holds("Auto", operator, wanted)
    assert f'"{wanted}" in quotes is that text' in str(caught.value)
    if operator in ("=", "!="):
        assert holds("Auto", operator, f'"{wanted}"') is (operator == "!=")


@pytest.mark.parametrize(
    "wanted", ["1.5", ".5e3", "2026-10-02T08:14:00Z", "Auto", "string:A.b", "a b.c", "v1.0", "1.2e3", "10.0.0.1"]
)
def test_what_is_no_name_of_a_tag_is_compared_as_ever(wanted: str) -> None:
    words = split(wanted)
    if len(words) == 1:
        Comparison(Token("=", 0, 1), words[0]).check()


def test_a_text_that_was_captured_is_compared_as_text_even_where_it_looks_like_a_tag() -> None:
    (word,) = split("$x")
    Comparison(Token("=", 0, 1), expanded(word, {"x": "Recipe.A"})).check()
    with pytest.raises(InputError, match="is the name of a tag"):
        Comparison(Token("=", 0, 1), expanded(word, {"x": variable("x=Recipe.A")[1]})).check()
    Comparison(Token("=", 0, 1), expanded(word, {"x": variable('x="Recipe.A"')[1]})).check()
