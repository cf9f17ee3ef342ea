"""``mxgw-shell test``: many files as one suite, each by process. What must not overlap shows in the order of writes."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junit_schemas import breaches
from shell_process import EXAMPLES, Done, Runs
from shell_pty import at_a_terminal
from shell_waiting import until

from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_shell.scripts import loader
from zb_mom_ww_mxgateway_shell.scripts.entry import offline
from zb_mom_ww_mxgateway_shell.scripts.write_claims import WriteClaim
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL, DOUBLE, TEXT = (f"TestChildObject.Test{name}" for name in ("Int", "Bool", "Double", "String"))
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")


class Suites(Runs):
    """Runs suites against one gateway."""

    async def __call__(self, *arguments: str) -> Done:
        return await self.process("--plaintext", "test", *arguments)

    def add(self, name: str, text: str, *, writes: str = "") -> None:
        """Add a file that declares these writes."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((f"requires write {writes}\n" if writes else "") + text, encoding="utf-8")

    def report(self) -> ElementTree.Element:
        """The JUnit report, which keeps to the schemas."""
        text = (self.folder / "out.xml").read_text(encoding="utf-8")
        assert breaches(text) == []
        return ElementTree.fromstring(text.encode())

    def properties(self, name: str) -> dict[str | None, str | None]:
        (suite,) = (each for each in self.report() if each.get("name") == name)
        return {each.get("name"): each.get("value") for each in suite.iter("property")}


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Suites]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Suites(tmp_path, gateway)


def verdicts(done: Done) -> list[tuple[str, str]]:
    """The files of the table with their verdicts, in its order; each verdict is one word here."""
    return [(file, verdict) for file, verdict, *_ in map(str.split, table(done))]


def table(done: Done) -> list[str]:
    _, _, rows = done.out.partition("\n  file ")
    return rows.partition("\n\n")[0].splitlines()[1:]


def ended(done: Done) -> dict[str, object]:
    last: dict[str, object] = done.objects[-1]
    assert last["command"] == "suite-end"
    return last


# Which files, and in which order.


async def test_a_folder_is_searched_and_each_file_has_a_session_of_its_own(suite: Suites) -> None:
    for name in ("b.mxs", "a.mxs", "sub/c.mxs", "sub/.hidden/d.mxs", "note.txt"):
        suite.add(name, f'step "one"\nexpect {INT} = 0\n')
    done = await suite(".", "--report-junit", "out.xml")
    assert done.code == 0, done
    assert verdicts(done) == [("a.mxs", "passed"), ("b.mxs", "passed"), ("sub/c.mxs", "passed")]
    assert done.out.splitlines()[-1].startswith("3 files: 3 passed, in ")
    # One more is opened first, and shows that the gateway can be reached.
    opened = [call.connection for call in suite.gateway.calls if call.rpc == "OpenSession"]
    assert (len(opened), len({*opened}), suite.gateway.live_sessions) == (4, 1, [])
    assert [case.get("name") for case in suite.report().iter("testcase")] == [
        "a.mxs:1 one",
        "b.mxs:1 one",
        "sub/c.mxs:1 one",
    ]


async def test_what_another_file_includes_is_no_test_by_itself_unless_it_is_named(suite: Suites) -> None:
    suite.add("parts/p.mxs", "echo $pump\n")
    suite.add("a.mxs", "let pump = 1\ninclude parts/p.mxs\n")
    done = await suite(".")
    assert (done.code, verdicts(done)) == (0, [("a.mxs", "passed")])
    assert "parts/p.mxs is a part of a.mxs, and is not run by itself" in done.out
    named = await suite(".", "parts/p.mxs", "--var", "pump=2")
    assert verdicts(named) == [("a.mxs", "passed"), ("parts/p.mxs", "passed")]


async def test_a_seed_gives_another_order_which_is_the_same_each_time(suite: Suites) -> None:
    for number in range(6):
        suite.add(f"{number}.mxs", "note x\n")
    plain, one, same = await suite("."), await suite(".", "--shuffle", "7"), await suite(".", "--shuffle", "7")
    assert [name for name, _ in verdicts(plain)] == [f"{number}.mxs" for number in range(6)]
    assert verdicts(one) == verdicts(same) != verdicts(plain)
    assert "shuffled with the seed 7" in one.out


