"""A limits file is read strictly: any mistake refuses it as a whole, with its line; then nothing may be written."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from zb_mom_ww_mxgateway.safety.limits_examples import VERDICTS
from zb_mom_ww_mxgateway.safety.limits_file import LimitsError, read_limits
from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.layout import build

WHOLE = """
unlisted = "refuse"

[tags."Plant.Tank1.LevelSP"]
writable = true
min = 0
max = 100.5
step = 10
rate = 2.0
writes_per_minute = 6
tolerance = 0.05
dead_band = 0.5
confirm = "value"
guards = [
    'P1.Mode == "Auto" and P1.PV is good',
    "age(P1.PV) < 5s",
]
needs_reason = true
note = "the lid is at 101"

[tags."Plant.Tank?.Mode"]
writable = true
allowed = [0, 1, 2]

[tags."Plant.Big"]
writable = false
max = 9223372036854775807

[[examples]]
write = "Plant.Tank1.LevelSP"
value = 120
old = 50
refused = "max"
"""
RULE = 'unlisted = "allow"\n[tags."A.B"]\nwritable = true\n'
EXAMPLE = RULE + '[[examples]]\nwrite = "A.B"\n'


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "limits.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_each_part_of_a_rule_is_read(tmp_path: Path) -> None:
    limits = read_limits(written(tmp_path, WHOLE))
    assert limits.refusal() == ""
    assert limits.unlisted == "refuse"
    rule = limits.rule_for("plant.TANK1.LevelSP")
    assert rule is not None
    assert rule.source == "limits.toml:4"
    assert rule.parts() == [
        ("writable", "true"),
        ("min", "0"),
        ("max", "100.5"),
        ("step", "10"),
        ("rate", "2.0"),
        ("writes_per_minute", "6"),
        ("tolerance", "0.05"),
        ("dead_band", "0.5"),
        ("confirm", "value"),
        ("guard", 'P1.Mode == "Auto" and P1.PV is good'),
        ("guard", "age(P1.PV) < 5s"),
        ("needs_reason", "true"),
        ("note", "the lid is at 101"),
    ]
    assert rule.guards[0].tags == ("P1.Mode", "P1.PV")
    mode = limits.rule_for("Plant.Tank2.Mode")
    assert mode is not None
    assert mode.parts() == [("writable", "true"), ("allowed", "0, 1, 2")]
    big = limits.rule_for("Plant.Big")
    assert big is not None
    assert (big.writable, big.maximum) == (False, 2**63 - 1)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, 'it must say what holds for tags that no rule names: unlisted = "refuse", or "allow"'),
        ('[tags."A.B"]\nwritable = true', 1, "it must say what holds for tags that no rule names"),
        ('\nunlisted = "deny"', 2, 'unlisted is one of "allow", "refuse"'),
        ('unlisted = "refused"', 1, "did you mean refuse?"),
        ("unlisted = true", 1, "unlisted must be a text in quotes"),
        ('unlisted = "allow"\ntag = 1', 2, "unknown key tag; did you mean tags?"),
        ('unlisted = "allow"\n[rules]', 2, "unknown key rules; there is unlisted, tags, examples"),
        ('unlisted = "allow"\ntags = 1', 2, "tags is a table: [tags]"),
        ('unlisted = "allow"\n[tags]\n"A.B" = true', 3, 'a rule is a table: [tags."A.B"]'),
        ('unlisted = "allow"\n[tags."*.*"]\nwritable = true', 2, '"*.*" names nothing'),
        ('unlisted = "allow"\n[tags.""]\nwritable = true', 2, '"" names nothing'),
        ('unlisted = "allow"\n[tags." A"]\nwritable = true', 2, "blanks around it"),
        (
            'unlisted = "allow"\n[tags."A.B[3]"]\nwritable = true',
            2,
            "an element has the rule of its array: name it A.B",
        ),
        ('unlisted = "allow"\n\n[tags.A.B]\nwritable = true', 3, "the name of a tag is in quotes"),
        ('unlisted = "allow"\n[tags."A.B"]\nmax = 1', 2, "it must say writable = true, or false"),
        (RULE + "maximum = 1", 4, "unknown key maximum; did you mean max?"),
        (RULE + "unit = 1", 4, "unknown key unit; there is writable, min, max"),
        (RULE + "dead_bend = 1", 4, "unknown key dead_bend; did you mean dead_band?"),
        (RULE + "writable = false", 4, "Cannot overwrite a value"),
        (RULE + '[tags."A.B"]', 4, "Cannot declare"),
        (RULE + "min = \n", 4, "Invalid value"),
        (RULE + "min = null\n", 4, "TOML has no null: leave the key out"),
        (RULE + "min = '0'", 4, "min must be a number, without quotes"),
        (RULE + "min = true", 4, "min must be a number"),
        (RULE + "min = [1]", 4, "min must be a number"),
        (RULE + "min = 2025-01-01", 4, "min must be a number"),
        (RULE + "# a comment\nmin = nan", 5, "min must be a number; not a number is none"),
        (RULE + "max = inf", 4, "max must be a number; infinity is none"),
        (RULE + "max = -inf", 4, "max must be a number; infinity is none"),
        (RULE + "max = 1e400", 4, "max is beyond every number that a tag can hold"),
        (RULE + f"max = {10**400}", 4, "max is beyond every number that a tag can hold"),
        (RULE + f"max = {'9' * 5000}", 4, "digits"),
        (RULE + "max = 1e99999999999999999999999", 4, "max must be a number"),
        (RULE + "min = 1e-400", 4, "min has more digits than a tag can hold: 0.0 is nearest"),
        (RULE + "max = 99.99999999999999999", 4, "max has more digits than a tag can hold: 100.0 is nearest"),
        (RULE + "max = 1\nmin = 2", 5, "min = 2 is more than max = 1"),
        (RULE + "max = 0.1\nmin = 0.10000000000000001", 5, "min has more digits than a tag can hold"),
        (RULE + "step = 0", 4, "step must be more than 0"),
        (RULE + "step = -1.5", 4, "step must be more than 0"),
        (RULE + "step = nan", 4, "step must be a number"),
        (RULE + "rate = 0.0", 4, "rate must be more than 0"),
        (RULE + "tolerance = -0.1", 4, "tolerance must not be below 0"),
        (RULE + "dead_band = -1", 4, "dead_band must not be below 0"),
        (RULE + "writes_per_minute = 0", 4, "writes_per_minute must be a whole number, at least 1"),
        (RULE + "writes_per_minute = 1.0", 4, "writes_per_minute must be a whole number, at least 1"),
        (RULE + "writes_per_minute = true", 4, "writes_per_minute must be a number"),
        (RULE + "allowed = 1", 4, "allowed must be a list of values"),
        (RULE + "allowed = []", 4, "for none say writable = false"),
        (RULE + "allowed = [\n1,\n'a',\n]", 6, "allowed must be all numbers, all texts, or true and false"),
        (RULE + "allowed = [1, true]", 4, "allowed must be all numbers, all texts, or true and false"),
        (RULE + "allowed = [[1]]", 4, "it must be a number, a text in quotes, true or false"),
        (RULE + "allowed = [1, nan]", 4, "must be a number; not a number is none"),
        (RULE + "max = 1\nallowed = [\n1,\n2,\n]", 7, "the allowed value 2 is outside min and max"),
        (RULE + "allowed = [-1, 0]\nmin = 0", 4, "the allowed value -1 is outside min and max"),
        (RULE + "allowed = ['a']\nmin = 0", 5, "min is for numbers, and the allowed values are none"),
        (RULE + "allowed = [true]\nstep = 1", 5, "step is for numbers, and the allowed values are none"),
        (RULE + 'confirm = "retype"', 4, 'confirm is one of "none", "yes", "value", "tag"'),
        (RULE + "confirm = true", 4, "confirm must be a text in quotes"),
        (RULE + "guards = 'A.B is good'", 4, "guards must be a list of texts"),
        (RULE + "guards = [1]", 4, "must be a text in quotes"),
        (RULE + "guards = [\n'A.B is good',\n'A.B is',\n]", 6, "column"),
        (RULE + "needs_reason = 1", 4, "needs_reason must be true or false"),
        (RULE + "note = 1", 4, "note must be a text in quotes"),
        (RULE + 'note = "a\\nb"', 4, "note has a character that cannot be seen"),
        (RULE + "note = 'mxgw_test_0123456789abcdef0123456789abcdef'", 4, "a key does not belong in the file"),
        (RULE + '[tags."a.b"]\nwritable = true', 4, "a.b and A.B (limits.toml:2) are the same tag"),
        (
            RULE + '[tags."Tank1*"]\nwritable = true\n[tags."Tank*1"]\nwritable = true',
            6,
            "Tank*1 and Tank1* (limits.toml:4) can name the same tag, and have as many letters",
        ),
        (RULE + "[examples]\nwrite = 1", 4, "examples are tables: [[examples]]"),
        (RULE + "[[examples]]\nvalue = 1", 4, "an example names a tag"),
        (RULE + "[[examples]]\nwrite = 'A.*'\nvalue = 1", 5, "an example writes to one tag"),
        (RULE + "[[examples]]\nwrite = ''\nvalue = 1", 5, "names nothing"),
        (EXAMPLE, 4, "an example needs the value to write"),
        (EXAMPLE + "valeu = 1", 6, "unknown key valeu; did you mean value?"),
        (EXAMPLE + "value = nan", 6, "value must be a number"),
        (EXAMPLE + "value = 1\nrefused = 'maxx'", 7, "did you mean max?"),
        (EXAMPLE + "value = 1\nrefused = 'guard'", 7, "a guard is judged by values"),
        (EXAMPLE + "value = 1\ntype = 'real'", 7, "type is one of"),
        (EXAMPLE + "value = 1.5\ntype = 'int32'", 6, "a whole number (int32)"),
        (EXAMPLE + "value = 1\nold = true\ntype = 'int32'", 7, "a whole number (int32)"),
        (EXAMPLE + "value = 1\nlast = 1", 7, "last needs the seconds since that write"),
        (EXAMPLE + "value = 1\nvalues = 1", 7, "values is a table"),
        (EXAMPLE + "value = 1\nvalues = { 'A' = 2025-01-01 }", 7, "it must be a number"),
        (RULE.encode() + b"note = '\xff'", 4, "not UTF-8 text; save it as UTF-8"),
        (RULE.encode("utf-16"), 1, "UTF-16; save it as UTF-8"),
        (RULE + "note = 'a\x00'", 4, "invalid"),
    ],
)
def test_a_mistake_refuses_the_file_with_its_line(tmp_path: Path, text: str | bytes, line: int, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(LimitsError) as caught:
        read_limits(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message.casefold() in str(caught.value).casefold()
    assert str(caught.value).isprintable()
    assert "0123456789abcdef" not in str(caught.value)
    refusal = LimitsFile(path).refusal()
    assert refusal.startswith("the limits cannot be read, so nothing may be written: ")
    assert str(caught.value) in refusal


@pytest.mark.parametrize(
    "names",
    [("A.B", "A.*"), ("A.*", "A.B*"), ("A.*B", "A.*C"), ("A.?", "A.??"), ("A.B", "A.C")],
)
def test_rules_of_which_one_is_closer_or_which_share_no_tag_are_read(tmp_path: Path, names: tuple[str, ...]) -> None:
    text = 'unlisted = "allow"\n' + "".join(f'[tags."{name}"]\nwritable = true\n' for name in names)
    assert len(read_limits(written(tmp_path, text)).rules) == len(names)


def test_a_file_that_cannot_be_read_forbids_every_write(tmp_path: Path) -> None:
    for path in (tmp_path / "limits.toml", tmp_path):
        with pytest.raises(LimitsError, match="cannot read"):
            read_limits(path)
        limits = LimitsFile(path)
        assert "nothing may be written: cannot read" in limits.refusal()
        assert limits.rule_for("A.B") is None
        assert limits.unlisted_refusal("A.B")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_file_that_others_may_change_forbids_every_write(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    path.chmod(0o666)
    limits = LimitsFile(path)
    assert "others may change" in limits.refusal()
    path.chmod(0o600)
    assert limits.refusal() == ""


def test_a_file_that_changes_is_read_before_the_next_decision(tmp_path: Path) -> None:
    path = written(tmp_path, RULE + "max = 10\n")
    limits = LimitsFile(path)
    assert limits.refusal() == ""
    rule = limits.rule_for("A.B")
    assert rule is not None
    assert (rule.maximum, limits.news) == (10, "")
    replace(path, RULE + "max = 20\n")
    assert limits.refusal() == ""
    rule = limits.rule_for("A.B")
    assert rule is not None
    assert rule.maximum == 20
    assert limits.news == "limits.toml has changed and was read again"
    assert ("file", f"file: {limits.news}") in [(each.rule, each.text) for each in rule.check(5, None)]
    replace(path, RULE + "max = \n")
    assert f"{path}:4:" in limits.refusal()
    path.unlink()
    assert "cannot read" in limits.refusal()
    replace(path, RULE)
    assert limits.refusal() == ""


def replace(path: Path, text: str) -> None:
    """Write a file anew, as editors do: another file takes its place."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def test_a_file_is_read_again_wherever_the_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, RULE)
    monkeypatch.chdir(tmp_path)
    limits = LimitsFile(Path("limits.toml"))
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert limits.refusal() == ""


