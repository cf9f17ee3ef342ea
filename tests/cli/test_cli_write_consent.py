"""``--arm``, ``--reason`` and ``--limits``: what a user allows to be written, before anything connects."""

import click
import pytest
from click.testing import CliRunner

from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent, write_options


def given(*words: str) -> tuple[WriteConsent | None, str]:
    """The consent that these words give, and what click says of them."""
    found: list[WriteConsent] = []

    @click.command()
    @write_options
    def command(consent: WriteConsent) -> None:
        found.append(consent)

    result = CliRunner().invoke(command, words)
    return (found[0] if found else None), result.output


def test_without_options_nothing_is_allowed() -> None:
    assert given() == (WriteConsent(), "")


def test_each_tag_is_named_with_why_and_within_which_limits() -> None:
    consent, _ = given("--arm", "Tank*", "--arm", "P1.SP", "--reason", " batch 7 ", "--limits", "plant.toml")
    assert consent == WriteConsent(arm=("Tank*", "P1.SP"), reason="batch 7", limits="plant.toml")


@pytest.mark.parametrize("glob", ["", " ", "*", "*.*", "?", " Tank*"])
def test_what_names_nothing_is_a_mistake(glob: str) -> None:
    consent, said = given("--arm", glob)
    assert consent is None
    assert "--arm" in said