async def test_tags_and_steps_select(suite: Suites) -> None:
    suite.add("a.mxs", 'tags smoke pumps\nstep "start"\nnote x\nstep "stop"\nnote y\n')
    suite.add("b.mxs", 'tags slow\nstep "start"\nnote x\n')
    suite.add("c.mxs", 'step "other"\nnote x\n')
    done = await suite(".", "--tag", "SMOKE")
    assert verdicts(done) == [("a.mxs", "passed")]
    assert "1 file, 2 without the tag" in done.out
    assert verdicts(await suite(".", "--tag", "pumps", "--tag", "slow")) == [("a.mxs", "passed"), ("b.mxs", "passed")]
    done = await suite(".", "--step", "ST?P", "--report-junit", "out.xml")
    assert verdicts(done) == [("a.mxs", "passed")]
    assert [(case.get("name"), case.findtext("skipped")) for case in suite.report().iter("testcase")] == [
        ("a.mxs:4 stop", None),
        ("a.mxs:2 start", "not selected by --step"),
    ]
    for arguments, why in ((("--tag", "none"), "no file in . has the tag none"), (("--step", "none"), "no step of")):
        refused = await suite(".", *arguments)
        assert (refused.code, why in refused.err) == (2, True), refused


async def test_names_come_from_a_file_and_the_command_line_wins(suite: Suites) -> None:
    suite.add("a.mxs", "let limit = 1\nexpect $tag < $limit\necho Pump$pump $on\n")
    names = f'tag = "{INT}"\nlimit = 5.5\npump = "01"\non = true\n'
    (suite.folder / "names.toml").write_text(names, encoding="utf-8")
    done = await suite("a.mxs", "--vars", "names.toml")
    assert (done.code, "Pump01 true" in done.out, "limit = 5.5 (--var)" in done.out) == (0, True, True), done
    done = await suite("a.mxs", "--vars", "names.toml", "--var", "limit=-1")
    assert (done.code, verdicts(done)) == (1, [("a.mxs", "failed")])
    for text, why in (
        ("[table]\na = 1\n", "names.toml:1: table must be"),
        ("a = 1\nb = \n", "names.toml:2:5: "),
        ('tag = "mxgw_demo_bm90LWEtc2VjcmV0"\n', "names.toml:1: tag looks like a key"),
        (names + "limt = 3\n", "--var limt: nothing in the suite is called $limt; did you mean limit?"),
    ):
        (suite.folder / "names.toml").write_text(text, encoding="utf-8")
        done = await suite("a.mxs", "--vars", "names.toml")
        assert (done.code, why in done.err) == (2, True), done


# What is checked before anything connects.


async def test_the_mistakes_of_all_files_are_told_before_anything_connects(suite: Suites) -> None:
    suite.add("a.mxs", "frob\n")
    suite.add("b.mxs", "note x\n")
    suite.add("c.mxs", "expect\n")
    done = await suite(".", "--report-junit", "out.xml", "--endpoint", "127.0.0.1:1")
    assert done.code == 2
    assert "a.mxs:1:1: no command frob" in done.err
    assert "c.mxs:1:" in done.err
    (error,) = suite.report().iter("error")
    assert error.get("message", "").startswith("a.mxs:1:1: no command frob")
    for arguments in (("nowhere",), ("b.mxs", "--vars", "nowhere")):
        (suite.folder / "out.xml").write_text("<testsuites/>", encoding="utf-8")
        assert (await suite(*arguments, "--report-junit", "out.xml")).code == 2
        (error,) = suite.report().iter("error")
        assert error.get("message", "").startswith("cannot read nowhere")