# Any text.

KEYS = st.sampled_from(
    [
        "unlisted",
        "tags",
        "examples",
        "writable",
        "min",
        "max",
        "step",
        "allowed",
        "guards",
        "confirm",
        "note",
        "write",
        "value",
        "old",
        "values",
        "type",
        "'A.B'",
        "odd",
    ]
)
VALUES = st.sampled_from(
    [
        "true",
        "0",
        "-1",
        "1.5",
        "nan",
        "inf",
        "1e400",
        "'allow'",
        "'refuse'",
        "'A.B'",
        "'yes'",
        "[]",
        "[1, 2]",
        "{}",
        "['a']",
        "['A.B > 1']",
        "2025-01-01",
        "{ a = 1 }",
        "[{}]",
        "'''\na'''",
        "",
    ]
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(" = ".join),
    st.sampled_from(['[tags."A.B"]', '[tags."A.*"]', "[tags.A]", "[[examples]]", "[tags]", "[", 'unlisted = "allow"']),
    st.text(max_size=10),
)


@settings(max_examples=300)
@given(st.one_of(st.lists(LINES, max_size=10).map("\n".join).map(str.encode), st.binary(max_size=60)))
def test_any_file_is_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), content)
    try:
        limits = read_limits(path)
    except LimitsError as caught:
        error = caught
    else:
        assert limits.refusal() == ""
        return
    assert str(error).startswith(f"{path}:")
    assert str(error).isprintable()
    assert LimitsFile(path).refusal()


