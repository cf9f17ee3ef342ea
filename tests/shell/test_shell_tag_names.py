"""Which tag a name means: that of the same letters but for ASCII case, spelled as the galaxy spells it."""

from pathlib import Path

import pytest
from prompt_toolkit.completion import Completion
from prompt_toolkit.document import Document
from shell_process import ShellProcess

from zb_mom_ww_mxgateway_shell.terminal.keys import _common
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition

ALIKE = [
    ("Straße.Cmd", "Strasse.Cmd"),
    ("Ma\u017ft.Cmd", "Mast.Cmd"),
    ("Masse\u212a.Cmd", "MasseK.Cmd"),
    ("ﬁlter.Cmd", "filter.Cmd"),
]


def plant(*names: str) -> SimulatedGateway:
    return SimulatedGateway(
        plaintext=True, write_complete_delay=0, tags=[TagDefinition(name, NativeType.BOOLEAN, False) for name in names]
    )


@pytest.mark.parametrize("pairs", [ALIKE, [pair[::-1] for pair in ALIKE]], ids=["one", "the other"])
async def test_a_write_to_a_name_never_goes_to_one_that_unicode_folds_alike(
    tmp_path: Path, pairs: list[tuple[str, str]]
) -> None:
    async with plant(*(name for pair in pairs for name in pair)) as gateway:
        lines = [line for added, written in pairs for line in (f"watch {added} --count 1", f"write {written} true")]
        done = await ShellProcess(tmp_path).on(gateway)(
            *("--plaintext", "--json", "--arm", "*.Cmd"), *(word for line in lines for word in ("-e", line))
        )
        assert done.code == 0, done.err
        assert [(write.tag, write.value) for write in gateway.writes] == [(written, True) for _, written in pairs]


async def test_a_name_the_galaxy_does_not_have_is_not_found_by_one_that_folds_alike(tmp_path: Path) -> None:
    async with plant(*(known for known, _ in ALIKE)) as gateway:
        lines = [line for known, asked in ALIKE for line in (f"watch {known} --count 1", f"write {asked} true")]
        done = await ShellProcess(tmp_path).on(gateway)(
            *("--plaintext", "--json", "--arm", "*.Cmd"), stdin="\n".join(("on-error continue", *lines, ""))
        )
        assert [each["ok"] for each in done.objects] == [True, *[True, False] * len(ALIKE)], done
        assert gateway.writes == ()


async def test_the_name_that_is_sent_is_spelled_as_the_galaxy_spells_it(tmp_path: Path) -> None:
    async with plant("Straße.Cmd", "Pump.Start") as gateway:
        # A glob reads the galaxy; before that a run knows nothing of it.
        done = await ShellProcess(tmp_path).on(gateway)(
            *("--plaintext", "--json", "--arm", "*.Cmd", "--arm", "Pump.*", "-e", "watch *.Cmd --count 1"),
            *("-e", "write pUMP.sTART true", "-e", "write STRAßE.cmd true"),
        )
        assert done.code == 0, done.err
        assert [write.tag for write in gateway.writes] == ["Pump.Start", "Straße.Cmd"]
        assert [each["result"]["tag"] for each in done.objects[-2:]] == ["Pump.Start", "Straße.Cmd"]


async def test_a_read_for_too_long_is_told_in_the_words_of_the_line(tmp_path: Path) -> None:
    done = await ShellProcess(tmp_path)("--demo", "-e", "read Plant.Tank1.Level --fresh --for 2h")
    assert done.code == 2
    assert "at most 1h" in done.out + done.err
    assert "timeout_ms" not in done.out + done.err


@pytest.mark.parametrize("names", ALIKE)
def test_tab_does_not_turn_a_name_into_one_that_folds_alike(names: tuple[str, str]) -> None:
    known, typed = names
    offered = [Completion(known, start_position=-len(typed)), Completion(f"{known}2", start_position=-len(typed))]
    assert _common(Document(typed), offered) is None