async def test_each_file_needs_consent_and_writes_only_what_it_declares(suite: Suites) -> None:
    suite.add("a.mxs", f"write {INT} 1\n", writes=INT)
    suite.add("b.mxs", f"write {DOUBLE} 1\n", writes=DOUBLE)
    done = await suite(".", "--arm", INT)
    assert (done.code, suite.written) == (5, [])
    assert f"nothing lets this run write {DOUBLE}" in done.err
    # The one armed for its own tag cannot write the other's, whatever else the suite is armed for.
    suite.add("b.mxs", f"alias set-it write {INT} 2\nset-it\n", writes=DOUBLE)
    done = await suite(".", "--arm", INT, "--arm", DOUBLE)
    assert (done.code, suite.written) == (5, [])
    suite.add("b.mxs", f"write {DOUBLE} 1\n", writes=DOUBLE)
    done = await suite(".", "--arm", INT, "--arm", DOUBLE)
    assert (done.code, suite.written) == (0, [1, 1.0])


# Several at a time.


async def test_files_run_at_the_same_time_where_their_writes_cannot_meet(suite: Suites) -> None:
    # Each waits for what the other one writes.
    suite.add("a.mxs", f"write {INT} 1\nwait {DOUBLE} = 1 now timeout 30s\n", writes=INT)
    suite.add("b.mxs", f"write {DOUBLE} 1\nwait {INT} = 1 now timeout 30s\n", writes=DOUBLE)
    done = await suite(".", "--jobs", "2")
    assert (done.code, verdicts(done).count(("a.mxs", "passed"))) == (0, 1), done
    # The output of each is one block.
    lines = [line.split()[1] for line in done.out.splitlines() if line[:4].strip().isdigit()]
    assert lines in (["write", "wait"] * 2, ["requires", "write", "wait"] * 2)


@pytest.mark.parametrize("jobs", ["1", "3"])
async def test_files_whose_writes_may_meet_never_run_at_the_same_time(suite: Suites, jobs: str) -> None:
    # If b ran beside a, the wait of a would see its write, and the file pass.
    suite.add("a.mxs", f"write {INT} 1\nwait {DOUBLE} = 2 timeout 2s\nfinally\nwrite {INT} 3\n", writes=f"{INT}")
    suite.add("b.mxs", f"write {DOUBLE} 2\n", writes="TestChildObject.*")
    done = await suite(".", "--jobs", jobs)
    assert (done.code, suite.written) == (1, [1, 3, 2])


async def test_a_file_that_connects_runs_alone(suite: Suites) -> None:
    suite.add("a.mxs", f"write {INT} 1\nwait {DOUBLE} = 2 timeout 2s\n", writes=INT)
    suite.add("b.mxs", f"connect {suite.gateway.endpoint} --plaintext\nwrite {DOUBLE} 2\n", writes=DOUBLE)
    done = await suite(".", "--jobs", "2", "--endpoint", suite.gateway.endpoint)
    assert (done.code, verdicts(done)) == (1, [("a.mxs", "failed"), ("b.mxs", "passed")])
    assert "b.mxs runs alone: line 2 of b.mxs is about another connection" in done.out
    assert suite.gateway.live_sessions == []


def test_claims_meet_where_one_tag_may_be_written_by_both() -> None:
    def claim(*globs: str, alone: str = "") -> WriteClaim:
        return WriteClaim([TagGlob(glob) for glob in globs], alone)

    assert claim("Plant.Tank1.*").meets(claim("*.Level"))
    assert claim("A.B", "Plant.Tank1.SP").meets(claim("C.D", "plant.tank?.sp"))
    assert not claim("Plant.Tank1.*").meets(claim("Plant.Tank2.*"))
    assert claim(alone="it connects").meets(claim())
    assert claim().meets(claim(alone="it connects"))
    assert not claim().meets(claim("Plant.*"))


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("A.B[]", "A.B[2]", True),
        ("A.B[1]", "A.B", True),
        ("A.*[1]", "A.B[]", True),
        ("ZB!A.Hi", "A.Hi", True),
        ("ZB!*", "A.Hi", True),
        ("A.B[1]", "A.C[1]", False),
    ],
)
def test_a_claim_to_an_element_is_one_to_its_array(tmp_path: Path, one: str, other: str, meets: bool) -> None:
    claims = []
    for glob in (one, other):
        path = tmp_path / "a.mxs"
        path.write_text(f'requires write "{glob}"\n', encoding="utf-8")
        claims.append(WriteClaim.of(loader.read(str(path))[0], offline(())))
    assert claims[0].meets(claims[1]) is meets


