"""Tags that are not good, in tables: a word in the column, the reason once underneath; and ``read --bad``."""

from pathlib import Path

from shell_lines import SIMULATED, follow, run
from shell_terminal import ENTER, shell

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.value_text import reason_lines
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

LEVEL, WRONG = "Plant.Tank1.Level", "Plant.Tank1.Levl"
INT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestBool"
FAILED = f"  {BOOL}, {INT} bad: the device failed\n"


def fail_device(gateway: SimulatedGateway) -> None:
    gateway.set(INT, 3, quality=12)
    gateway.set(BOOL, True, quality=12)


async def test_a_table_has_the_word_and_the_reason_once_underneath(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        fail_device(sh.gateway)
        await screen.enter(f"read {BOOL} {LEVEL} {INT}", f"\n{FAILED}")
        assert screen.text.count("the device failed") == 1
        screen.type(f"watch {BOOL} {LEVEL} {INT}" + ENTER)
        await screen.shows("changes", " bad      ", f"\n{FAILED}demo>")
        await screen.enter("watches", f"{FAILED}  item  tag")
        await screen.enter("unwatch", "3 no longer watched")
        await screen.enter("items", "advised  value", f"{FAILED}demo>")


async def test_read_bad_shows_only_what_is_not_good(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        fail_device(sh.gateway)
        await screen.enter("read --bad", "there are no items: read --bad TAG… names what to look at")
        await screen.enter("read", "a tag is missing: read TAG… reads it; read --bad alone looks at all items")
        await screen.enter("read --bad Plant.Pump1.*", "all good: 17 tags")
        await screen.enter(f"read --bad {BOOL} {LEVEL} {INT}", FAILED, "2 of 3 tags not good")
        await screen.enter(f"watch {LEVEL} {INT} --count 2", "2 samples")
        await screen.enter("read --bad", "1 of 2 tags not good")
        result = sh.context.last_result
        assert result is not None
        assert [each["tag"] for each in result.form()] == [INT]
        assert result.exit_code is ExitCode.DONE


async def test_a_tag_that_cannot_be_read_is_a_row_like_others(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
        try:
            result = await run(context, f"read {LEVEL} {WRONG} Plant.Tank2.Levl", follow)
            assert result is not None
            assert [line.split() for line in result.lines()[2:]] == [
                [WRONG, "bad", "gateway"],
                ["Plant.Tank2.Levl", "bad", "gateway"],
                f"{WRONG}, Plant.Tank2.Levl NOT READ: the reference does not resolve".split(),
            ]
            assert result.exit_code is ExitCode.REFUSED
            await run(context, f"watch {WRONG} --count 1", follow)
            items = await run(context, "items", follow)
            assert items is not None
            assert items.lines()[-1] == (
                f"  {WRONG} bad: the reference does not resolve "
                "(CONFIGURATION_ERROR, detected by REQUESTING_LMX, detail 2)"
            )
        finally:
            await context.disconnect()


def test_reasons_are_grouped_and_few_tags_are_named() -> None:
    doubts = [(f"A.t{number}", "bad", "the device failed") for number in range(5)]
    doubts += [("B.t", "uncertain", "the device failed"), ("C.t", "good", ""), ("D.t", "bad", "")]
    assert reason_lines(doubts) == [
        "A.t0, A.t1, A.t2 and 2 more bad: the device failed",
        "B.t uncertain: the device failed",
    ]


def test_a_narrow_line_keeps_the_reason_and_the_end_of_the_tag() -> None:
    lost = "the source is lost; this is its last value"
    doubts = [("Utilities.AT1.PH", "bad", "the sensor failed"), ("Utilities.AT1.Chlorine", "bad", lost)]
    assert reason_lines(doubts, 38) == [
        "…ilities.AT1.PH bad: the sensor failed",
        "….Chlorine bad: the source is lost; t…",
    ]