# Examples.

TANK = """
unlisted = "refuse"
[tags."Tank.SP"]
writable = true
min = 0
max = 100
step = 10
rate = 2
writes_per_minute = 6
guards = ['Tank.Mode == "Auto"', 'Tank.SP < 90']
[[examples]]
write = "Tank.SP"
"""


@pytest.mark.parametrize(
    ("example", "is_as_said", "text"),
    [
        ("value = 55\nold = 50", True, "let through"),
        ("value = 120\nold = 115\nrefused = 'max'", True, "max: 120 is above 100 (limits.toml:3)"),
        ("value = 120\nold = 115\nrefused = 'min'", False, "max: 120 is above 100"),
        ("value = 120\nold = 115", False, "max: 120 is above 100"),
        ("value = 55\nold = 50\nrefused = 'max'", False, "let through"),
        ("value = 55", False, "step: the change is unknown"),
        ("value = 55\nrefused = 'step'", True, "step: the change is unknown"),
        ("value = 55\nold = 50\nlast = 50\nseconds = 1\nrefused = 'rate'", True, "rate: 55 is 5 from 50"),
        ("value = 55\nold = 50\nseconds = 3", True, "let through"),
        ("value = 55\nold = 50\nwrites = 6\nrefused = 'writes_per_minute'", True, "6 within the last minute"),
        ("value = 55\nold = 50\nvalues = { 'tank.mode' = 'Auto' }", True, "let through"),
        ("value = 55\nold = 50\nvalues = { 'Tank.Mode' = 'Hand' }\nrefused = 'guard'", True, 'Tank.Mode is "Hand"'),
        ("value = 95\nold = 95\nvalues = { 'Tank.Mode' = 'Auto' }\nrefused = 'guard'", True, "Tank.SP is 95"),
        ("value = 55\nold = 50\nvalues = { 'Tank.X' = 1 }\nrefused = 'guard'", True, "Tank.Mode has no value"),
        ("value = 100.1\nold = 100\ntype = 'float'\nrefused = 'max'", True, "max: 100.1 is above 100"),
        ("value = [1, 2]\nold = [1, 1]", True, "let through"),
        ("value = 'a'\nold = 50\nrefused = 'max'", True, 'max: "a" is not a number'),
    ],
)
def test_an_example_comes_out_as_it_says_or_not(tmp_path: Path, example: str, is_as_said: bool, text: str) -> None:
    limits = read_limits(written(tmp_path, TANK + example))
    (only,) = limits.examples
    result = only.run(limits)
    assert text in result.outcome
    assert result.is_as_said is is_as_said
    assert only.source == "limits.toml:11"


