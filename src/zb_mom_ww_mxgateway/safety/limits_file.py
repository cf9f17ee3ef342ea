"""Reads a limits file. It is checked strictly, and refused as a whole for any mistake, with the line of it.

For example::

    unlisted = "refuse"

    [tags."Plant.Tank1.LevelSP"]
    writable = true
    min = 0
    max = 100
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import combinations
from math import isfinite
from pathlib import Path
from typing import Any, Final, NoReturn

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, readable
from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.safety.conditions import Condition
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.limit_values import number_of
from zb_mom_ww_mxgateway.safety.limits import Limits, Number, Rule
from zb_mom_ww_mxgateway.safety.limits_examples import VERDICTS, Example
from zb_mom_ww_mxgateway.safety.selection import LEVELS
from zb_mom_ww_mxgateway.similar_names import closest
from zb_mom_ww_mxgateway.system.private_files import open_to_others
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway.system.toml_text import KeyPath, TomlError, key_lines, line_of, parse_toml
from zb_mom_ww_mxgateway.value_types import TYPE_NAMES, Family, family_of

_KEYS: Final = ("unlisted", "tags", "examples")
_RULE_KEYS: Final = (
    *("writable", "min", "max", "step", "rate", "writes_per_minute", "allowed", "tolerance", "dead_band"),
    *("confirm", "guards", "needs_reason", "note"),
)
_EXAMPLE_KEYS: Final = ("write", "value", "type", "old", "last", "seconds", "writes", "values", "refused")
_NEEDS_NUMBER: Final = ("min", "max", "step", "rate")


class LimitsError(MxGatewayArgumentError):
    """A limits file cannot be used; the message begins with its name and the line of the mistake."""


def read_limits(path: Path, news: str = "") -> Limits:
    """Read a file; raise LimitsError with the place of its first mistake. `news` goes to each rule."""
    try:
        text = decoded(read_bytes(path))
    except TextFileError as error:
        raise LimitsError(f"{path}:{error.line}: {error}") from None
    except (OSError, ValueError) as error:  # ValueError: the path has a null character.
        reason = error.strerror if isinstance(error, OSError) else error
        raise LimitsError(f"cannot read {path}: {reason}") from None
    if others := open_to_others(path):
        raise LimitsError(f"{path}: limits say what may be written, and {others}")
    return _LimitsReader(path, text, news).limits()


def _real(text: str) -> Decimal:
    """Return a real digit by digit; NaN for one that no number holds."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return Decimal("NaN")


