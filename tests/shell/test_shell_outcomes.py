"""What comes of a line is one outcome, which knows the invocation that the line was parsed into."""

import pytest
from shell_lines import follow, run

from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.parser import Invocation, Registry
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.scripts import loader
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.scripts.runner import ScriptRun
from zb_mom_ww_mxgateway_shell.state.context import Context


class CountingRegistry(Registry):
    """Remembers every line that it parses."""

    def __init__(self) -> None:
        super().__init__(all_commands().commands)
        self.parsed: list[str] = []

    def parse(self, line: str, context: Scope, *, ahead: bool = False) -> Invocation | None:
        self.parsed.append(line)
        return super().parse(line, context, ahead=ahead)


@pytest.fixture
def registry() -> CountingRegistry:
    return CountingRegistry()


@pytest.fixture
def context(registry: CountingRegistry) -> Context:
    return Context(registry, interactive=False)


async def test_an_outcome_has_the_invocation_and_the_result_or_the_error(context: Context) -> None:
    await run(context, "alias say echo hello", follow)
    done = await LineRun(context, "say you").run(follow)
    assert done.command is context.registry.commands["echo"]
    assert done.error is None
    assert done.result is not None
    assert done.result.lines() == ["hello you"]

    failed = await LineRun(context, 'confirm "is it free?"').run(follow)
    assert failed.command is context.registry.commands["confirm"]
    assert failed.result is None
    with pytest.raises(ShellError, match="nobody to ask"):
        failed.unwrap()
    assert context.failure is not None
    assert context.failure.error is failed.error

    unread = await LineRun(context, "ehco hello").run(follow)
    assert unread.invocation is None
    assert isinstance(unread.error, InputError)
    empty = await LineRun(context, "  # nothing").run(follow)
    assert (empty.invocation, empty.result, empty.error) == (None, None, None)


async def test_a_run_parses_each_line_once(context: Context, registry: CountingRegistry) -> None:
    lines = ["alias part step", "part one", "echo a", "on-error continue", "echo $unset", "part two"]
    block, _ = loader.given(lines)
    journal = RunLog("lines")
    output = RunReporter(context, quiet=True, source=None)
    await ScriptRun(context, output, journal, debug=False).run(block)
    assert registry.parsed == [line.replace("part ", "step ") if line[:4] == "part" else line for line in lines]
    assert [step.title for step in journal.steps] == ["", "one", "two"]
    assert [entry.error for entry in journal.entries if not entry.ok] == ["InputError"]