def test_an_example_says_what_it_writes_and_what_is_said_of_it(tmp_path: Path) -> None:
    more = "value = 120\nold = 50\nrefused = 'max'\n[[examples]]\nwrite = 'Tank.Mode'\nvalue = 'Auto'"
    said = [(each.text, each.said) for each in read_limits(written(tmp_path, TANK + more)).examples]
    assert said == [("Tank.SP = 120 from 50", "refused by max"), ('Tank.Mode = "Auto"', "let through")]


@pytest.mark.parametrize(("unlisted", "refused"), [("refuse", "unlisted"), ("allow", None)])
def test_an_example_may_be_of_a_tag_that_no_rule_names(tmp_path: Path, unlisted: str, refused: Any) -> None:
    says = f"refused = '{refused}'" if refused else ""
    text = f'unlisted = "{unlisted}"\n[[examples]]\nwrite = "A.B"\nvalue = 1\n{says}'
    limits = read_limits(written(tmp_path, text))
    assert limits.examples[0].run(limits).is_as_said


def test_the_limits_of_the_demo_are_as_their_examples_say_and_name_its_tags() -> None:
    limits = read_limits(Path(__file__).parents[2] / "examples" / "limits.toml")
    assert [each.source for each in limits.examples if not each.run(limits).is_as_said] == []
    assert {each.refused for each in limits.examples} == {*VERDICTS, None} - {"min", "writes_per_minute"}
    hierarchy = Hierarchy()
    build(hierarchy)
    tags = [f"{each.tag_name}.{name.name}" for each in hierarchy for name in each.template.attributes]
    for rule in limits.rules:
        named = [tag for tag in tags if limits.rule_for(tag) is rule]
        assert named, rule
    for name in {name for each in limits.rules for guard in each.guards for name in guard.tags}:
        assert name in tags
