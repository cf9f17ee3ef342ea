"""Reports of runs: what a record shows, as a page and as Markdown."""

import json
import math
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from shell_records import (
    HOSTILE,
    LEVEL,
    acceptance,
    acceptance_record,
    actual,
    at,
    begin,
    expect,
    hostile_entries,
    point,
    record,
    samples,
    statement,
    step,
    written,
)

from zb_mom_ww_mxgateway.safety.journal_actions import JournalAction
from zb_mom_ww_mxgateway_shell.evidence.report import read_report, report_text, write_report
from zb_mom_ww_mxgateway_shell.evidence.report_front import same_people
from zb_mom_ww_mxgateway_shell.evidence.report_model import ReportVerdict, RunReport
from zb_mom_ww_mxgateway_shell.evidence.run_summary import changes


def report_of(content: bytes) -> RunReport:
    return read_report(content.decode().splitlines(keepends=True))


class Page(HTMLParser):
    """What is on a page: its texts, and tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def test_steps_have_their_verdicts_and_what_was_seen() -> None:
    report = report_of(acceptance_record())
    assert [(each.title, each.verdict) for each in report.steps] == [
        ("Setpoint follows", ReportVerdict.OBSERVED),
        ("Pump runs", ReportVerdict.FAILED),
        ("Words", ReportVerdict.OBSERVED),
        ("Never", ReportVerdict.SKIPPED),
        ("finally", ReportVerdict.OBSERVED),
    ]
    write, wait = report.steps[0].findings
    assert (write.verdict, write.actual) == (
        ReportVerdict.DONE,
        ("Plant.Tank1.LevelSP: 60.0 → 65.0, completed",),
    )
    assert (wait.expected, wait.actual, wait.quality) == (
        "Plant.Tank1.Level within 64..66",
        ("65.5",),
        ("good, 0.0 s old",),
    )
    assert (wait.sources, wait.received, len(wait.series)) == ((at(5),), (at(5.2),), 1)
    assert report.verdict is ReportVerdict.FAILED


def test_a_step_with_something_to_tell_is_passed_with_an_observation() -> None:
    observed = report_of(acceptance_record()).steps[0].observations
    assert observed == [
        "Plant.Tank1.Level while it was followed: 3 of 12 values bad, uncertain or stale, gaps: 1",
        "alarm raise: Plant.Tank1.Level.HiHi",
    ]
    words = report_of(acceptance_record()).steps[2].observations
    assert words == ["comment: weather fine", "deviation: gauge reads 0.3 high", "connection: 3 events were lost"]
    # The tag was written last after finally, and is not back.
    assert report_of(acceptance_record()).steps[4].observations == ["Plant.Tank1.LevelSP was changed and not put back"]
    plain = report_of(record([begin(), step("A", 1), expect("X = 1", 1, 2, "A")]))
    assert (plain.steps[0].verdict, plain.verdict) == (ReportVerdict.PASSED, ReportVerdict.PASSED)


def test_a_watchdog_that_only_began_proves_nothing() -> None:
    watches = {"expected": "A > 1", "actual": actual(2.0), "watches": True}
    began = statement("watchdog A > 1", 2, "A", result=watches)
    killed = report_of(record([begin(), step("A", 1), began]))
    assert [each.is_check for each in killed.steps[0].findings] == [False]
    held = statement("watchdog A > 1", 2, "A", result={key: each for key, each in watches.items() if key != "watches"})
    ended = report_of(record([begin(), step("A", 1), began, held]))
    assert [each.verdict for each in ended.steps[0].findings] == [ReportVerdict.DONE, ReportVerdict.PASSED]


def test_what_a_check_compared_is_shown_whatever_it_was() -> None:
    held = {
        "expected": "A > 1 for 2 s",
        "actual": actual(2.0),
        "lowest": 1.5,
        "highest": 3,
        "seconds": 2.0,
        "values": 9,
    }
    group = {
        "expected": "every P.*",
        "judged": [{"tag": "P.A", "actual": actual(1)}, {"tag": "P.B", "actual": actual(2)}],
    }
    wanted = {"expected": "A = tag:B", "actual": actual(1), "wanted": actual(2, quality="bad")}
    failed = {"expected": "any P.*", "actual": None, "failed": [{"tag": "P.A", "actual": None, "reason": "no value"}]}
    none = {"expected": "no active alarm", "actual": []}
    alarm = {"reference": "P.A.Hi", "state": "ACTIVE_ACKED", "severity": 300, "description": "high", "limit_value": 5}
    alarms = {"expected": "P.A.Hi active", "actual": [alarm]}
    refused = {"expected": "refused", "outcome": "refused", "tag": "T", "value": 3, "refused_by": "MXAccess"}
    refused |= {"statuses": [{"category": "SECURITY_ERROR", "detail": 33, "success": 0}]}
    meant = refused | {"before": 2, "refused_because": "read-only (ViewOnly)"}
    late = {"expected": "A = 1", "actual": actual(1), "seconds": 0.5, "after_write_seconds": 0.75}
    entries = [
        statement("check", 1, "A", result=each)
        for each in (held, group, wanted, failed, none, alarms, refused, meant, late)
    ]
    shown = [each.actual for each in report_of(record([begin(), *entries])).steps[0].findings]
    assert shown == [
        ("2.0", "lowest 1.5, highest 3, 9 values, in 2.000 s"),
        ("P.A: 1", "P.B: 2"),
        ("1", "wanted 2"),
        ("P.A: null (no value)",),
        ("none",),
        ("P.A.Hi: active acked, severity 300, high",),
        ("T: REFUSED by MXAccess: SECURITY_ERROR, 33; 3 not taken",),
        ("T: REFUSED: read-only (ViewOnly); by MXAccess: SECURITY_ERROR, 33; 3 not taken, was 2",),
        ("1", "in 0.500 s, after the write by 0.750 s"),
    ]


def test_what_was_not_sent_is_no_write() -> None:
    results = [
        {"outcome": "completed", "tag": "A", "value": 1},
        {"outcome": "unknown", "tag": "B", "value": 1},
        {"outcome": "refused", "tag": "C", "value": 1},
        {"outcome": None, "tag": "D", "value": 1},
        {"rows": [{"outcome": "accepted", "tag": "E", "value": 1}, {"outcome": "not sent", "tag": "F", "value": 1}]},
    ]
    entries = [statement("write", n, "A", result=each) for n, each in enumerate(results)]
    found = [each.written for each in report_of(record([begin(), *entries])).steps[0].findings]
    assert found == [("A",), ("B",), (), (), ("E",)]


def test_a_requirement_is_shown_only_by_a_step_that_passed_with_a_check() -> None:
    entries = [
        begin(),
        step("checks", 1, "URS-2", "URS-10"),
        expect("X = 1", 1, 2, "checks"),
        step("writes only", 3, "URS-3"),
        statement("write X 1", 4, "writes only", result={"outcome": "completed", "tag": "X", "value": 1}),
        step("fails", 5, "URS-10", "URS-4"),
        expect("X = 1", 2, 6, "fails", ok=False),
    ]
    report = report_of(record(entries, exit_code=1))
    found = [(each.name, each.verdict, each.is_shown) for each in report.requirements]
    assert found == [
        ("URS-2", ReportVerdict.PASSED, True),
        ("URS-3", ReportVerdict.DONE, False),
        ("URS-4", ReportVerdict.FAILED, False),
        ("URS-10", ReportVerdict.FAILED, True),
    ]
    page = Page(report_text([report], "html")).text
    assert page.count("NOT SHOWN: no step with a check passed") == 2


@pytest.mark.parametrize("form", ["html", "md"])
def test_both_forms_have_the_same_facts(form: Any) -> None:
    text = report_text([report_of(acceptance_record())], form)
    shown = Page(text).text if form == "html" else re.sub(r"\\(.)", r"\1", text)
    for fact in (
        "Level loop of tank 1",
        "SAT-012",
        "Waterworks North",
        "north at 10.0.0.5:5120",
        "2026-11-30 10:15:02 UTC",
        "2026-11-29 10:15:02 UTC",
        "ab" * 32,
        "cd" * 32,
        "mxgw-shell 0.9.0",
        "sp = 65",
        "14 tags in 0.31 s",
        "Plant.Pump1.Running = true",
        "source 10:15:11.123",
        "passed with observation",
        "FAILED",
        "1 step not run",
        "an earlier step failed",
        "level very high",
        "gauge reads 0.3 high",
        "weather fine",
        "3 events were lost",
        "it was 60.0, ours is 65.0",
        "I was present, and saw what the record shows.",
        "limit high 66.0",
        "exit code 1",
    ):
        assert fact in shown, fact


def test_a_passed_check_is_never_a_bare_tick() -> None:
    rows = re.findall(r"<tr>(?:(?!</tr>).)*?mark passed.*?</tr>", report_text([report_of(acceptance_record())], "html"))
    with_values = [row for row in rows if "expect" in row]
    assert len(with_values) == 2
    assert all("good, 0.0 s old" in row and "source 10:15:" in row for row in with_values)


def test_what_is_wrong_with_a_record_is_said_first_and_large() -> None:
    cut = report_of(record(acceptance(), ends=False))
    changed = report_of(acceptance_record().replace(b'"value": 65.0', b'"value": 66.0'))
    for report, said in ((cut, "This record is incomplete"), (changed, "This record is not as it was written")):
        assert report.verdict is ReportVerdict.INVALID
        page = report_text([report], "html")
        large = page.index('<div class="warning large"')
        assert large < page.index("<table")
        assert said in page[large : large + 200]
        assert page.index("NOT VALID") < large
        assert f"> **{said.upper()}**" in report_text([report], "md")
    assert "unknown: the record has no end" in Page(report_text([cut], "html")).text


def test_the_same_person_in_two_roles_is_pointed_out() -> None:
    assert same_people({"author": "B. Berg", "tester": "A. Miller", "witness": "C. Cole"}) == []
    assert same_people({"author": "A. Miller", "tester": "B.", "witness": " a.  MILLER"}) == [
        "A. Miller is named as author and as witness."
    ]
    assert same_people({"author": "", "tester": ""}) == []


def test_a_page_needs_nothing_else_and_runs_nothing() -> None:
    for content in (acceptance_record(), record(hostile_entries(), exit_code=1)):
        page = Page(report_text([report_of(content)], "html"))
        assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "base", "a"} == set()
        names = {name for _, attributes in page.tags for name in attributes}
        assert not {name for name in names if name.startswith("on") or name in ("src", "href", "style")}
        [policy] = [found["content"] for tag, found in page.tags if tag == "meta" and "http-equiv" in found]
        assert policy is not None
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy


def test_a_hostile_record_is_text_and_nothing_else() -> None:
    plain = {tag for tag, _ in Page(report_text([report_of(acceptance_record())], "html")).tags}
    text = report_text([report_of(record(hostile_entries(), exit_code=1))], "html")
    assert {tag for tag, _ in Page(text).tags} <= plain
    assert not set(text) & set("\x00\x07\x1b\r\u202e\u2066\u200b\ufeff")
    assert "\\u202egnirts" in text
    assert "x" * 1_501 not in text
    assert "(10,000 characters)" in text
    markdown = report_text([report_of(record(hostile_entries(), exit_code=1))], "md")
    assert "<script" not in re.sub(r"\\<", "", markdown)
    assert not re.search(r"(?<!\\)\[l\]|(?<!\\)`x", markdown)
    tables = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert all(line.endswith(" |") for line in tables)


def test_what_is_no_record_gives_a_page_that_says_so() -> None:
    for content in (b"", b"\xff\xfe\x00", b"[1]\nnull\n", b'{"command": "run-begin"}\n', b"{" * 5000):
        report = read_report([content.decode("latin-1")])
        assert report.verdict is ReportVerdict.INVALID
        assert "warning large" in report_text([report], "html")
    odd = [
        {"command": "run-begin", "format": 1, "about": 1, "files": {}, "gateway": [], "at": 5},
        {"statement": "x", "ok": None, "result": {"actual": {"value": math.inf}, "expected": [1]}, "at": {}},
        {"command": "samples", "points": [1, {"value": math.nan, "at": at(0)}], "bounds": 1, "gaps": [[]]},
        {"command": "journal", "line": {"number": 1}},
        {"command": "run-end", "left_changed": 3, "not_run": [None, "x"], "journal": {}, "steps": []},
    ]
    report = read_report([f"{json.dumps(each)}\n" for each in odd])
    assert report.verdict is ReportVerdict.INVALID
    for form in ("html", "md", "pdf-ready"):
        assert report_text([report], form)  # type: ignore[arg-type]  # the forms that there are


def test_numbers_that_cannot_be_drawn_are_points_all_the_same() -> None:
    values = [1.0, "NaN", math.inf, 1e308, -1e308, None, 10**400, True]
    series = samples(2, [point(2 + n / 10, value) for n, value in enumerate(values)], bounds=[])
    text = report_text([report_of(record([begin(), step("A", 1), expect("X = 1", 1, 2, "A"), series]))], "html")
    assert len(re.findall(r'<g class="point', text)) == len(values)
    assert not re.search(r'"[^"]*(?:nan|inf)[^"]*"', " ".join(re.findall(r"<(?:path|circle|rect|text)[^>]*>", text)))


def test_the_trend_has_the_points_limits_gaps_and_writes_of_the_record() -> None:
    text = report_text([report_of(acceptance_record())], "html")
    first, second = re.findall(r"<svg class.*?</svg>", text, re.DOTALL)
    assert [len(re.findall(f'class="{name}', first)) for name in ("point", "limit", "gap", "written")] == [12, 2, 1, 1]
    moods = re.findall(r'class="point (\w+)"', first)
    assert [moods.count(mood) for mood in ("good", "bad", "uncertain", "stale")] == [9, 1, 1, 1]
    assert "<title>10:15:07.123: 60.0, good, source 10:15:07.103</title>" in first
    assert "seconds since 10:15:07.123 (UTC)" in first
    assert 'role="img"' in first
    assert ">true</text>" in second
    assert "limit = true" in second
    assert ">false</text>" in second


def calls_of_a_report(steps: int) -> int:
    """Return how many functions a report of so many steps calls."""
    entries = [begin()]
    for n in range(steps):
        entries += [step(f"s{n}", 5 * n, f"R{n % 5}"), expect("X = 1", n, 5 * n + 1, f"s{n}")]
        entries.append({"command": "alarm", "at": at(n), "step": "s0", "reference": "A", "kind": "raise"})
        entries.append({"command": "news", "at": at(n), "kind": "gap"})
        wrote = {"outcome": "completed", "tag": f"T{n}", "value": n}
        entries.append(statement("write x", 5 * n + 2, f"s{n}", result=wrote))
    content = record(entries, left_changed=[f"T{n} is changed" for n in range(steps)])
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        report_text([report_of(content)], "html")
    finally:
        sys.setprofile(before)
    return calls


def test_a_long_record_takes_time_in_proportion() -> None:
    assert calls_of_a_report(400) < 2.1 * calls_of_a_report(200)


def test_times_are_in_the_zone_of_the_record() -> None:
    zone = {"name": "CET", "offset_minutes": 60}
    page = Page(report_text([report_of(record([begin(zone=zone), expect("X = 1", 1, 2, "A")]))], "html")).text
    assert "2026-11-30 11:15:02 UTC+01:00" in page
    assert "source 11:15:04.123" in page


def test_writes_come_from_the_journal_with_who_and_why(tmp_path: Path) -> None:
    # Its own hash makes a line of the journal; what has another one is no such line.
    bad = {"command": "journal", "line": {"number": 1, "kind": "intent"}}
    report = report_of(record([begin(), bad]))
    assert report.problems == ("1 of its lines of the journal are not as the journal writes them",)


def test_no_arrow_points_at_a_value_that_was_not_taken() -> None:
    actions = tuple(
        JournalAction(
            number=number,
            at="2026-11-30T10:15:02Z",
            kind="action",
            user="ann",
            host="pc",
            pid=1,
            tag="A",
            old=1.0,
            quality=192,
            new=2.0,
            result=result,
        )
        for number, result in enumerate(("completed", "refused_there", "refused_here"))
    )
    page = report_text([replace(report_of(record([begin()])), actions=actions)], "md")
    assert (page.count("1.0 (good)<br>→ 2.0"), page.count("2.0 not taken<br>was 1.0 (good)")) == (1, 2)


def test_the_report_of_lines_or_of_a_file_is_written_by_the_name_of_the_target(tmp_path: Path) -> None:
    source = written(tmp_path, acceptance_record())
    write_report(source, tmp_path / "r.html")
    write_report(acceptance_record().decode().splitlines(keepends=True), tmp_path / "r.md")
    write_report(source, tmp_path / "p.html", "pdf-ready")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# Level loop of tank 1\n")
    assert '<body class="paged">' in (tmp_path / "p.html").read_text(encoding="utf-8")
    # The same record always gives the same page.
    write_report(source, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "r.html").read_bytes()


def test_the_summary_says_what_changed_since_the_run_before() -> None:
    old = [begin(run="one"), step("A", 1, "R1"), expect("X = 1", 1, 2, "A"), step("B", 3), step("C", 5)]
    old += [expect("Y = 1", 2, 6, "C", ok=False)]
    new = [
        begin(
            run="two",
            at=at(3600),
            galaxy={"deployed_at": at(1800)},
            files=[{"name": LEVEL, "sha256": "ee" * 32, "bytes": 1}],
        )
    ]
    new += [step("A", 2, "R1"), expect("X = 1", 2, 3, "A", ok=False), step("C", 5), expect("Y = 1", 1, 6, "C")]
    new += [step("D", 8)]
    before, now = report_of(record(old, exit_code=1)), report_of(record(new, exit_code=1))
    assert list(changes(before, now)) == [
        ("newly failing", "A", "passed → failed"),
        ("newly passing", "C", "failed → passed"),
        ("new step", "D", "done"),
        ("step gone", "B", "done"),
        ("changed", f"file {LEVEL}", f"{'cd' * 32} → {'ee' * 32}"),
        ("changed", "deployment of north", f"{at(-86_400)} → {at(1800)}"),
    ]
    other = report_of(record([begin(run="three", about={"title": "Other"}), step("Z", 1)]))
    page = Page(report_text([now, other, before], "html")).text
    assert page.startswith("Summary of 3 runs of 2 tests: FAILED: of the newest run of each test, 1 done, 1 failed")
    assert "run two since run one of 2026-11-30 10:15:02 UTC" in page
    assert "There is no earlier run here of: Other" in page
    assert "NOT SHOWN: no step with a check passed" in page
    assert f"file {LEVEL}" in report_text([now, other, before], "md").replace("\\", "")


def test_the_summary_of_a_suite_can_be_signed_as_one() -> None:
    """Its files have one title and one number, and are tests of their own all the same."""
    other = [{"name": "tests/pump.mxs", "sha256": "aa" * 32, "bytes": 1}]
    note = statement("deviation", 3, "A", result={"observation": "deviation", "text": "reads 0.3 high"})
    one = report_of(record([begin(), step("A", 1), expect("X = 1", 1, 2, "A"), note]))
    two = report_of(record([begin(files=other, at=at(9)), step("B", 1)], left_changed=[{"tag": "T", "text": "T is 2"}]))
    page = Page(report_text([one, two], "html")).text
    for fact in (
        "Level loop of tank 1: summary of 2 runs of 2 tests",
        f"There is no earlier run here of: Level loop of tank 1 ({LEVEL}), Level loop of tank 1 (tests/pump.mxs)",
        "Waterworks North",
        "reads 0.3 high",
        "T is 2",
        "A. Miller I carried out this test; the record shows what happened.",
    ):
        assert fact in page


def test_hostile_texts_do_not_break_the_summary() -> None:
    reports = [report_of(record(hostile_entries(), exit_code=1)), report_of(acceptance_record())]
    assert "<script" not in report_text(reports, "html")
    assert all(len(text) for text in HOSTILE)


def test_a_step_that_compares_nothing_has_passed_nothing() -> None:
    """Neither the step, nor its requirement, nor a run of such steps alone is called passed."""
    bare = [begin(), step("A", 1, "R1"), statement('note "fine"', 2, "A", result={"text": "fine"})]
    report = report_of(record(bare, exit_code=0))
    assert (report.verdict, report.steps[0].verdict) == (ReportVerdict.DONE, ReportVerdict.DONE)
    assert "NOTHING WAS COMPARED: 1 step done" in report_text([report], "md")
    assert "DONE: of the newest run of each test, 1 done" in report_text([report, report], "md")

    report = report_of(record([*bare, step("B", 3), expect("X = 1", 1, 4, "B")], exit_code=0))
    assert report.verdict is ReportVerdict.PASSED
    assert "PASSED: 1 step passed, 1 step done" in report_text([report], "md")


def test_steps_of_one_title_are_told_apart_in_a_summary() -> None:
    """Each has a number, also where a title looks like one with a number."""
    titles = ["A", "A (2)", "A", "A"]
    entries = [begin()]
    for line, title in enumerate(titles):
        entries += [step(title, 2 * line + 1), expect("X = 1", 1, 2 * line + 2, title)]
    before, now = report_of(record(entries)), report_of(record(entries[:1]))
    gone = [name for what, name, _ in changes(before, now) if what == "step gone"]
    assert gone == ["A", "A (2)", "A (3)", "A (4)"]
