"""A shell that is killed (kill -9) at each stage of a guarded, timed write: the next start has the truth of it.

Nothing in the shell is made to stop: what it waits for stops it. The journal's lock is held, the gateway holds a call
or a completion, another write to the item is unanswered, or the time is not over.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from shell_process import Runs
from shell_waiting import until

from zb_mom_ww_mxgateway.system.file_locks import locked
from zb_mom_ww_mxgateway_sim import SimulatedGateway

TAG, GUARD_TAG = "TestChildObject.TestInt", "TestChildObject.TestBool"
FIRST, OURS = 41, 45
LIMITS = f"""
unlisted = "refuse"
[tags."{TAG}"]
writable = true
min = 0
max = 100
guards = ["{GUARD_TAG} == true"]
"""


@dataclass
class Killed:
    """A run that is about to be killed, and the files that it leaves."""

    run: Runs
    gateway: SimulatedGateway
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def records(self) -> Path:
        return self.run.folder / "records" / "state"

    @property
    def reverts(self) -> list[dict[str, Any]]:
        """The reverts on disk."""
        return [json.loads(path.read_bytes()) for path in sorted((self.records / "reverts").glob("*.json"))]

    @property
    def lines(self) -> list[str]:
        """The kinds of the journal's lines so far."""
        paths = sorted((self.records / "journal" / "plant").glob("*.jsonl"))
        whole = (line for path in paths for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
        return [json.loads(line)["kind"] for line in whole]

    def hold_journal(self) -> None:
        """Hold the lock of the journal, as another program that writes to it does."""
        folder = self.records / "journal" / "plant"
        folder.mkdir(parents=True, mode=0o700)
        self.held.enter_context(locked(folder / "journal.lock", 0))

    async def asked(self, *lines: str) -> tuple[list[Any], str]:
        """The results of lines of a shell that is started now, and what it said besides."""
        done = await self.run.process("--plaintext", "--json", *(word for line in lines for word in ("-e", line)))
        assert done.code == 0, done.err
        return [each["result"] for each in done.objects], done.err


@pytest.fixture
async def killed(tmp_path: Path) -> AsyncIterator[Killed]:
    (tmp_path / "limits.toml").write_text(LIMITS, encoding="utf-8")
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        gateway.set(TAG, FIRST)
        gateway.set(GUARD_TAG, True)
        made = Killed(Runs(tmp_path, gateway), gateway)
        with made.held:
            yield made


Reached = Callable[[Killed], object]


@dataclass(frozen=True)
class Stage:
    """One stage of the write, and the truth of it."""

    name: str
    prepare: Callable[[Killed], object]
    """Makes the shell wait there."""
    is_reached: Callable[[Killed], object]
    results: tuple[tuple[int, str], ...]
    """What the journal tells of each action: the value and its result."""
    seconds: str = "10m"
    lines: tuple[str, ...] = ()
    """Lines of a Python file that runs in place of the one line."""


WRITE = f"write {TAG} {OURS} --for "
STAGES = [
    Stage(
        "before the line of the intent",
        Killed.hold_journal,
        lambda killed: killed.reverts,
        (),
    ),
    Stage(
        "before it is sent",
        lambda killed: killed.gateway.faults.stall("write"),
        lambda killed: killed.lines.count("intent") == 2,
        ((44, "unknown"), (OURS, "unknown")),
        lines=(
            # Writes to one item take turns: the second one has its line, and waits.
            "import asyncio",
            f"first = asyncio.ensure_future(mx('write {TAG} 44'))",
            "await asyncio.sleep(0)",
            f"await asyncio.gather(first, mx('{WRITE}10m'))",
        ),
    ),
    Stage(
        "before the answer",
        lambda killed: killed.gateway.faults.stall("write"),
        lambda killed: killed.gateway.mutating_calls,
        ((OURS, "unknown"),),
    ),
    Stage(
        "before the completion",
        lambda killed: killed.gateway.faults.hold_write_completes(),
        lambda killed: killed.gateway.writes and "answer" in killed.lines,
        ((OURS, "accepted"),),
    ),
    Stage(
        "while its time runs",
        lambda killed: None,
        lambda killed: "outcome" in killed.lines and killed.reverts[0]["stage"] == "pending",
        ((OURS, "completed"),),
    ),
    Stage(
        "while it is put back",
        lambda killed: None,
        lambda killed: killed.gateway.mutating_calls == 2,
        ((OURS, "completed"), (FIRST, "unknown")),
        seconds="500ms",
    ),
]


async def kill_at(stage: Stage, killed: Killed) -> None:
    """Start the shell, and kill it as soon as it is at that stage."""
    stage.prepare(killed)
    consent = ("--plaintext", "--limits", "limits.toml", "--arm", TAG)
    if stage.lines:
        killed.run.file("\n".join(stage.lines) + "\n", "writes.py")
        process = await killed.run.process.start(*consent, "--python", "writes.py")
    else:
        process = await killed.run.process.start(*consent, "-e", f"{WRITE}{stage.seconds}", "-e", "sleep 10m")
    try:
        if stage.name == "while it is put back":
            await until(lambda: killed.gateway.writes)
            killed.gateway.faults.stall("write")
        await until(lambda: process.returncode is not None or stage.is_reached(killed))
        assert process.returncode is None
    finally:
        process.kill()
        await process.communicate()
    killed.held.close()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
async def test_the_next_start_tells_the_truth_and_offers_the_revert(stage: Stage, killed: Killed) -> None:
    gateway = killed.gateway
    await kill_at(stage, killed)
    sent = gateway.mutating_calls
    gateway.faults.calm()
    (actions, verdict, changed), said = await killed.asked("journal", "journal verify", "changes")
    # The journal never says more than is known.
    assert sorted((each["new"], each["result"]) for each in actions) == sorted(stage.results)
    for each in actions:
        assert (each["tag"], each["old"] in (FIRST, OURS), each["user"] != "") == (TAG, True, True)
        assert bool(each["why"]) is (each["result"] == "unknown")
    assert (verdict["verdict"], verdict["wrong"], verdict["torn"]) == ("complete", None, None)
    assert sent <= len(actions)
    # The revert is offered, and nothing is put back without a person.
    (row,) = (each for each in changed if each["left_behind"])
    assert (row["tag"], row["before"]) == (TAG, FIRST)
    assert f"revert {TAG} puts it back, keep {TAG} leaves it" in said
    assert gateway.mutating_calls == sent


async def test_what_was_decided_goes_by_is_in_the_line_of_the_intent(killed: Killed) -> None:
    await kill_at(STAGES[2], killed)
    (actions,), _ = await killed.asked("journal")
    (action,) = actions
    assert (action["old"], action["new"], action["quality"]) == (FIRST, OURS, 192)
    assert "max: 45 is at most 100" in json.dumps(action["rules"])
    assert f"{GUARD_TAG} is true" in json.dumps(action["guards"])


async def test_a_line_that_the_end_cut_off_is_told_from_an_alteration(killed: Killed) -> None:
    await kill_at(STAGES[4], killed)
    (path,) = (killed.records / "journal" / "plant").glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:40])
    (verdict,), _ = await killed.asked("journal verify")
    assert (verdict["verdict"], verdict["wrong"]) == ("complete", None)
    assert verdict["torn"]
    # The next line names it, and the chain goes on.
    (_, verdict), _ = await killed.asked(f"write {TAG} {OURS}", "journal verify")
    assert (verdict["verdict"], verdict["wrong"], verdict["torn"]) == ("complete", None, None)
