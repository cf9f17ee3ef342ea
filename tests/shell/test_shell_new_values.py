"""What a wait counts as new, in every front end: what came since the first write after the last check, by no clock."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from shell_process import Done, Runs

from zb_mom_ww_mxgateway_sim import SimulatedGateway, SystemClock

INT, FLOAT, BOOL = (f"TestChildObject.Test{name}" for name in ("Int", "Float", "Bool"))


class _OfThePlant(SystemClock):
    """A clock that is an hour ahead of ours."""

    def now(self) -> int:
        return super().now() + 3_600_000_000_000


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0, clock=_OfThePlant()) as gateway:
        yield gateway


async def _in_front_end(front_end: str, folder: Path, gateway: SimulatedGateway, lines: Sequence[str]) -> Done:
    runs = Runs(folder, gateway)
    match front_end:
        case "file":
            return await runs("".join(f"{line}\n" for line in lines))
        case "-e":
            return await runs.process("--plaintext", *(word for line in lines for word in ("-e", line)))
        case "standard input":
            return await runs.process("--plaintext", stdin="".join(f"{line}\n" for line in lines))
        case "mx":
            text = "".join(f"await mx({line!r})\n" for line in lines)
        case _:
            text = "".join(f"{_by_the_library(line)}\n" for line in lines)
    return await Runs(folder, gateway, "--python", "try.py")(text)


def _by_the_library(line: str) -> str:
    """The same line with the live session alone."""
    command, tag, *rest = line.split()
    if command == "wait":
        timeout = 0.3 if "300ms" in line else 20
        new = "" if "now" in rest else ", new=True"
        return f"await live.wait_for({tag!r}, lambda value: value == {rest[1]}, timeout={timeout}{new})"
    if command == "expect":
        return f"(found,) = await live.read([{tag!r}])\nassert found.value == {rest[1]}\nlive.checked()"
    return f"assert (await live.write({tag!r}, {rest[0].capitalize()})).outcome.value == 'completed'"


CASES: tuple[tuple[tuple[str, ...], bool], ...] = (
    # It counts from the first write, not from the last one.
    ((f"write {INT} 5", f"write {BOOL} true", f"wait {INT} = 5 timeout 20s"), True),
    # A check begins anew: what was seen before it does not count once more.
    (
        (
            f"write {INT} 5",
            f"write {INT} 6",
            f"expect {INT} = 6",
            f"write {BOOL} true",
            f"wait {INT} = 5 timeout 300ms",
        ),
        False,
    ),
    # A value that came since, and is over.
    ((f"write {INT} 5", f"write {INT} 6", f"wait {INT} = 5 timeout 20s"), True),
    # Waits one after another go on from the same write.
    (
        (f"write {INT} 5", f"write {FLOAT} 1.5", f"wait {INT} = 5 timeout 20s", f"wait {FLOAT} = 1.5 timeout 20s"),
        True,
    ),
    ((f"write {INT} 5", f"write {INT} 6", f"wait {INT} = 6 timeout 20s", f"wait {INT} = 5 timeout 300ms"), False),
    # The value was there before.
    ((f"write {INT} 5", f"expect {INT} = 5", f"write {BOOL} true", f"wait {INT} = 5 timeout 300ms"), False),
    ((f"write {INT} 5", f"expect {INT} = 5", f"write {BOOL} true", f"wait {INT} = 5 now timeout 20s"), True),
)


@pytest.mark.parametrize(
    ("front_end", "lines", "passes"),
    [
        *((front_end, *case) for front_end in ("file", "library") for case in CASES),
        # They run the lines of a file: two cases show that they keep the write and the check in mind.
        *((front_end, *case) for front_end in ("-e", "standard input", "mx") for case in CASES[:2]),
    ],
)
async def test_what_is_new(
    tmp_path: Path, gateway: SimulatedGateway, front_end: str, lines: Sequence[str], passes: bool
) -> None:
    done = await _in_front_end(front_end, tmp_path, gateway, lines)
    not_met = 3 if front_end == "library" else 1
    assert done.code == (0 if passes else not_met), done


@pytest.mark.parametrize("front_end", ["file", "-e", "standard input", "mx"])
async def test_the_message_names_now_where_the_value_was_there_before(
    tmp_path: Path, gateway: SimulatedGateway, front_end: str
) -> None:
    lines = (f"expect {INT} = 0", f"write {BOOL} true", f"wait {INT} = 0 timeout 300ms")
    done = await _in_front_end(front_end, tmp_path, gateway, lines)
    assert done.code == 1
    assert "'now' lets it count" in done.err


async def test_a_pulse_tells_when_it_came_and_what_is_now(tmp_path: Path, gateway: SimulatedGateway) -> None:
    done = await Runs(tmp_path, gateway)(f"write {INT} 5\nwrite {INT} 6\nwait {INT} = 5 timeout 20s\n", "--json")
    result = done.objects[-1]["result"]
    assert (result["actual"]["value"], result["now"]["value"]) == (5, 6)
    assert result["after_write_seconds"] >= 0


async def test_a_hold_does_not_take_a_pulse_and_a_pulse_may_be_too_early(
    tmp_path: Path, gateway: SimulatedGateway
) -> None:
    writes = f"write {INT} 5\nwrite {INT} 6\n"
    done = await Runs(tmp_path, gateway)(f"{writes}wait {INT} = 5 hold 50ms timeout 300ms\n")
    assert done.code == 1
    done = await Runs(tmp_path, gateway)(f"{writes}wait {INT} = 5 timeout 2h not before 1h\n")
    assert done.code == 1
    assert "too early: " in done.err
