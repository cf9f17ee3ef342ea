"""Themes: contrast and distinctness computed, and the colours at a prompt."""

import itertools
import re
from pathlib import Path

import pytest
from shell_process import ShellProcess
from shell_pty import at_a_terminal
from shell_terminal import CTRL_C, ENTER, shell

from zb_mom_ww_mxgateway_shell.output.themes import THEMES, Theme
from zb_mom_ww_mxgateway_shell.output.trend_picture import MOST_TAGS
from zb_mom_ww_mxgateway_shell.state.settings import Settings
from zb_mom_ww_mxgateway_sim import SimulatedGateway

Triple = tuple[float, float, float]

# How dichromats see linear RGB: Machado, Oliveira, Fernandes 2009, severity 1.
VISIONS: dict[str, tuple[Triple, Triple, Triple]] = {
    "ordinary": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
LEVELS = (0, 95, 135, 175, 215, 255)
XTERM = {f"#{r:02x}{g:02x}{b:02x}" for r in LEVELS for g in LEVELS for b in LEVELS} | {
    f"#{8 + 10 * grey:02x}" + f"{8 + 10 * grey:02x}" * 2 for grey in range(24)
}


def linear(color: str) -> Triple:
    """sRGB to linear light."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def luminance(color: str) -> float:
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of WCAG 2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lab(color: str, vision: str) -> Triple:
    """CIE L*a*b* of what such eyes see."""
    seen = [sum(a * b for a, b in zip(row, linear(color), strict=True)) for row in VISIONS[vision]]
    red, green, blue = (min(1.0, max(0.0, part)) for part in seen)
    xyz = (
        (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047,
        0.2126729 * red + 0.7151522 * green + 0.0721750 * blue,
        (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883,
    )
    x, y, z = (part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, vision: str) -> float:
    """CIE76: about 2 is just noticeable."""
    return sum((a - b) ** 2 for a, b in zip(lab(one, vision), lab(other, vision), strict=True)) ** 0.5


def colors(theme: Theme) -> dict[str, str]:
    named = {f"series {number}": color for number, color in enumerate(theme.series)}
    return named | {
        "text": theme.text,
        "bad": theme.bad,
        "doubt": theme.doubt,
        "faint": theme.faint,
        "accent": theme.accent,
        "quoted": theme.quoted,
    }


def test_the_computations_have_the_results_of_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert lab("#ffffff", "ordinary") == pytest.approx((100, 0, 0), abs=0.05)
    assert lab("#ff0000", "ordinary") == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    # Red and green of the same lightness are one colour for a deuteranope.
    assert distance("#d75f00", "#878700", "ordinary") > 3 * distance("#d75f00", "#878700", "deutan")


@pytest.mark.parametrize("name", THEMES)
def test_every_colour_has_contrast_and_exists_in_256_colours(name: str) -> None:
    theme = THEMES[name]
    assert len(theme.series) == MOST_TAGS
    # The theme's background is the worst of its kind: on black, or on white, there is more contrast.
    extreme = "#000000" if luminance(theme.background) < 0.5 else "#ffffff"
    for role, color in colors(theme).items():
        assert color in XTERM, role
        assert 4.5 <= contrast(color, theme.background) <= contrast(color, extreme), role


@pytest.mark.parametrize("name", THEMES)
def test_what_colours_tell_apart_looks_different(name: str) -> None:
    theme = THEMES[name]
    visions, least = (list(VISIONS), 18) if "colorblind" in name else (["ordinary"], 40)
    told_apart = [theme.text, theme.bad, theme.doubt, *theme.series]
    for vision in visions:
        for one, other in itertools.combinations(told_apart, 2):
            assert distance(one, other, vision) >= least, (vision, one, other)


def test_each_background_has_a_theme_for_colour_blind_eyes_and_set_offers_all() -> None:
    assert Settings.choices()["theme"] == ("auto", "dark", "light", "dark-colorblind", "light-colorblind")
    assert set(THEMES) == set(Settings.choices()["theme"]) - {"auto"}


async def test_a_theme_is_changed_at_the_prompt(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("set theme light", "theme light")
        await sh.terminal.enter("nonsense", "no command nonsense")
        assert "38;5;160m" in sh.terminal.raw
        await sh.terminal.enter("set theme dark", "theme dark")
        sh.terminal.raw = ""
        await sh.terminal.enter("balderdash", "no command balderdash")
        assert "38;5;203m" in sh.terminal.raw
        assert "38;5;160m" not in sh.terminal.raw
        sh.terminal.type("trend Plant.Tank1.Level Plant.Tank1.LevelSP --limit 65" + ENTER)
        await sh.terminal.shows("B Plant.Tank1.LevelSP", "limit 65")
        assert {"38;5;39m", "38;5;46m", "38;5;81m"} <= set(re.findall(r"38;5;\d+m", sh.terminal.raw))
        sh.terminal.type(CTRL_C)
        await sh.terminal.enter("set theme pink", "one of auto, dark, light, dark-colorblind, light-colorblind")


async def test_the_environment_names_a_theme_and_goes_before_the_profiles_file(
    gateway: SimulatedGateway, tmp_path: Path
) -> None:
    process = ShellProcess(tmp_path).on(gateway)
    profiles = tmp_path / "profiles.toml"
    profiles.write_text('[settings]\ntheme = "dark"\n', encoding="utf-8")
    process.environment |= {"MXGATEWAY_PROFILES": str(profiles), "MXGATEWAY_THEME": "light-colorblind"}
    async with at_a_terminal(process, gateway) as terminal:
        await terminal.shows(">")
        await terminal.enter("set theme", "light-colorblind  auto, dark")
        await terminal.enter("nonsense", "no command nonsense")
        assert "38;5;125m" in terminal.raw
        await terminal.leave()
    process.environment["MXGATEWAY_THEME"] = "pink"
    async with at_a_terminal(process, gateway) as terminal:
        assert await terminal.ended() == 2
        assert "MXGATEWAY_THEME: theme is one of auto, dark" in terminal.text
    # A run shows no colours, and does not ask for any.
    assert (await process("--plaintext", "-e", "use")).code == 0
