"""From a run to its evidence: what a run writes as its record is what the report and the verification read."""

from pathlib import Path

from shell_process import ShellProcess

RUN = """\
requires write TestChildObject.TestInt
step "one"
write TestChildObject.TestInt 5
expect TestChildObject.TestInt = 5
finally
write TestChildObject.TestInt 0
expect TestChildObject.TestInt = 0
"""


async def test_the_record_of_a_run_with_a_finally_part_is_verified(tmp_path: Path) -> None:
    (tmp_path / "run.mxs").write_text(RUN, encoding="utf-8")
    process = ShellProcess(tmp_path)
    assert (await process("--demo", "-c", "run.mxs", "--record", "run.jsonl")).code == 0
    verified = await process("report", "verify", "run.jsonl")
    assert "exit code 0, 1 step passed" in verified.out
    assert verified.code == 0, verified.out
