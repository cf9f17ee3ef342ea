"""Splitting a line into words with their places."""

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.tokens import Token, elements, split


def texts(line: str) -> list[str]:
    return [word.text for word in split(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("   ", []),
        ("# only a comment", []),
        ("write A.B 5 # a comment", ["write", "A.B", "5"]),
        ("write A.B#1 5", ["write", "A.B#1", "5"]),
        ('write A "a # b"', ["write", "A", '"a # b"']),
        ("write A 'it''", None),
        ("write A [1, 2, 3]", ["write", "A", "[1, 2, 3]"]),
        ('write A ["a]", "b"]', ["write", "A", '["a]", "b"]']),
        ('write A string:"a b"', ["write", "A", 'string:"a b"']),
        ("write A int32:[1, 2]", ["write", "A", "int32:[1, 2]"]),
        ("add-item Obj.Arr[3]", ["add-item", "Obj.Arr[3]"]),
        ("add-item Obj.Arr[]", ["add-item", "Obj.Arr[]"]),
        ("connect [::1]:5001 --plaintext", ["connect", "[::1]:5001", "--plaintext"]),
        ("connect [fe80::1:2]:5001", ["connect", "[fe80::1:2]:5001"]),
        ("write A [12:30, 1]", ["write", "A", "[12:30, 1]"]),
        ("echo " + "a:[1:]:" * 1_000 + "[1]", ["echo", "a:[1:]:" * 1_000 + "[1]"]),
    ],
)
def test_words(line: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(InputError):
            split(line)
    else:
        assert texts(line) == expected


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        ('write A "open', 8, 13),
        ("write A [1, 2", 8, 13),
        ('write A "x"y', 11, 12),
        ("write A [1]y", 11, 12),
    ],
)
def test_a_word_that_does_not_end_is_pointed_at(line: str, start: int, end: int) -> None:
    with pytest.raises(InputError) as caught:
        split(line)
    assert (caught.value.start, caught.value.end) == (start, end)


def test_quotes_and_escapes() -> None:
    double, single = split(r'"a\"b\\\n" ' + r"'a\b'")
    assert double.value == 'a"b\\\n'
    assert single.value == r"a\b"
    with pytest.raises(InputError, match="unknown escape"):
        _ = split(r'"\q"')[0].value


def test_elements_of_an_array_keep_their_places() -> None:
    (word,) = split('   [1,  "a, b" ,3]')
    found = elements(word)
    assert [(element.text, element.start, element.end) for element in found] == [
        ("1", 4, 5),
        ('"a, b"', 8, 14),
        ("3", 16, 17),
    ]
    assert elements(split("[]")[0]) == []
    with pytest.raises(InputError, match="missing"):
        elements(split("[1, , 2]")[0])
    with pytest.raises(InputError, match="missing"):
        elements(split("[1, ]")[0])


@given(st.text(alphabet="ab 1\"'[],#:\\\t", max_size=30))
def test_every_line_splits_or_points_into_itself(line: str) -> None:
    place: int | None = None
    words: list[Token] = []
    try:
        words = split(line)
    except InputError as mistake:
        place = mistake.start
    assert place is None or 0 <= place <= len(line)
    assert all(line[word.start : word.end] == word.text for word in words)


@pytest.mark.parametrize(
    ("line", "said", "start"),
    [
        ('write A ["pump"s]', "a comma is missing", 15),
        ('write A ["a" "b"]', "a comma is missing", 13),
        ('write A ["5"0]', "a comma is missing", 12),
        ("write A [a b]", "a comma is missing", 11),
        ('write A [a"b"]', "within a bare element", 10),
        ("write A [[1, 2], 3]", "within a bare element", 9),
        ("write A [1,,2]", "an element is missing", 11),
        ("write A int32:[10,25", "the closing ] is missing", 14),
        ('write A int32:"12', 'the closing " is missing', 14),
        ("write A string:'abc", "the closing ' is missing", 15),
        ('write A string:"abc"d', "a space is missing", 20),
        ("write A \u201chello\u201d", "a curly quote, as an editor makes it", 8),
        ("step \u201cone\u201d", "a curly quote", 5),
        ("write A [\u201ca\u201d]", "a curly quote", 9),
        ("write A it\u2019s", "a curly quote", 10),
        ("note x # remark\rexpect A = 99", "a carriage return (CR) within a line", 15),
        ("# remark\u2028expect A = 99", "a line separator (U+2028) within a line", 8),
        ("note x\vexpect A = 99", "a vertical tab (VT) within a line", 6),
        ("note x\n# y", "a line feed within a line", 6),
        ("write A [1,\x852]", "a next-line mark (U+0085) within a line", 11),
    ],
)
def test_an_unclosed_or_split_word_is_pointed_at(line: str, said: str, start: int) -> None:
    with pytest.raises(InputError) as caught:
        split(line)
    assert said in str(caught.value)
    assert caught.value.start == start


def test_what_is_quoted_may_have_any_character_and_what_ends_a_line_hides_nothing() -> None:
    assert texts('note "a\u201cb\u2028c"\r') == ["note", '"a\u201cb\u2028c"']
    assert texts("# only a comment \u201cas ever\u201d\r\n") == []


def rendered(word: Token) -> str:
    return f"[{', '.join(element.text for element in elements(word))}]" if word.is_array else word.text


@given(st.text(alphabet="ab1 \"'[],#:\\$.\t\r\u201c", max_size=30))
def test_what_is_accepted_reads_back_as_itself_and_nothing_is_left_out(line: str) -> None:
    try:
        words = split(line)
        again = split(" ".join(rendered(word) for word in words))
    except InputError:
        return
    assert [rendered(word) for word in again] == [rendered(word) for word in words]
    read = "".join(word.text for word in words)
    written, _, _comment = line.partition("#") if "#" not in read else (line, "", "")
    assert "".join(read.split()) == "".join(written.split()) or "#" in read
