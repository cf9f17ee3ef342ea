"""A new command is one file: what the programs load it from is written from the declarations."""

import runpy
import sys
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from zb_mom_ww_mxgateway_shell import commands
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.commands.index import MODULE_OF
from zb_mom_ww_mxgateway_shell.scripts import lint, loader
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.completion import ShellCompleter
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "command_index.py"))

GREETINGS = '''
"""greet."""

from zb_mom_ww_mxgateway_shell.language.argument_types import FlagOption, TextArgument
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context


@command("greet", example="greet Anna", needs_session=False, stands_alone=True)
async def greet(context: Context, name: TextArgument, *, loudly: FlagOption = False) -> Result:
    """Greets somebody."""
    return TextResult(f"good morning, {name}{'!' if loudly else ''}")


COMMANDS = (greet,)
'''


def test_the_indexes_are_up_to_date() -> None:
    for path, text in TOOL["indexes"]().items():
        assert path.read_text(encoding="utf-8") == text, "make reference writes it"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that belongs to the package of the commands for the time of a test."""
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    for name in ("greetings", "more_greetings"):
        # What is imported from it goes with it.
        monkeypatch.setitem(sys.modules, f"{commands.__name__}.{name}", None)
        monkeypatch.delitem(sys.modules, f"{commands.__name__}.{name}")
        monkeypatch.setattr(commands, name, None, raising=False)
    (tmp_path / "greetings.py").write_text(GREETINGS, encoding="utf-8")
    return tmp_path


def homes() -> dict[str, str]:
    found: dict[str, str] = TOOL["homes"](commands, TOOL["shell_commands"], TOOL["SHELL_ORDER"])
    return found


async def test_a_command_in_one_new_file_is_in_help_completion_and_lint_and_runs(folder: Path) -> None:
    found = homes()
    assert list(found.items()) == [*MODULE_OF.items(), ("greet", "greetings")]
    context = Context(all_commands(found), interactive=True)

    async def said(line: str) -> str:
        result = (await LineRun(context, line).run(lambda feed: feed.follow(print))).unwrap()
        assert result is not None
        return "\n".join(result.lines())

    assert await said("greet Anna --loudly") == "good morning, Anna!"
    assert "greetings     greet" in await said("help")
    assert "greet <text> [--loudly]" in await said("help greet")
    typed = TypedLine(context)
    completer = ShellCompleter(context, typed)
    for line, wanted in (("gre", "greet"), ("greet Anna ", "--loudly")):
        assert wanted in [each.text for each in completer.get_completions(Document(line), CompleteEvent())]
    assert typed.usage("greet ", 80) == "greet <text> [--loudly]"
    block, problems = loader.given(["greet Anna", "greet Anna --softly"])
    (wrong,) = lint.check(block, problems, context)
    assert "greet has no option --softly" in str(wrong.problem)


def test_two_modules_that_declare_the_same_command_are_an_error(folder: Path) -> None:
    (folder / "more_greetings.py").write_text(GREETINGS, encoding="utf-8")
    with pytest.raises(ValueError, match="more_greetings and greetings both declare greet"):
        homes()
