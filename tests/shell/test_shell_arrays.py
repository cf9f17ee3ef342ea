"""write-elements: an array by some of its elements, after a person agreed; and one element by its address."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from shell_lines import SIMULATED, follow, run
from shell_process import ShellProcess, declared
from shell_terminal import shell

from zb_mom_ww_mxgateway import MxGatewayWriteBlockedError, SparseArray
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition

ARRAY = "TestChildObject.TestIntArray"
FULL = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as made:
        yield made


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    made = Context(all_commands(), interactive=False)
    made.assume_yes = True
    await made.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
    try:
        yield made
    finally:
        await made.disconnect()


async def result_of(context: Context, line: str) -> TextResult:
    result = await run(context, line, follow)
    assert isinstance(result, TextResult)
    return result


async def test_the_elements_are_set_and_all_others_are_lost(context: Context, gateway: SimulatedGateway) -> None:
    notices: list[str] = []
    context.set_outputs(notices.append)
    result = await result_of(context, f"write-elements {ARRAY} 5 3=9 0=7")
    assert (result.exit_code, result.value) == (ExitCode.DONE, "completed")
    assert f"{ARRAY}   {FULL} → 5 elements: 3=9, 0=7, all others 0   accepted" in result.text
    assert f"{ARRAY} is {FULL} now" in notices
    form = result.form()
    assert form["value"] == {"elements": {"0": 7, "3": 9}, "length": 5}
    assert (form["before"], form["outcome"], form["tag"]) == (list(range(1, 11)), "completed", ARRAY)
    assert gateway.read(ARRAY).value == (7, 0, 0, 9, 0)


async def test_where_all_elements_are_named_none_is_said_to_be_lost(
    context: Context, gateway: SimulatedGateway
) -> None:
    result = await result_of(context, f"write-elements {ARRAY} 2 0=7 1=8 --at 2026-05-01T12:00:00Z")
    assert "→ 2 elements: 0=7, 1=8, at 2026-05-01T12:00:00.000Z   accepted" in result.text
    assert gateway.read(ARRAY).value == (7, 8)


async def test_texts_with_blanks_stand_in_quotes() -> None:
    texts = TagDefinition("A.Texts", NativeType.STRING, ("x", "y"), is_array=True)
    async with SimulatedGateway(plaintext=True, api_keys=(), tags=[texts]) as gateway:
        context = Context(all_commands(), interactive=False)
        context.assume_yes = True
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
        try:
            await result_of(context, 'write-elements A.Texts 4 "0=two words" 1=one 2="5"')
            assert gateway.read("A.Texts").value == ("two words", "one", "5", "")
        finally:
            await context.disconnect()


async def test_one_element_by_its_address_keeps_the_others(context: Context, gateway: SimulatedGateway) -> None:
    result = await result_of(context, f"write {ARRAY}[3] 5")
    assert f"{ARRAY}[3]   3 → 5" in result.text
    assert gateway.read(ARRAY).value == (1, 2, 5, 4, 5, 6, 7, 8, 9, 10)
    assert "TAG[3]" in context.registry.commands["write"].details


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"write-elements {ARRAY} 5", "elements? is missing|element is missing"),
        (f"write-elements {ARRAY} 0 0=5", "a whole number above zero"),
        (f"write-elements {ARRAY} 5 5=1", "an array of 5 has no index 5: 0 to 4"),
        (f"write-elements {ARRAY} 5 1=1 1=2", "index 1 is named twice"),
        (f"write-elements {ARRAY} 5 1", "INDEX=VALUE is expected, such as 0=5"),
        (f"write-elements {ARRAY} 5 1=", "INDEX=VALUE is expected"),
        (f"write-elements {ARRAY} 5 -1=5", "INDEX=VALUE is expected"),
        (f"write-elements {ARRAY} 5 a=5", "INDEX=VALUE is expected"),
        (f"write-elements {ARRAY} 5 1=[5]", "a single value, not an array"),
        (f"write-elements {ARRAY} 5 1=int23:5", "no type int23"),
    ],
)
async def test_what_cannot_be_right_is_found_without_a_gateway(line: str, said: str) -> None:
    context = Context(all_commands(), interactive=False)
    (mistake,) = context.registry.check(line, context)
    with pytest.raises(InputError, match=said):
        raise mistake


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"write-elements {ARRAY} 5 1=abc", "Integer expected"),
        (f"write-elements {ARRAY} 5 1=5 2=double:5", "all elements are of one type, and this is double, not int32"),
        ("write-elements TestChildObject.TestInt 5 1=5", "TestChildObject.TestInt is no array"),
        ("write-elements No.Such 5 1=5", "no tag No.Such"),
    ],
)
async def test_nothing_is_asked_or_sent_for_what_the_tag_cannot_be(
    context: Context, gateway: SimulatedGateway, line: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        await run(context, line, follow)
    assert not gateway.writes


async def test_without_a_person_or_yes_it_is_refused(tmp_path: Path, gateway: SimulatedGateway) -> None:
    program = ShellProcess(tmp_path).on(gateway)
    (tmp_path / "steps.mxs").write_text(declared(f"write-elements {ARRAY} 5 0=7\n"), encoding="utf-8")
    done = await program("--plaintext", "-c", "steps.mxs")
    assert done.code == ExitCode.GUARDED
    assert "not confirmed: there is no terminal to ask at" in done.err
    assert not gateway.writes
    done = await program("--plaintext", "--yes", "-c", "steps.mxs")
    assert done.code == ExitCode.DONE, done.err
    assert gateway.read(ARRAY).value == (7, 0, 0, 0, 0)


async def test_no_is_no(context: Context, gateway: SimulatedGateway) -> None:
    questions: list[str] = []

    async def no(question: str) -> bool:
        questions.append(question)
        return False

    context.assume_yes, context.ask = False, no
    with pytest.raises(ShellError, match="not confirmed; nothing was sent") as refused:
        await run(context, f"write-elements {ARRAY} 5 0=7", follow)
    assert refused.value.exit_code is ExitCode.GUARDED
    assert questions == [
        f"set 1 of 5 elements of {ARRAY}, and all others to 0? Their values are lost. "
        "The array gets shorter: its last 5 elements are lost"
    ]
    assert not gateway.writes


async def test_an_item_that_is_gone_after_the_answer_is_not_written(
    context: Context, gateway: SimulatedGateway
) -> None:
    async def yes(question: str) -> bool:
        await run(context, f"remove-item {ARRAY}", follow)
        return True

    context.assume_yes, context.ask = False, yes
    with pytest.raises(ShellError, match="was removed while the write waited; nothing was written"):
        await run(context, f"write-elements {ARRAY} 5 0=7", follow)
    assert not gateway.writes


async def test_a_shorter_array_says_what_it_loses(context: Context, gateway: SimulatedGateway) -> None:
    questions = []

    async def no(question: str) -> bool:
        questions.append(question)
        return False

    context.assume_yes, context.ask = False, no
    with pytest.raises(ShellError, match="not confirmed"):
        await run(context, f"write-elements {ARRAY} 2 0=7 1=8", follow)
    assert questions == [f"set 2 of 2 elements of {ARRAY}? The array gets shorter: its last 8 elements are lost"]
    assert not gateway.writes


async def test_it_passes_the_guard_and_an_unknown_outcome_is_one(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "disarm", follow)
    with pytest.raises(MxGatewayWriteBlockedError, match="an array of 5 with 1 element set"):
        await run(context, f"write-elements {ARRAY} 5 0=7", follow)
    await run(context, f"arm {ARRAY}", follow)
    gateway.faults.fail_next("write", code=grpc.StatusCode.UNAVAILABLE)
    result = await result_of(context, f"write-elements {ARRAY} 5 0=7")
    assert (result.exit_code, result.value) == (ExitCode.UNKNOWN, "unknown")
    assert f"check:  read {ARRAY} --fresh" in result.text
    # It may still happen, and is looked for.
    assert [write.value for write in context.connected.doubtful.all()] == [SparseArray(5, ((0, 7),))]
    assert not gateway.writes


async def test_plan_and_lint_say_what_a_run_would_do(tmp_path: Path, gateway: SimulatedGateway) -> None:
    script = declared(f"write-elements {ARRAY} 5 0=7\ncall write\nwrite-elements {ARRAY} 5 1=7\n")
    (tmp_path / "steps.mxs").write_text(script, encoding="utf-8")
    program = ShellProcess(tmp_path).on(gateway)
    assert (await program("lint", "steps.mxs")).code == 0
    done = await program("plan", "--plaintext", "steps.mxs")
    assert done.code == 0, done.err
    assert f"would write {FULL} → 5 elements: 0=7, all others 0" in done.out
    assert f"{ARRAY} would have been written before" in done.out
    assert not gateway.writes


async def test_at_a_prompt_it_shows_the_array_and_asks(tmp_path: Path) -> None:
    async with shell(tmp_path) as made:
        await made.terminal.enter(f"write-elements {ARRAY} 5 0=7", f"is {FULL} now", "are lost [y/N]")
        await made.terminal.enter("n", "not confirmed; nothing was sent")
        assert not made.gateway.writes
        await made.terminal.enter(f"write-elements {ARRAY} 5 0=8", "[y/N]")
        await made.terminal.enter("y", "5 elements: 0=8, all others 0", "completed")
        assert made.gateway.read(ARRAY).value == (8, 0, 0, 0, 0)
