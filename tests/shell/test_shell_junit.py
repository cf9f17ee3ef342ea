"""The JUnit report: stable ids, a case for all that ran or did not and why, and the schemas of those who read it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junit_schemas import breaches
from shell_process import Runs

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, TEXT = "TestChildObject.TestInt", "TestChildObject.TestString"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


async def report(run: Runs, text: str, *arguments: str, code: int) -> ElementTree.Element:
    """The report of one run, which keeps to the schemas."""
    done = await run(text, "--report-junit", "out.xml", *arguments)
    assert done.code == code, done
    text = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert breaches(text) == []
    return ElementTree.fromstring(text.encode())


def ids(root: ElementTree.Element) -> list[str | None]:
    return [case.get("name") for case in root.iter("testcase")]


async def test_cases_have_the_place_of_their_step_as_their_id(run: Runs) -> None:
    (run.folder / "parts").mkdir()
    run.file('step "in a part"\nlet n = 1\n', "parts/part.mxs")
    text = f'expect {INT} = 0\nstep "one"\ninclude parts/part.mxs\nstep "one"\nfinally\nnote "x"\n'
    root = await report(run, text, code=0)
    assert ids(root) == [
        "try.mxs:1 before the first step",
        "try.mxs:2 one",
        "parts/part.mxs:1 in a part",
        "try.mxs:4 one",
        "try.mxs:5 finally",
    ]
    assert {case.get("classname") for case in root.iter("testcase")} == {"try"}
    twice = await report(run, "include parts/part.mxs\ninclude parts/part.mxs\n", code=0)
    assert ids(twice)[1:] == ["parts/part.mxs:1 in a part", "parts/part.mxs:1 in a part (2)"]


async def test_a_case_that_did_not_run_says_why(run: Runs) -> None:
    text = f'let part = pump\nstep "one"\nexpect {INT} = 9\nstep "the $part"\n'
    (skipped,) = (await report(run, text, code=1)).iter("skipped")
    assert skipped.get("message") == skipped.text == "not reached: try.mxs:3 failed"
    (skipped,) = (await report(run, 'step "one"\nexit\nstep "two"\n', code=0)).iter("skipped")
    assert skipped.text == "not reached: the file ended before"


async def test_what_is_after_finally_is_behind_the_steps_that_did_not_run(run: Runs) -> None:
    text = f'step "one"\nexpect {INT} = 9 quality good age < 5s\nstep "two"\nfinally\nnote "x"\n'
    root = await report(run, text, code=1)
    assert ids(root) == ["try.mxs:1 one", "try.mxs:3 two", "try.mxs:4 finally"]
    (failure,) = root.iter("failure")
    assert f"expected {INT} = 9 quality good age < 5s, is 0 (good, " in str(failure.text)


async def test_the_text_of_a_failure_has_what_was_expected_and_what_there_was(run: Runs) -> None:
    run.gateway.set(TEXT, "<&\x00]]>")
    root = await report(run, f'step "<a&\x07>"\nexpect {TEXT} = b\n', code=1)
    (failure,) = root.iter("failure")
    # GitLab shows the text alone.
    assert (failure.text or "").startswith(f"expected {TEXT} = b, is ")
    assert failure.get("type") == "NotMet"
    assert f"expect {TEXT} = b" in (root[0].findtext("system-out") or "")


async def test_a_report_of_any_run_keeps_to_the_schemas(run: Runs) -> None:
    await report(run, "# nothing\n", code=2)
    await report(run, "frob\n", code=2)
    await report(run, f"expect {INT} = 0\n", "--endpoint", "127.0.0.1:1", code=4)
    await report(run, 'confirm "sure?"\nstep "two"\n', code=5)
    await report(run, f"write {INT} 5\n", "--leave-clean", code=7)
    done = await run.process(
        "--plaintext", "--report-junit", "out.xml", stdin=f'step " "\nexpect {INT} = 5\nstep " "\n'
    )
    assert done.code == 0
    text = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert breaches(text) == []
    assert ids(ElementTree.fromstring(text)) == ["<stdin>:1 (untitled)", "<stdin>:3 (untitled)"]


GOOD = """<testsuites><testsuite name="a" package="" id="0" hostname="h" tests="1" failures="0" errors="0" skipped="0"
 time="0.1" timestamp="2026-01-02T03:04:05"><properties/><testcase name="a" classname="b" time="1"/>
 <system-out/><system-err/></testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("part", "instead", "wrong"),
    [
        ("", "", None),
        ('hostname="h"', "", "ant: testsuite lacks hostname"),
        ("03:04:05", "03:04:05Z", "ant: timestamp of testsuite is no local time: '2026-01-02T03:04:05Z'"),
        ("<system-out/><system-err/>", "<system-err/><system-out/>", "ant: testsuite contains"),
        ('time="1"/>', 'time="1"><system-out/></testcase>', "ant: testcase contains ['system-out']"),
        ('time="1"/>', 'time="1"><error message="m"/></testcase>', "ant: error lacks type"),
        ("<properties/>", "<properties><a/></properties>", "jenkins: properties contains ['a']"),
        ('time="1"/>', 'time="1" file="x"/>', "jenkins: testcase has file"),
        ('time="0.1"', 'time="1e3"', "jenkins: time of testsuite is no thousands: '1e3'"),
        ("<system-out/>", '<testcase name="a" classname="b" time="1"/><system-out/>', "gitlab: twice ('b', 'a')"),
    ],
)
def test_what_a_schema_forbids_is_found(part: str, instead: str, wrong: str | None) -> None:
    found = breaches(GOOD.replace(part, instead) if part else GOOD)
    assert found == [] if wrong is None else any(each.startswith(wrong) for each in found), found


async def test_each_row_of_an_include_has_cases_of_its_own(run: Runs) -> None:
    run.file('step "level $tank"\nlet n = 1\n', "part.mxs")
    (run.folder / "rows.csv").write_text("tank\n1\n2\n", encoding="utf-8")
    assert ids(await report(run, "include part.mxs each rows.csv\n", code=0))[1:] == [
        "row 2 of rows.csv, part.mxs:1 level 1",
        "row 3 of rows.csv, part.mxs:1 level 2",
    ]


@pytest.mark.parametrize(
    ("fault", "code", "why"),
    [
        ("at Write 2 refuse PERMISSION_DENIED", 6, f"not put back: {INT}"),
        ("at CloseSession 1 refuse UNAVAILABLE", 4, "close_session"),
    ],
)
async def test_what_goes_wrong_after_the_last_line_is_an_error_of_the_whole_run(
    run: Runs, fault: str, code: int, why: str
) -> None:
    run.gateway.schedule(fault)
    root = await report(run, f'step "timed"\nwrite {INT} 1 --for 1h\n', "--record", "run.jsonl", code=code)
    (error,) = root.iter("error")
    assert error.get("message", "").startswith(why)
    end = json.loads((run.folder / "run.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (end["exit_code"], end["broken_off"]) == (code, error.get("message"))
