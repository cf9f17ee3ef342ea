"""The reference page is the one that the commands make."""

import subprocess
import sys
from pathlib import Path

from zb_mom_ww_mxgateway_shell.app.reference import reference
from zb_mom_ww_mxgateway_shell.commands import all_commands

PAGE = Path(__file__).parents[2] / "examples" / "COMMANDS.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "make reference writes it anew"


def test_every_command_has_a_section_with_its_usage_and_its_example() -> None:
    page = reference()
    for command in all_commands().commands.values():
        section = page.partition(f"\n### {command.name}\n")[2].partition("\n### ")[0]
        assert command.usage in section
        assert command.summary in section
        assert command.example in section


def test_the_module_prints_it_and_needs_no_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "zb_mom_ww_mxgateway_shell.app.reference"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == reference()
    assert "prompt_toolkit" not in done.stderr
