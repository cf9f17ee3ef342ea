"""``write … --refused``: the plant's refusal passes, and nothing else does. Each by process."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import Runs, ShellProcess
from shell_terminal import shell

from zb_mom_ww_mxgateway_sim import GalaxyUser, GatewayKey, SimulatedGateway

INT, LEVEL = "TestChildObject.TestInt", "Plant.Tank1.Level"
SECURED, VERIFIED = "Plant.Interlock.Bypass", "Plant.Interlock.Reset"
STATUS = "SECURITY_ERROR, detected by RESPONDING_AUTOMATION_OBJECT, detail 33"
READ_ONLY = f"read-only (ViewOnly); {STATUS}"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    users = [GalaxyUser("bob", "bob-s3cret")]
    async with SimulatedGateway(plaintext=True, write_complete_delay=0.05, users=users) as gateway:
        yield Runs(tmp_path, gateway)


@pytest.mark.parametrize("status", ["", " SECURITY_ERROR", " security-error", " 33", " 33 --reason why"])
async def test_a_refusal_that_comes_with_the_completion_passes(run: Runs, status: str) -> None:
    done = await run(f"write {LEVEL} 5 --refused{status}\n", "--json")
    assert done.code == 0, done.err
    (line,) = done.objects
    assert line["ok"]
    result = line["result"]
    assert (result["outcome"], result["result"], result["refused_by"]) == ("refused", "refused_there", "MXAccess")
    assert result["statuses"][0]["detail"] == 33
    assert run.written == []


async def test_a_refusal_says_first_what_it_means_and_nothing_points_at_the_value_that_was_not_taken(
    tmp_path: Path,
) -> None:
    async with shell(tmp_path, columns=200) as sh:
        screen = sh.terminal
        shown = await screen.enter(
            f"write {LEVEL} 5", f"\n{LEVEL}   REFUSED: read-only (ViewOnly)   5.0", f"{STATUS} (the attribute cannot"
        )
        line = next(each for each in shown.split("\n") if "REFUSED" in each)
        told = re.search(r" (5\.0+)(?: %)? not taken, was \d+\.(\d+)   SECURITY_ERROR", line)
        assert told, line
        # It has the decimals of the tag, where a value of it was seen before.
        assert told[1] in ("5.0", f"5.{'0' * len(told[2])}")
        assert "→" not in line
        assert re.search(r"; accepted \d+ ms$", line)
        await screen.enter("last-error", f"write of {LEVEL}: REFUSED: read-only (ViewOnly); {STATUS}")
        await screen.enter(
            f"write {INT} double:1e300",
            "REFUSED: the value is out of the attribute's range   1e+300 not taken, was 0   ",
        )
        result = sh.context.last_result
        assert result is not None
        assert result.form()["refused_because"] == "the value is out of the attribute's range"
        await screen.enter(f"write {INT} 5", f"{INT}   0 → 5   accepted ")


async def test_the_text_tells_the_status_and_by_whom(run: Runs) -> None:
    done = await run(f"write {LEVEL} 5 --refused\n")
    assert done.code == 0
    assert f"as expected refused by MXAccess: {READ_ONLY}" in done.out


async def test_another_refusal_than_the_named_one_fails_and_both_are_named(run: Runs) -> None:
    done = await run(f"write {LEVEL} 5 --refused 56\n", "--report-junit", "out.xml")
    assert done.code == 1
    assert "to be refused with detail 56, and it was refused by MXAccess: " + READ_ONLY in done.err
    report = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert "<failure" in report
    assert "detail 56" in report


async def test_a_write_that_is_carried_out_fails_is_told_and_counts_as_changed(run: Runs) -> None:
    done = await run(f"on-error continue\nwrite {INT} 7 --refused\nchanges\nundo\n", "--json", "--leave-clean")
    assert done.code == 1
    _, write, changes, undo = done.objects
    assert write["error"]["exit_code"] == 1
    assert "it was WRITTEN: 0 → 7" in write["error"]["message"]
    assert write["error"]["write"]["result"] == "completed"
    assert [each["tag"] for each in changes["result"]] == [INT]
    assert undo["ok"]
    assert run.written == [7, 0]
    left = await run(f"write {INT} 8 --refused\n", "--leave-clean")
    assert left.code == 7
    assert f"left changed: {INT}" in left.err


async def test_what_this_program_refuses_is_not_it(run: Runs) -> None:
    (run.folder / "limits.toml").write_text('[tags."Plant.Tank1.*"]\nmax = 4\n', encoding="utf-8")
    done = await run(f"write {LEVEL} 5 --refused\n", "--limits", "limits.toml")
    assert done.code == 5, done.err
    assert run.gateway.mutating_calls == 0
    done = await run.process("--plaintext", "--read-only", "-e", f"write {LEVEL} 5 --refused")
    assert done.code == 5
    assert run.gateway.mutating_calls == 0


async def test_an_unknown_outcome_stays_unknown(run: Runs) -> None:
    run.gateway.faults.lose_next_reply("write")
    done = await run(f"write {INT} 5 --refused\n")
    assert done.code == 6
    assert "UNKNOWN" in done.out + done.err


async def test_a_tag_that_needs_a_signature_is_sent_without_one(run: Runs) -> None:
    run.process.environment["BOB"] = "bob-s3cret"
    done = await run(
        f"write {SECURED} true --refused 56\nwrite {VERIFIED} true --refused 57\n"
        f"login bob --password-env BOB\nwrite {VERIFIED} true --refused 57\n"
    )
    assert done.code == 0, done.err
    assert run.written == []
    assert "signed by bob" in done.out
    done = await run(f"login bob --password-env BOB\nwrite {SECURED} true --refused\n")
    assert done.code == 1
    assert "WRITTEN" in done.err
    done = await run(f"write {SECURED} true\n")
    assert (done.code, "a user has to sign" in done.err or "nobody is logged in" in done.err) == (5, True)


async def test_the_scopes_of_the_key_refuse_too(tmp_path: Path) -> None:
    scopes = frozenset({"session:open", "session:close", "invoke:read", "events:read", "metadata:read"})
    key = GatewayKey("reader", "s3cret", scopes=scopes)
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        run = Runs(tmp_path, gateway)
        run.file(f"tag,value\n{INT},5\n", "rows.csv")
        done = await run(
            f"write {INT} 5 --refused\nwrite {INT} 5 --refused permission-denied\nwrite-many rows.csv --refused\n"
        )
        assert done.code == 0, done.err
        assert done.out.count("as expected refused by the gateway: ") == 2
        assert gateway.writes == ()
        done = await run(f"write {INT} 5 --refused SECURITY_ERROR\n")
        assert done.code == 1
        assert "with SECURITY_ERROR, and it was refused by the gateway: " in done.err
        assert (await run(f"write {INT} 5\n")).code == 3


async def test_every_row_of_a_file_and_an_array_by_its_elements(run: Runs) -> None:
    run.file(f"tag,value\n{LEVEL},5\nPlant.Tank2.Level,5\n", "rows.csv")
    run.file(f"tag,value\n{LEVEL},5\n{INT},5\n", "mixed.csv")
    done = await run("write-many rows.csv --refused SECURITY_ERROR\n")
    assert done.code == 0, done.err
    done = await run("write-many mixed.csv --refused\n")
    assert done.code == 1
    assert f"write of {INT} to be refused by the plant, and it was WRITTEN" in done.err
    assert run.written == [5]
    done = await run("write-elements TestChildObject.TestIntArray 10 0=5 --refused\n", "--yes")
    assert (done.code, "WRITTEN" in done.err) == (1, True)


async def test_a_plan_lint_and_the_journal_know_it(run: Runs) -> None:
    run.file(f"write {LEVEL} 5 --refused\nwrite {SECURED} true --refused 56\nexpect {INT} = 0\n")
    assert (await run.process("lint", "try.mxs")).code == 0
    plan = await run.process("plan", "try.mxs", "--plaintext")
    assert (plan.code, run.gateway.mutating_calls) == (0, 0)
    assert "and expects that the plant refuses it" in plan.out
    assert (await run.process("--plaintext", "-c", "try.mxs")).code == 0
    journal = await run.process("-e", "journal", "--json")
    assert [each["tag"] for line in journal.objects for each in line["result"]] == [LEVEL, SECURED]
    run.file(f"write {LEVEL} 5 --refused\n", declares=False)
    assert (await run.process("lint", "try.mxs")).code == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"write {INT} 5 --refused NONSENSE", "a status is expected behind --refused: one of COMMUNICATION_ERROR"),
        (f"write {INT} 5 --refused --verify", "--refused expects that nothing is written: leave out --verify"),
        (f"write {INT} 5 --refused --for 5s # meant", "leave out --for"),
    ],
)
async def test_what_cannot_be_meant_is_a_mistake(tmp_path: Path, line: str, why: str) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "try.mxs").write_text(f"requires write {INT}\n{line}\n", encoding="utf-8")
    done = await run("lint", "try.mxs")
    assert (done.code, why in done.out) == (2, True), done.out


async def test_a_recorded_script_has_it(run: Runs) -> None:
    done = await run.process(
        "--plaintext",
        "-e",
        "record-script out.mxs",
        "-e",
        f"write {LEVEL} 5 --refused --reason x",
        "-e",
        f"write {LEVEL} 5 --refused security-error",
    )
    assert done.code == 0, done.err
    lines = (run.folder / "out.mxs").read_text(encoding="utf-8").splitlines()
    assert f"write {LEVEL} 5 --refused --reason x" in lines
    assert f"write {LEVEL} 5 --refused security-error" in lines
    replayed = await run.process("--plaintext", "-c", "out.mxs")
    assert replayed.code == 0, replayed.err


async def test_the_line_is_json_for_each_row(run: Runs) -> None:
    run.file(f"tag,value\n{LEVEL},5\n", "rows.csv")
    done = await run("write-many rows.csv --refused\n", "--json")
    (row,) = done.objects[0]["result"]
    assert row["result"] == "refused_there"