# Attempts.

FIRST_FAILS = f"expect {INT} = 5\nfinally\nwrite {INT} 5\n"


async def test_a_file_that_passes_at_the_second_attempt_is_named_flaky(suite: Suites) -> None:
    suite.add("a.mxs", FIRST_FAILS, writes=INT)
    suite.add("b.mxs", "note x\n")
    done = await suite(".", "--retries", "2", "--report-junit", "out.xml", "--records", "kept")
    assert (done.code, verdicts(done)) == (0, [("a.mxs", "flaky"), ("b.mxs", "passed")])
    assert f"a.mxs:2: expected {INT} = 5, is 0" in table(done)[0]
    found = suite.properties("a.mxs")
    assert (found["flaky"], found["attempts"]) == ("true", "2")
    assert (found["attempt 1"] or "").startswith("exit code 1: ")
    assert "flaky" not in suite.properties("b.mxs")
    ends = [
        json.loads((suite.folder / "kept" / name).read_text().splitlines()[-1]) for name in ("a.jsonl", "a.2.jsonl")
    ]
    assert [end["exit_code"] for end in ends] == [1, 0]
    assert found["record.sha256"] == ends[1]["sha256"]
    suite.gateway.set(INT, 0)
    assert (await suite(".")).code == 1


@pytest.mark.parametrize(("text", "code"), [('confirm "sure?"\n', 5), (f"write {INT} 1\n", 6)])
async def test_a_refusal_and_an_unknown_outcome_are_final(suite: Suites, text: str, code: int) -> None:
    suite.add("a.mxs", text, writes=INT)
    suite.gateway.faults.lose_next_reply("write")
    done = await suite("a.mxs", "--retries", "3", "--json")
    assert (done.code, ended(done)["files"][0]["attempts"]) == (code, 1)  # type: ignore[index]  # it is a list
    assert len(suite.written) == (code == 6)


async def test_what_is_wrong_with_one_file_takes_no_other_one(suite: Suites) -> None:
    suite.add("a.mxs", f"expect {INT} = 0\n")
    suite.add("b.mxs", f"expect {INT} = 0\n")
    # The first of these sessions shows that the gateway can be reached.
    suite.gateway.schedule("at OpenSession 2 refuse UNAVAILABLE")
    done = await suite(".", "--report-junit", "out.xml")
    assert verdicts(done)[1] == ("b.mxs", "passed")
    assert done.code not in (0, 70)
    (error,) = suite.report().iter("error")
    assert "open_session" in error.get("message", "")


# How it ends.


@POSIX
async def test_ctrl_c_lets_a_statement_end_and_once_more_ends_it(suite: Suites) -> None:
    # A line that is under way for as long as nothing interrupts it.
    suite.gateway.faults.stall("GetLastDeployTime")
    suite.add("a.mxs", f"write {INT} 1\ngalaxy\nwrite {INT} 2\nfinally\nwrite {INT} 3\n", writes=INT)
    suite.add("b.mxs", f"write {INT} 9\n", writes=INT)
    process = await suite.process.start("--plaintext", "test", ".")
    await until(lambda: any(call.rpc == "GetLastDeployTime" for call in suite.gateway.calls))
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    async with asyncio.timeout(40):
        first = await process.stderr.readline()
        assert first == b"interrupted: 1 file to end, with finally; no other is begun; once more ends it at once\n"
        process.send_signal(signal.SIGINT)
        assert b"what runs ends at once, with finally" in await process.stderr.readline()
        await process.communicate()
    assert (process.returncode, suite.written) == (130, [1, 3])
    assert suite.gateway.live_sessions == []


