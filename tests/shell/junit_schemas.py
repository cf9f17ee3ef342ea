"""Whether a JUnit report keeps to the two schemas whose facts are in ``junit_schemas.toml``."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

SCHEMAS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_KINDS = {
    "any": r"(?s:.*)",
    "word": r"\S(?s:.*)",
    "integer": r"[+-]?\d+",
    "decimal": r"[+-]?(\d+(\.\d*)?|\.\d+)",
    "local time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    "thousands": r"(\d{0,3},)*\d{0,3}(\d{3})*(\.\d*)?|\d*(\.\d*)?",
}


def breaches(report: str) -> list[str]:
    """What is wrong with a report, by each schema; checks the names of GitLab, too, which ignores a second one."""
    root = ElementTree.fromstring(report.encode())
    found = [f"{name}: {each}" for name, schema in SCHEMAS.items() for each in _breaches(root, schema)]
    named = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    return found + [f"gitlab: twice {each}" for each in {*named} if named.count(each) > 1]


def _breaches(element: ElementTree.Element, schema: dict[str, Any]) -> Iterator[str]:
    name = element.tag
    if (rule := schema.get(name)) is None:
        yield f"no element {name}"
        return
    if rule.get("free"):
        return
    required, optional = rule.get("required", {}), rule.get("optional", {})
    yield from (f"{name} lacks {each}" for each in required.keys() - element.keys())
    for key, value in element.items():
        kind = (required | optional).get(key)
        if kind is None:
            yield f"{name} has {key}"
        elif not re.fullmatch(_KINDS[kind], value):
            yield f"{key} of {name} is no {kind}: {value!r}"
    if not rule.get("text") and any((text or "").strip() for text in (element.text, *(each.tail for each in element))):
        yield f"{name} has text"
    children = [child.tag for child in element]
    if not re.fullmatch(_pattern(rule), "".join(f"<{child}>" for child in children)):
        yield f"{name} contains {children}"
    for child in element:
        yield from _breaches(child, schema)


def _pattern(rule: dict[str, Any]) -> str:
    if "one_of" in rule:
        return f"({'|'.join(f'<{each}>' for each in rule['one_of'])})?"
    if "mixed" in rule:
        return f"({'|'.join(f'<{each}>' for each in rule['mixed'])})*"
    parts = (f"(<{each[:-1]}>)*" if each.endswith("*") else f"<{each}>" for each in rule.get("order", ()))
    return "".join(parts)
