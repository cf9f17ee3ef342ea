"""Regular expressions of files: they match as Python's do, and never run away."""

import random
import re

import pytest
from hypothesis import example, given, strategies as st

from zb_mom_ww_mxgateway_shell.language.patterns import PatternError, pattern


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("^pump \\d runs$", "pump 7 runs"),
        ("^pump \\d runs$", "pump x runs"),
        ("a.c", "xabcx"),
        ("a.c", "a\nc"),
        ("(?s)a.c", "a\nc"),
        ("^b$", "a\nb\n"),
        ("(?m)^b$", "a\nb\nc"),
        ("b$", "ab\n"),
        ("b\\Z", "ab\n"),
        ("\\bcat\\b", "a cat sat"),
        ("\\bcat\\b", "concat"),
        ("\\Bat", "cat"),
        ("(?i)STRASSE|\u00e4", "die Strasse \u00c4"),
        ("(?i)[a-c]+\\Z", "xABC"),
        ("(?a)\\w\\w", "\u00e4\u00f6"),
        ("\\w\\w", "\u00e4\u00f6"),
        ("[^\\d\\s]+x", "12 x"),
        ("[^a]", "a"),
        ("a{2,3}b", "ab aab"),
        ("(ab|a)(c|bcd)(d*)", "abcd"),
        ("(?P<name>x)+?y", "xxy"),
        ("(|a)*b", "aab"),
        ("(?:)*", ""),
        ("x*", ""),
        ("", "anything"),
        ("(?i:a)b", "AB"),
        ("(?-i:a)b", "ab"),
        ("(?x) a b # both", "ab"),
        ("\\.\\*", "a.*"),
        ("(?i)\u017f", "S"),
    ],
)
def test_it_matches_as_python_does(text: str, subject: str) -> None:
    assert pattern(text).found_in(subject) == (re.search(text, subject) is not None)


_pieces = st.sampled_from(["a", "b", ".", "\\w", "\\b", "^", "$", "[ab]", "[^a]", "\\s", "\\d", "(?:ab|b)", "\\Z"])
_repeated = st.tuples(_pieces, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "*?"])).map("".join)


@given(st.lists(_repeated, max_size=6), st.text(alphabet="ab \n1", max_size=12))
@example(["^", "$"], "\n")
@example(["\\b"], "")
def test_it_matches_as_python_does_whatever_it_is_made_of(pieces: list[str], subject: str) -> None:
    text = "".join(pieces)
    try:
        expected = re.search(text, subject) is not None
    except re.error:
        return
    assert pattern(text).found_in(subject) == expected


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("^(a+)+$", "a" * 5_000 + "b"),
        ("^(a|a)*$", "a" * 5_000 + "b"),
        ("(.*a){20}x", "a" * 2_000),
        ("(x+x+)+y", "x" * 5_000),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5_000),
        ("a*a*a*a*a*a*a*a*b", "a" * 5_000),
    ],
)
def test_what_explodes_elsewhere_is_an_answer_here(text: str, subject: str) -> None:
    assert pattern(text).found_in(subject) is False


@pytest.mark.parametrize(
    "text", ["(?=a)b", "(?!a)b", "(?<=a)b", "(a)\\1", "(?P<x>a)(?P=x)", "(a)?(?(1)b|c)", "(?>a)", "a*+"]
)
def test_an_expression_with_unbounded_time_is_refused(text: str) -> None:
    with pytest.raises(PatternError, match="bounded"):
        pattern(text)


@pytest.mark.parametrize(
    "text",
    ["[a", "(", "a{5000}", "(?:a{100}){100}", "(" * 5_000, "(?:" * 400 + "a" + ")*" * 400, f"a{{{'9' * 5_000}}}"],
)
def test_what_is_no_expression_or_too_large_is_refused(text: str) -> None:
    with pytest.raises(PatternError):
        pattern(text)


def test_a_match_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.language.patterns._MOST_WORK", 100_000)
    with pytest.raises(PatternError, match="too long"):
        pattern("(?:a|b)*a" + "(?:a|b)" * 200 + "c").found_in("".join(random.Random(1).choices("ab", k=100_000)))
