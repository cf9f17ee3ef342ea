"""From a run to its evidence: what a run writes as its record is what the report and the verification read."""

import hashlib
import json
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


async def test_writes_that_were_taken_out_of_a_record_are_found_in_the_journal(tmp_path: Path) -> None:
    """Whoever takes out every trace of the writes, and makes another digest, has not changed the journal."""
    (tmp_path / "run.mxs").write_text(RUN, encoding="utf-8")
    process = ShellProcess(tmp_path)
    assert (await process("--demo", "-c", "run.mxs", "--record", "run.jsonl")).code == 0
    entries = [json.loads(line) for line in (tmp_path / "run.jsonl").read_bytes().splitlines()]
    left = [each for each in entries[:-1] if each["command"] not in ("write", "journal")]
    end = {**entries[-1], "journal": []}
    (tmp_path / "run.jsonl").write_bytes(ended(left, end))
    verified = await process("report", "verify", "run.jsonl", "--json")
    holds = {each["check"]: each["holds"] for each in json.loads(verified.out)["checks"]}
    assert holds == {"digest": True, "contents": True, "journal": False, "seal": None}
    assert verified.out.count("(action TestChildObject.TestInt) is not in the record") == 2

    # A run that was killed has come to no line of its journal.
    (tmp_path / "run.jsonl").write_bytes(b"".join(map(lined, left)))
    verified = await process("report", "verify", "run.jsonl")
    assert "DIFFERS: no run-end" in verified.out
    assert verified.out.count("(action TestChildObject.TestInt) is not in the record") == 2


def lined(entry: dict[str, object]) -> bytes:
    return f"{json.dumps(entry, sort_keys=True)}\n".encode()


def ended(entries: list[dict[str, object]], end: dict[str, object]) -> bytes:
    """A record of these lines, with the digest and the number that belong to them."""
    before = b"".join(map(lined, entries))
    return before + lined({**end, "entries": len(entries) + 1, "sha256": hashlib.sha256(before).hexdigest()})