@POSIX
async def test_a_request_to_end_ends_what_runs_with_finally_and_begins_nothing_more(suite: Suites) -> None:
    suite.add("a.mxs", f'write {INT} 1\nstep "wait"\nwait {INT} = 5 timeout 60s\nfinally\nwrite {INT} 3\n', writes=INT)
    suite.add("b.mxs", f'step "never"\nwrite {INT} 9\n', writes=INT)
    process = await suite.process.start("--plaintext", "test", ".", "--retries", "1", "--report-junit", "out.xml")
    await until(lambda: suite.written == [1])
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    assert (process.returncode, suite.written) == (130, [1, 3])
    assert b"interrupted: 1 file to end, with finally; no other is begun" in err
    assert verdicts(Done(130, out.decode(), "")) == [("a.mxs", "interrupted"), ("b.mxs", "not")]
    skipped = {case.get("name"): case.findtext("skipped") for case in suite.report().iter("testcase")}
    assert skipped["b.mxs:2 never"] == "not run: interrupted"
    assert suite.gateway.live_sessions == []


async def test_a_reader_that_goes_away_ends_the_suite(suite: Suites) -> None:
    # More than may wait for a reader before the next file waits, too.
    suite.add("a.mxs", f"note {'x' * 3_000}\n" * 400)
    suite.add("b.mxs", f"write {INT} 1\nfinally\nnote x\n", writes=INT)
    process = await suite.process.start("--plaintext", "test", ".")
    assert process.stdout is not None
    await process.stdout.readline()
    process.stdout._transport.close()  # type: ignore[attr-defined]  # as head does
    async with asyncio.timeout(40):
        assert await process.wait() == 1
    assert suite.written == []


async def test_json_has_the_record_of_each_file_and_a_line_for_all(suite: Suites) -> None:
    suite.add("a.mxs", 'step "one"\nnote x\n')
    suite.add("b.mxs", f"expect {INT} = 1\n")
    done = await suite(".", "--json", "--shuffle", "3")
    begins = [each for each in done.entries if each["command"] == "run-begin"]
    assert ([each["seed"] for each in begins], done.code) == ([3, 3], 1)
    assert sorted(each["files"][0]["name"] for each in begins) == ["a.mxs", "b.mxs"]
    assert [each["command"] for each in done.entries].count("run-end") == 2
    files = ended(done)["files"]
    assert isinstance(files, list)
    (failed,) = (each for each in files if each["file"] == "b.mxs")
    assert (failed["verdict"], failed["exit_code"], failed["steps"]) == ("failed", 1, 0)
    quiet = await suite(".", "-q")
    assert (quiet.code, quiet.out) == (1, "")
    assert [line.split()[:2] for line in quiet.err.splitlines()[-1:]] == [["b.mxs", "failed"]]


@POSIX
async def test_a_terminal_shows_what_runs_on_one_line(suite: Suites) -> None:
    suite.add("a.mxs", "note x\n")
    suite.add("b.mxs", f"wait {INT} = 5 timeout 60s\n")
    async with at_a_terminal(suite.process.on(suite.gateway), suite.gateway, "--plaintext", "test", ".") as terminal:
        await terminal.shows("=== a.mxs", "1 of 2 done", "running: b.mxs")
        suite.gateway.set(INT, 5)
        await terminal.shows("2 files: 2 passed")
        assert "running:" not in terminal.text
        assert await terminal.ended() == 0


async def test_a_time_limit_ends_a_file_with_finally_and_the_next_one_runs(suite: Suites) -> None:
    suite.add("a.mxs", f"wait {INT} = 5 timeout 60s\nfinally\nwrite {INT} 1\n", writes=INT)
    suite.add("b.mxs", f"time-limit 10m\nwait {INT} = 1 now timeout 30s\n")
    done = await suite(".", "--time-limit", "500ms")
    assert (done.code, verdicts(done), suite.written) == (1, [("a.mxs", "failed"), ("b.mxs", "passed")], [1])
    assert "the time limit of 0.5s is over" in table(done)[0]
    assert (await suite(".", "--time-limit", "soon")).code == 2


