"""Tags that are not good, in tables: a word in the column, the reason once underneath; and ``read --bad``."""

from pathlib import Path

from shell_terminal import ENTER, shell

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.output.value_text import reason_lines

LEVEL, WRONG = "Plant.Tank1.Level", "Plant.Tank1.Levl"
REASON = "bad: CONFIGURATION_ERROR, detected by REQUESTING_LMX, detail 2 (the reference does not resolve)"


async def test_a_table_has_the_word_and_the_reason_once_underneath(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter(
            f"read {LEVEL} {WRONG} Plant.Tank2.Levl",
            "  Plant.Tank1.Levl          bad             gateway\n",
            "  Plant.Tank2.Levl          bad             gateway\n",
            f"  {WRONG}, Plant.Tank2.Levl NOT READ: the reference does not resolve\n",
        )
        assert screen.text.count("does not resolve") == 1
        await screen.enter(f"watch {LEVEL} {WRONG}", f"{WRONG}   null   bad      ", f"\n  {WRONG} {REASON}\n")
        await screen.enter("unwatch", "2 no longer watched")
        await screen.enter("items", f"{WRONG}   yes      null   bad      ", f"  {WRONG} {REASON}\n")


async def test_read_bad_shows_only_what_is_not_good(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("read --bad", "there are no items: read --bad TAG… names what to look at")
        await screen.enter("read", "a tag is missing: read TAG… reads it; read --bad alone looks at all items")
        await screen.enter("read --bad Plant.Pump1.*", "all good: 17 tags")
        await screen.enter(f"read --bad {LEVEL} {WRONG}", "1 of 2 tags not good", f"{WRONG} NOT READ: the reference")
        screen.type(f"watch {LEVEL} {WRONG}" + ENTER)
        await screen.shows(f"  {WRONG} {REASON}\n")
        await screen.enter("unwatch", "2 no longer watched")
        await screen.enter("read --bad", f"{WRONG}  null   bad      ", "1 of 2 tags not good")
        result = sh.context.last_result
        assert result is not None
        assert [each["tag"] for each in result.form()] == [WRONG]
        assert result.exit_code is ExitCode.DONE


def test_reasons_are_grouped_and_few_tags_are_named() -> None:
    doubts = [(f"A.t{number}", "bad", "the device failed") for number in range(5)]
    doubts += [("B.t", "uncertain", "the device failed"), ("C.t", "good", ""), ("D.t", "bad", "")]
    assert reason_lines(doubts) == [
        "A.t0, A.t1, A.t2 and 2 more bad: the device failed",
        "B.t uncertain: the device failed",
    ]
