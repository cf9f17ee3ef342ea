"""Records of runs made by hand, line by line, as a run writes them."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 11, 30, 10, 15, 2, 123000, tzinfo=UTC)
LEVEL = "tests/level.mxs"
TRUE = {"kind": "equal", "value": 1.0}


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def begin(**fields: Any) -> dict[str, Any]:
    """The first line; `fields` take the place of its own."""
    return {
        "command": "run-begin",
        "format": 1,
        "at": at(0),
        "run": "20261130T101502Z-4f2a",
        "tool": {"name": "mxgw-shell", "version": "0.9.0", "python": "3.11.7", "platform": "Linux"},
        "user": "anna",
        "host": "eng1",
        "operator": "a.miller",
        "about": {
            "title": "Level loop of tank 1",
            "number": "SAT-012",
            "site": "Waterworks North",
            "author": "B. Berg",
            "tester": "A. Miller",
            "witness": "C. Cole",
            "order": "P-4711",
        },
        "gateway": {
            "endpoint": "10.0.0.5:5120",
            "name": "north",
            "session_id": "session-1",
            "certificate": "B9:3B:3D",
            "plaintext": False,
        },
        "galaxy": {"deployed_at": at(-86_400), "tags": 168},
        "contract": {"name": "built in", "sha256": "ab" * 32},
        "files": [{"name": LEVEL, "sha256": "cd" * 32, "bytes": 1412}],
        "names": {"sp": "65"},
        "seed": None,
        "limits": None,
        "arm": ["Plant.*"],
        "reason": "site acceptance",
        "arguments": ["-c", LEVEL],
        **fields,
    }


def statement(text: str, line: int, step: str, *, ok: bool = True, **fields: Any) -> dict[str, Any]:
    """A statement of a step; `fields` take the place of its own, such as ``result`` and ``error``."""
    return {
        "at": at(line),
        "command": text.split()[0],
        "file": LEVEL,
        "id": f"{LEVEL} {step}" if step else None,
        "line": line,
        "notices": [],
        "number": line,
        "ok": ok,
        "place": None,
        "requirements": [],
        "seconds": 0.12,
        "statement": text,
        "step": step or None,
        **fields,
    }


def step(title: str, line: int, *requirements: str) -> dict[str, Any]:
    result = {"title": title, "requirements": list(requirements), "id": f"{LEVEL} {title}"}
    return statement(f'step "{title}"', line, title, result=result, requirements=list(requirements))


def actual(value: Any, seconds: float = 0.0, quality: str = "good") -> dict[str, Any]:
    return {
        "age_seconds": 0.03,
        "quality": 192,
        "quality_word": quality,
        "received_at": at(seconds + 0.2),
        "source_timestamp": at(seconds),
        "stale": False,
        "value": value,
    }


def expect(condition: str, value: Any, line: int, step: str, *requirements: str, ok: bool = True) -> dict[str, Any]:
    said: dict[str, Any] = {"expected": condition, "actual": actual(value, line)}
    if ok:
        return statement(f"expect {condition}", line, step, result=said, requirements=list(requirements))
    said |= {"exit_code": 1, "message": f"expected {condition}, is {value}", "type": "NotMet"}
    return statement(f"expect {condition}", line, step, ok=False, error=said, requirements=list(requirements))


def samples(line: int, points: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
    return {
        "command": "samples",
        "at": at(line + 1),
        "statement": {"file": LEVEL, "line": line, "number": line},
        "tag": "Plant.Tank1.Level",
        "condition": "Plant.Tank1.Level within 64..66",
        "started_at": at(line),
        "ended_at": at(line + 5),
        "bounds": [{"kind": "low", "value": 64.0}, {"kind": "high", "value": 66.0}],
        "written_at": [at(line - 0.5)],
        "points": list(points),
        "gaps": [],
        "omitted": 0,
        **fields,
    }


def point(seconds: float, value: Any, quality: str = "good", *, stale: bool = False) -> dict[str, Any]:
    return {"at": at(seconds), "source_at": at(seconds - 0.02), "value": value, "quality": quality, "stale": stale}


def record(entries: Iterable[Mapping[str, Any]], *, ends: bool = True, **end: Any) -> bytes:
    """The bytes of a record of these entries; with `ends` it has its last line."""
    lines = [f"{json.dumps(entry, sort_keys=True)}\n".encode() for entry in entries]
    before = b"".join(lines)
    if not ends:
        return before
    last = {
        "command": "run-end",
        "at": at(60),
        "exit_code": 0,
        "steps": None,
        "not_run": [],
        "left_changed": [],
        "broken_off": None,
        "journal": [],
        "entries": len(lines) + 1,
        "sha256": hashlib.sha256(before).hexdigest(),
        **end,
    }
    return before + f"{json.dumps(last, sort_keys=True)}\n".encode()


def acceptance() -> list[dict[str, Any]]:
    """The entries of a run with a bit of everything: two requirements shown, one failed, one not run."""
    follows, pump = "Setpoint follows", "Pump runs"
    wrote = {"outcome": "completed", "result": "completed", "tag": "Plant.Tank1.LevelSP", "error": None}
    moods = ["good"] * 6 + ["bad", "uncertain"] + ["good"] * 4
    points = [point(5 + 0.4 * n, 60 + n / 2, mood, stale=n == 9) for n, mood in enumerate(moods)]
    points[6]["value"] = None
    running = [point(7 + n, value) for n, value in enumerate([False, True, False])]
    return [
        begin(),
        {"command": "first-contact", "at": at(0.4), "tags": 14, "seconds": 0.31, "missing": []},
        step(follows, 3, "URS-12", "URS-9"),
        statement("write Plant.Tank1.LevelSP 65", 4, follows, result={**wrote, "before": 60.0, "value": 65.0}),
        expect("Plant.Tank1.Level within 64..66", 65.5, 5, follows, "URS-12", "URS-9"),
        samples(5, points, gaps=[{"from": at(7.9), "to": at(8.2), "kind": "gap"}]),
        {
            "command": "alarm",
            "at": at(6),
            "step": follows,
            "reference": "Plant.Tank1.Level.HiHi",
            "kind": "raise",
            "severity": 500,
            "value": 71.25,
            "description": "level very high",
            "user": None,
            "original_at": at(5.9),
        },
        step(pump, 8, "URS-14"),
        expect("Plant.Pump1.Running = true", False, 9, pump, "URS-14", ok=False),
        samples(
            9, running, tag="Plant.Pump1.Running", condition="= true", bounds=[TRUE], written_at=[], started_at=at(7)
        ),
        step("Words", 12),
        expect("Plant.Mode = AUTO", "AUTO", 13, "Words"),
        statement("comment x", 14, "Words", result={"observation": "comment", "text": "weather fine"}),
        statement("deviation x", 15, "Words", result={"observation": "deviation", "text": "gauge reads 0.3 high"}),
        {"command": "news", "at": at(16), "kind": "gap", "text": "3 events were lost", "from": at(15), "to": at(16)},
        statement("finally", 20, "finally", id=None, result={}),
        statement("undo", 21, "finally", id=None, result={**wrote, "before": 65.0, "value": 60.0}),
    ]


def acceptance_record(**end: Any) -> bytes:
    never = {"id": "x", "title": "Never", "why": "an earlier step failed", "requirements": ["URS-20"]}
    left = ["Plant.Tank1.LevelSP is changed: it was 60.0, ours is 65.0, and it is 65.0 now"]
    steps = {"passed": 2, "failed": 1, "skipped": 1}
    said = {"exit_code": 1, "steps": steps, "not_run": [never], "left_changed": left, **end}
    return record(acceptance(), **said)


HOSTILE = (
    "</style><script>alert(1)</script>",
    "<img src=http://10.255.255.1/x onerror=alert(1)>",
    '"\' onmouseover=alert(1) x="',
    "]]><!--",
    "\u202egnirts\u2066\u200b\ufeff",
    "\x00\x1b[31m\x07\r\n\t",
    "${7*7} {{7*7}} %s |&amp;| `x` **b** [l](javascript:alert(1))",
    "x" * 10_000,
    "word " * 2_000,
    "\U0001f4a7 水位 é",
    "WM@%" * 20,
)
"""Texts that a careless page would obey."""


def hostile_entries() -> list[dict[str, Any]]:
    """The entries of a record in which every text is hostile."""
    entries: list[dict[str, Any]] = [
        begin(
            about=dict.fromkeys(("title", "number", "site", "author", "tester", "witness", "order"), HOSTILE[0])
            | {f"n{n}": text for n, text in enumerate(HOSTILE)},
            gateway={"endpoint": HOSTILE[1], "name": HOSTILE[4], "certificate": HOSTILE[5]},
            files=[{"name": text, "sha256": text, "bytes": text} for text in HOSTILE],
            arguments=list(HOSTILE),
            reason=HOSTILE[7],
        )
    ]
    for n, text in enumerate(HOSTILE):
        entries += [
            step(text, 10 * n + 1, text, HOSTILE[(n + 1) % len(HOSTILE)]),
            expect(f"{text} = 1", text, 10 * n + 2, text, text, ok=n % 2 == 0) | {"place": text, "notices": [text]},
            samples(
                10 * n + 2,
                [point(10 * n + 2 + m / 10, value) for m, value in enumerate((text, HOSTILE[0], None, 1e308, [text]))],
                tag=text,
                condition=text,
                gaps=[{"from": at(10 * n + 2), "to": at(10 * n + 3), "kind": text}],
                bounds=[{"kind": text, "value": 1.0}],
            ),
            {"command": "alarm", "at": text, "reference": text, "kind": text, "description": text, "severity": text},
            {"command": "news", "at": at(1), "kind": text, "text": text, "from": text},
            statement("comment", 10 * n + 3, text, result={"observation": text, "text": text}),
            statement("deviation", 10 * n + 3, text, result={"observation": "deviation", "text": text}),
            statement("read", 10 * n + 4, text, result=[{"tag": text, "value": text, "quality_word": text}]),
        ]
    return entries


def written(folder: Path, content: bytes, name: str = "run.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