async def test_a_report_has_all_files_and_replaces_an_earlier_one(suite: Suites) -> None:
    suite.add("a.mxs", 'step "one" req URS-1\nnote x\n')
    suite.add("b.mxs", f'step "two"\nexpect {INT} = 1\n')
    for arguments in ((), ("--records", "kept", "--about", "site=Basel")):
        done = await suite(".", "--report", "out.md", *arguments)
        text = (suite.folder / "out.md").read_text(encoding="utf-8")
        assert done.code == 1, done
        assert f'b.mxs:2, "two": expected {INT} = 1' in table(done)[1]
        assert "a.mxs" in text
        assert "b.mxs" in text
        assert "URS-1" in text
    assert "Basel" in (suite.folder / "kept" / "a.jsonl").read_text(encoding="utf-8")
    suite.add("b.mxs", "frob\n")
    assert (await suite(".", "--about", "site=Basel")).code == 2


async def test_the_limits_of_the_command_line_hold_in_each_file(suite: Suites) -> None:
    (suite.folder / "limits.toml").write_text(
        f'unlisted = "allow"\n[tags."{INT}"]\nwritable = true\nmax = 5\n', encoding="utf-8"
    )
    suite.add("a.mxs", f"write {INT} 5\n", writes=INT)
    suite.add("b.mxs", f"write {INT} 6\n", writes=INT)
    done = await suite(".", "--limits", "limits.toml")
    assert (done.code, suite.written) == (5, [5])
    assert verdicts(done) == [("a.mxs", "passed"), ("b.mxs", "blocked")]


async def test_options_that_exclude_each_other_are_refused(suite: Suites) -> None:
    suite.add("a.mxs", "note x\n")
    for before, after, why in (
        (("--read-only",), ("--arm", INT), "--read-only and --arm exclude each other"),
        (("--record", "x.jsonl"), (), "--records FOLDER keeps one of each file"),
        ((), ("--about", "site=x"), "--about is for records"),
        ((), ("--report", "out.pdf"), "a file that ends in .html"),
        ((), ("--report-junit", "a.mxs"), "a.mxs is the file to run"),
        ((), ("--jobs", "0"), "--jobs"),
    ):
        done = await suite.process("--plaintext", *before, "test", "a.mxs", *after)
        assert (done.code, why in done.err) == (2, True), done
    assert (suite.folder / "a.mxs").read_text(encoding="utf-8") == "note x\n"


async def test_step_selects_in_a_single_run_too(suite: Suites) -> None:
    text = f'let part = two\nstep "one"\nwrite {INT} 1\nstep "the $part"\nwrite {INT} 2\nfinally\nwrite {INT} 3\n'
    suite.add("a.mxs", text, writes=INT)
    done = await suite.process("--plaintext", "-c", "a.mxs", "--step", "THE T*")
    assert (done.code, suite.written) == (0, [2, 3])
    assert "1 of 1 steps passed; 1 not selected" in done.out
    # Its title is known in the run only.
    done = await suite.process("--plaintext", "-c", "a.mxs", "--step", "the other", "--report-junit", "out.xml")
    assert (done.code, suite.written) == (2, [2, 3, 3])
    assert "no step has such a title, so nothing was tried" in done.err
    (error,) = suite.report().iter("error")
    assert "nothing was tried" in (error.text or "")
    suite.add("b.mxs", 'step "one"\nnote x\n')
    done = await suite.process("--plaintext", "-c", "b.mxs", "--step", "two")
    assert (done.code, "no step of b.mxs has such a title" in done.err) == (2, True)


@POSIX
async def test_a_file_that_is_still_connecting_ends_at_a_request_to_end(suite: Suites) -> None:
    suite.add("a.mxs", f'step "one"\nwrite {INT} 1\n', writes=INT)
    # The second session is that of the file.
    suite.gateway.schedule("at OpenSession 2 stall")
    process = await suite.process.start("--plaintext", "test", ".", "--report-junit", "out.xml")
    await until(lambda: [call.rpc for call in suite.gateway.calls].count("OpenSession") == 2)
    process.terminate()
    await until(lambda: process.returncode is not None or suite.gateway.faults.release("OpenSession"))
    out, _ = await process.communicate()
    assert (process.returncode, suite.written) == (130, [])
    assert verdicts(Done(130, out.decode(), "")) == [("a.mxs", "interrupted")]
    assert {case.get("name"): case.findtext("skipped") for case in suite.report().iter("testcase")} == {
        "the whole run": None,
        "a.mxs:2 one": "not reached: interrupted",
    }