class _LimitsReader:
    """The content of one file, with its lines."""

    def __init__(self, path: Path, text: str, news: str) -> None:
        self._path = path
        self._news = news
        try:
            self._content = parse_toml(text, real=_real)
        except TomlError as error:
            written = text.split("\n")[error.line - 1].partition("=")[2].strip()
            hint = "; TOML has no null: leave the key out" if written in ("null", "none", "None", "nil") else ""
            raise LimitsError(f"{path}:{error.line}: {error}{hint}") from None
        self._lines = key_lines(text)

    def limits(self) -> Limits:
        root = _Table(self, (), self._content, _KEYS)
        unlisted = root.choice("unlisted", ("allow", "refuse"))
        if unlisted is None:
            self.fail((), 'it must say what holds for tags that no rule names: unlisted = "refuse", or "allow"')
        tables = root.table("tags")
        rules = [self._rule(name, tables[name]) for name in tables]
        self._check_ranks(rules)
        examples = root.get("examples", [])
        if not isinstance(examples, list) or not all(isinstance(each, dict) for each in examples):
            self.fail(("examples",), "examples are tables: [[examples]]")
        return Limits(
            name=self._path.name,
            unlisted="allow" if unlisted == "allow" else "refuse",
            rules=tuple(rules),
            examples=tuple(self._example(number, each) for number, each in enumerate(examples)),
        )

    def fail(self, path: KeyPath, message: str) -> NoReturn:
        raise LimitsError(f"{self._path}:{line_of(self._lines, path)}: {readable(message)}")

    def made(self, path: KeyPath, make: Callable[[], Any]) -> Any:
        """Return what is made of a text; refuse the file where the text is wrong."""
        try:
            return make()
        except MxGatewayArgumentError as error:
            self.fail(path, str(error))

    def place(self, path: KeyPath) -> str:
        return f"{self._path.name}:{line_of(self._lines, path)}"

    def _rule(self, name: str, content: Any) -> Rule:
        path = ("tags", name)
        glob = self.made(path, lambda: TagGlob(name))
        if not isinstance(content, dict):
            self.fail(path, f'a rule is a table: [tags."{name}"]')
        if "[" in name or "]" in name:
            self.fail(path, f"an element has the rule of its array: name it {name.partition('[')[0]}")
        inner = next((key for key, value in content.items() if isinstance(value, dict) and key not in _RULE_KEYS), None)
        if inner is not None:
            self.fail((*path, inner), f'the name of a tag is in quotes: [tags."{name}.{inner}…"]')
        table = _Table(self, path, content, _RULE_KEYS)
        writable = table.truth("writable")
        if writable is None:
            self.fail(path, "it must say writable = true, or false")
        confirm = table.choice("confirm", LEVELS)
        rule = Rule(
            glob=glob,
            source=self.place(path),
            writable=writable,
            minimum=table.number("min"),
            maximum=table.number("max"),
            step=table.number("step", above=0),
            rate=table.number("rate", above=0),
            writes_per_minute=table.whole("writes_per_minute", least=1),
            allowed=table.values("allowed"),
            tolerance=table.real("tolerance"),
            dead_band=table.real("dead_band"),
            confirm=next((level for level in LEVELS if level == confirm), "none"),
            guards=table.conditions("guards"),
            needs_reason=table.truth("needs_reason") or False,
            note=table.text("note") or "",
            file_news=self._news,
        )
        self._check_fit(path, rule, table)
        return rule

    def _check_fit(self, path: KeyPath, rule: Rule, table: "_Table") -> None:
        """Refuse parts of a rule that contradict each other."""
        low, high = rule.minimum, rule.maximum
        if low is not None and high is not None and number_of(low) > number_of(high):
            self.fail((*path, "min"), f"min = {low} is more than max = {high}, so nothing could be written")
        if rule.allowed is None:
            return
        if family_of(rule.allowed[0]) is not Family.NUMBER:
            needing = next((key for key in _NEEDS_NUMBER if table.get(key) is not None), None)
            if needing:
                self.fail((*path, needing), f"{needing} is for numbers, and the allowed values are none")
            return
        for index, each in enumerate(rule.allowed):
            if (low is not None and number_of(each) < number_of(low)) or (
                high is not None and number_of(each) > number_of(high)
            ):
                self.fail((*path, "allowed", index), f"the allowed value {each} is outside min and max")

    def _check_ranks(self, rules: Sequence[Rule]) -> None:
        """Refuse two rules of which neither is closer to a tag that both name."""
        by_rank: dict[Any, list[Rule]] = {}
        for rule in rules:
            glob = rule.glob
            by_rank.setdefault(glob.key if glob.is_exact else glob.rank, []).append(rule)
        for same in by_rank.values():
            for one, other in combinations(same, 2):
                if one.glob.overlaps(other.glob):
                    why = (
                        "are the same tag"
                        if one.glob.is_exact
                        else "can name the same tag, and have as many letters: make one of them closer"
                    )
                    self.fail(("tags", other.glob.text), f"{other.glob} and {one.glob} ({one.source}) {why}")

    def _example(self, number: int, content: dict[str, Any]) -> Example:
        path = ("examples", number)
        table = _Table(self, path, content, _EXAMPLE_KEYS)
        tag = table.text("write")
        if tag is None:
            self.fail(path, 'an example names a tag: write = "Plant.Tank1.LevelSP"')
        if not self.made((*path, "write"), lambda: TagGlob(tag)).is_exact:
            self.fail((*path, "write"), "an example writes to one tag, not to a glob")
        if "value" not in content:
            self.fail(path, "an example needs the value to write: value = 50")
        example = Example(
            source=self.place(path),
            tag=tag,
            value=table.plain("value"),
            type_name=table.choice("type", TYPE_NAMES),
            old=table.plain("old"),
            last=table.plain("last"),
            seconds=table.real("seconds"),
            writes=table.whole("writes", least=0) or 0,
            values={name: self.plain((*path, "values", name), value) for name, value in table.table("values").items()},
            refused=table.choice("refused", VERDICTS),
        )
        for key, value in (("value", example.value), ("old", example.old), ("last", example.last)):
            if value is not None:
                self.made((*path, key), partial(example.typed, value))
        if example.last is not None and example.seconds is None:
            self.fail((*path, "last"), "last needs the seconds since that write: seconds = 10")
        if example.refused == "guard" and not example.values:
            self.fail((*path, "refused"), 'a guard is judged by values: values = { "P1.Mode" = "Auto" }')
        return example

    def number(self, path: KeyPath, value: Any) -> Number:
        """Return a number, exactly as it is in the file."""
        key = path[-1]
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            quotes = ", without quotes" if isinstance(value, str) else ""
            self.fail(path, f"{key} must be a number{quotes}")
        if isinstance(value, Decimal) and not value.is_finite():
            self.fail(path, f"{key} must be a number; {'not a number' if value.is_nan() else 'infinity'} is none")
        try:
            real = float(value)
        except OverflowError:
            real = float("inf")
        if not isfinite(real):
            self.fail(path, f"{key} is beyond every number that a tag can hold")
        if isinstance(value, int):
            return value
        if Decimal(repr(real)) != value:
            self.fail(path, f"{key} has more digits than a tag can hold: {real!r} is nearest")
        return real

    def plain(self, path: KeyPath, value: Any) -> Any:
        """Return a number, a text, true or false, or an array of one of them."""
        if isinstance(value, list):
            return [self._scalar((*path, index), each) for index, each in enumerate(value)]
        return self._scalar(path, value)

    def _scalar(self, path: KeyPath, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(path, value)
        if not isinstance(value, int | Decimal):
            self.fail(path, "it must be a number, a text in quotes, true or false")
        return self.number(path, value)

    def text(self, path: KeyPath, value: Any) -> str:
        """Return a text."""
        key = path[-1]
        if not isinstance(value, str):
            self.fail(path, f"{key} must be a text in quotes")
        if redact(value) != value:
            self.fail(path, "a key does not belong in the file")
        if not value.isprintable():
            self.fail(path, f"{key} has a character that cannot be seen")
        return value


class _Table:
    """One table of the file. Each method returns the value of a key, None where the key is not there."""

    def __init__(self, reader: _LimitsReader, path: KeyPath, content: Mapping[str, Any], known: Sequence[str]) -> None:
        self._reader = reader
        self._path = path
        self._content = content
        for key in content:
            if key not in known:
                hint = closest(key, list(known)) or f"; there is {', '.join(known)}"
                reader.fail((*path, key), f"unknown key {key}{hint}")

    def get(self, key: str, default: Any = None) -> Any:
        return self._content.get(key, default)

    def table(self, key: str) -> Mapping[str, Any]:
        """Return an inner table; an empty one where it is not there."""
        value = self.get(key, {})
        if not isinstance(value, dict):
            self._reader.fail((*self._path, key), f"{key} is a table: [{key}]")
        return value

    def _read(self, key: str, read: Callable[[KeyPath, Any], Any]) -> Any:
        return read((*self._path, key), self._content[key]) if key in self._content else None

    def truth(self, key: str) -> bool | None:
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            self._reader.fail((*self._path, key), f"{key} must be true or false")
        return value

    def text(self, key: str) -> str | None:
        value: str | None = self._read(key, self._reader.text)
        return value

    def choice(self, key: str, choices: Sequence[str]) -> str | None:
        value = self.text(key)
        if value is not None and value not in choices:
            listed = ", ".join(f'"{each}"' for each in choices)
            self._reader.fail((*self._path, key), f"{key} is one of {listed}{closest(value, list(choices))}")
        return value

    def number(self, key: str, *, above: int | None = None) -> Number | None:
        value: Number | None = self._read(key, self._reader.number)
        if value is not None and above is not None and value <= above:
            self._reader.fail((*self._path, key), f"{key} must be more than {above}")
        return value

    def real(self, key: str) -> float | None:
        value = self.number(key)
        if value is not None and value < 0:
            self._reader.fail((*self._path, key), f"{key} must not be below 0")
        return None if value is None else float(value)

    def whole(self, key: str, *, least: int) -> int | None:
        value = self.number(key)
        if value is not None and (not isinstance(value, int) or value < least):
            self._reader.fail((*self._path, key), f"{key} must be a whole number, at least {least}")
        return value

    def plain(self, key: str) -> Any:
        return self._read(key, self._reader.plain)

    def values(self, key: str) -> tuple[Any, ...] | None:
        """Return values of one kind."""
        found = self.plain(key)
        if found is None:
            return None
        path = (*self._path, key)
        if not isinstance(found, list) or not found:
            self._reader.fail(path, f"{key} must be a list of values: [0, 1, 2]; for none say writable = false")
        odd = next((index for index, each in enumerate(found) if family_of(each) is not family_of(found[0])), None)
        if odd is not None:
            self._reader.fail((*path, odd), f"{key} must be all numbers, all texts, or true and false")
        return tuple(found)

    def conditions(self, key: str) -> tuple[Condition, ...]:
        found = self.get(key, [])
        path = (*self._path, key)
        if not isinstance(found, list):
            self._reader.fail(path, f"{key} must be a list of texts: ['P1.Mode == \"Auto\"']")
        texts = [self._reader.text((*path, index), each) for index, each in enumerate(found)]
        return tuple(
            self._reader.made((*path, index), partial(Condition.parse, text)) for index, text in enumerate(texts)
        )