async def test_a_tag_of_a_file_is_one_word_at_its_head(suite: Suites) -> None:
    suite.add("a.mxs", 'tags smoke "two words"\nnote x\n')
    done = await suite("a.mxs")
    assert (done.code, "a tag of a file consists of letters" in done.err) == (2, True)
    suite.add("a.mxs", "note x\ntags smoke\n")
    done = await suite("a.mxs")
    assert (done.code, "tags belongs before the other lines of its file" in done.err) == (2, True)


async def test_records_of_files_with_the_same_name_have_names_of_their_own(suite: Suites) -> None:
    for name in ("x/a.mxs", "y/x/a.mxs"):
        suite.add(name, "note x\n")
    (suite.folder / "y" / "here").mkdir()
    suite.process.folder = suite.folder / "y" / "here"
    done = await suite("../../x/a.mxs", "../x/a.mxs", "--records", "kept")
    assert done.code == 0, done
    assert sorted(path.name for path in (suite.process.folder / "kept" / "x").iterdir()) == ["a-2.jsonl", "a.jsonl"]


async def test_a_second_attempt_leaves_the_record_of_a_file_with_its_name(suite: Suites) -> None:
    suite.add("a.2.mxs", "note second\n")
    suite.add("a.mxs", FIRST_FAILS, writes=INT)
    done = await suite("a.2.mxs", "a.mxs", "--records", "kept", "--retries", "1")
    assert verdicts(done) == [("a.2.mxs", "passed"), ("a.mxs", "flaky")]
    kept = {path.name: path.read_text(encoding="utf-8") for path in (suite.folder / "kept").iterdir()}
    assert sorted(kept) == ["a-2.2.jsonl", "a-2.jsonl", "a.2.jsonl"]
    assert "note second" in kept["a.2.jsonl"]


async def test_a_file_that_is_well_but_for_its_end_does_not_pass_in_the_report(suite: Suites) -> None:
    suite.add("a.mxs", f'step "timed"\nwrite {INT} 1 --for 1h\n', writes=INT)
    suite.add("b.mxs", 'step "one"\nstatus\n')
    # The second write puts back; the first session is that of the suite, the third one that of the second file.
    suite.gateway.schedule("at Write 2 refuse PERMISSION_DENIED")
    suite.gateway.schedule("at CloseSession 3 refuse UNAVAILABLE")
    done = await suite(".", "--report-junit", "out.xml", "--records", "kept")
    assert (done.code, suite.written) == (6, [1]), done
    assert f"not put back: {INT}" in table(done)[0]
    assert "close_session" in table(done)[1]
    errors = [error.get("message", "") for error in suite.report().iter("error")]
    assert errors[0] == f"not put back: {INT}"
    assert errors[1].startswith("close_session")
    end = json.loads((suite.folder / "kept" / "a.jsonl").read_text().splitlines()[-1])
    assert (end["exit_code"], end["broken_off"]) == (6, f"not put back: {INT}")


# The examples.


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_the_examples_pass_as_one_suite_wherever_the_plant_is(suite: Suites) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    given, command = (line.split() for line in block.splitlines())
    suite.process.environment |= dict(each.split("=") for each in given[1:])
    assert command[:4] == ["mxgw-shell", "--demo", "test", "examples"]
    # Not on the demo: there every valve would be where the tests expect it.
    armed = ("--arm", "Plant.*", "--arm", "TestChildObject.*")
    lines = ("Tank1.Inlet.Position 55", "Tank1.Outlet.Position 45", "Tank2.Outlet.Position 60", "Pump2.Stop true")
    moved = [word for line in lines for word in ("-e", f"write Plant.{line}")]
    assert (await suite.process("--plaintext", *armed, *moved)).code == 0
    process = await suite.process.start("--plaintext", "test", str(EXAMPLES), *command[4:], *armed)
    out, err = await process.communicate()
    done = Done(process.returncode or 0, out.decode(), err.decode())
    assert done.code == 0, done
    assert {verdict for _, verdict in verdicts(done)} == {"passed"}
    assert len(verdicts(done)) == 6
