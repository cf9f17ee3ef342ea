"""limits: which rule applies to a tag, what it lets through, and whether the file does what its examples say."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from shell_lines import run
from shell_process import ShellProcess

from zb_mom_ww_mxgateway.safety.limits_file import LimitsError
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, problems_of
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

LIMITS = """
unlisted = "refuse"
[tags."Plant.Tank*.LevelSP"]
writable = true
max = 80
[tags."Plant.Tank1.LevelSP"]
writable = true
max = 75
step = 10
guards = ['Plant.Tank1.Overflow == false']
[tags."TestChildObject.TestInt*"]
writable = true
min = 0
[[examples]]
write = "Plant.Tank1.LevelSP"
value = 76
old = 70
refused = "max"
"""


async def follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


async def said(context: Context, line: str) -> Result:
    result = await run(context, line, follow)
    assert result is not None
    return result


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "limits.toml"
    rewrite(path, LIMITS)
    return path


def rewrite(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def offline() -> Context:
    return Context(all_commands(), interactive=False)


@pytest.fixture
async def connected() -> AsyncIterator[Context]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "demo")
        try:
            yield context
        finally:
            await context.disconnect()


def unmet(result: Result) -> list[str]:
    form: Any = result.form()
    return [each["rule"] for each in form["verdicts"] if not each["met"]]


async def test_examples_that_come_out_as_they_say_succeed(offline: Context, file: Path) -> None:
    result = await said(offline, f"limits test {file}")
    assert result.exit_code is ExitCode.DONE
    assert result.form() == [
        {
            "ok": True,
            "outcome": "max: 76 is above 75 (limits.toml:6)",
            "place": "limits.toml:14",
            "said": "refused by max",
            "write": "Plant.Tank1.LevelSP = 76 from 70",
        }
    ]


async def test_an_example_that_comes_out_otherwise_fails_and_is_named(offline: Context, file: Path) -> None:
    another = '[[examples]]\nwrite = "TestChildObject.TestInt"\nvalue = 1'
    rewrite(file, LIMITS.replace("value = 76", "value = 74") + another)
    result = await said(offline, f"limits test {file}")
    assert result.exit_code is ExitCode.NOT_MET
    assert [line.split()[0] for line in result.lines()[1:]] == ["WRONG", "ok"]
    assert problems_of(result) == [
        "limits.toml:14: Plant.Tank1.LevelSP = 74 from 70 is to be refused by max, but: let through"
    ]


async def test_a_file_without_examples_says_so(offline: Context, file: Path) -> None:
    rewrite(file, 'unlisted = "allow"')
    result = await said(offline, f"limits test {file}")
    assert result.lines() == ["limits.toml has no examples: [[examples]] begins one"]
    assert result.exit_code is ExitCode.DONE


async def test_limits_says_how_many_rules_a_file_has(offline: Context, file: Path) -> None:
    assert (await said(offline, f"limits --file {file}")).lines() == [
        "limits.toml: 3 rules, 1 example; tags that no rule names are not written"
    ]


async def test_without_a_connection_what_needs_a_present_value_is_refused(offline: Context, file: Path) -> None:
    result = await said(offline, f"limits check Plant.Tank1.LevelSP 70 --file {file}")
    assert result.exit_code is ExitCode.NOT_MET
    assert unmet(result) == ["step", "guard"]
    assert "70 would be REFUSED:" in result.lines()
    result = await said(offline, f"limits check Plant.Tank2.LevelSP 70.5 --file {file}")
    assert result.exit_code is ExitCode.DONE
    assert "70.5 would be let through:" in result.lines()
    result = await said(offline, f"limits check Plant.Tank2.LevelSP --file {file}")
    assert result.lines()[-1] == "the present value is unknown: limits check TAG VALUE judges a value"
    assert result.exit_code is ExitCode.DONE


async def test_which_rule_applies_and_why_is_said(offline: Context, file: Path) -> None:
    lines = (await said(offline, f"limits check plant.tank1.levelsp 70 --file {file}")).lines()
    assert lines[0] == (
        'plant.tank1.levelsp: rule "Plant.Tank1.LevelSP" (limits.toml:6) applies: '
        'an exact name is closer than "Plant.Tank*.LevelSP" (limits.toml:3)'
    )
    assert lines[1:5] == [
        "  writable  true",
        "  max       75",
        "  step      10",
        "  guard     Plant.Tank1.Overflow == false",
    ]
    lines = (await said(offline, f"limits check Plant.Tank2.LevelSP 70 --file {file}")).lines()
    assert lines[0].endswith('rule "Plant.Tank*.LevelSP" (limits.toml:3) applies; no other rule names the tag')


async def test_a_tag_that_no_rule_names(offline: Context, file: Path) -> None:
    result = await said(offline, f"limits check Plant.Other 70 --file {file}")
    assert result.exit_code is ExitCode.NOT_MET
    assert "named by no rule of limits.toml" in result.lines()[0]
    rewrite(file, 'unlisted = "allow"')
    result = await said(offline, f"limits check Plant.Other 70 --file {file}")
    assert result.exit_code is ExitCode.DONE
    assert 'it may be written, by unlisted = "allow"' in result.lines()[0]


async def test_with_a_connection_the_present_values_count(connected: Context, file: Path) -> None:
    result = await said(connected, f"limits check Plant.Tank1.LevelSP 65 --file {file}")
    assert result.exit_code is ExitCode.DONE
    assert "65.0 (now 60.0) would be let through:" in result.lines()
    result = await said(connected, f"limits check Plant.Tank1.LevelSP 74 --file {file}")
    assert unmet(result) == ["step"]
    result = await said(connected, f"limits check Plant.Tank1.LevelSP --file {file}")
    assert "60.0 would be let through:" in result.lines()
    result = await said(connected, f"limits check TestChildObject.TestIntArray[3] -5 --file {file}")
    assert unmet(result) == ["min"]
    assert result.form()["old"] == 3


async def test_what_makes_no_sense_is_a_mistake(offline: Context, file: Path) -> None:
    for line, text in [
        ("limits check", "limits check needs a tag"),
        (f"limits test {file} 5", "limits test takes one file"),
        (f"limits test {file} --file {file}", "without --file"),
        ("limits test", "no limits file is named"),
    ]:
        with pytest.raises(ShellError, match=text):
            await said(offline, line)
    rewrite(file, "unlisted = 1")
    with pytest.raises(LimitsError, match=r"limits\.toml:1: unlisted must be a text in quotes"):
        await said(offline, f"limits test {file}")


async def test_a_run_needs_no_gateway(tmp_path: Path, file: Path) -> None:
    shell = ShellProcess(tmp_path)
    done = await shell("--json", "-e", "limits test limits.toml")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["result"][0]["ok"] is True
    rewrite(file, LIMITS.replace("value = 76", "value = 74"))
    done = await shell("-e", "limits test limits.toml")
    assert done.code == 1
    assert "is to be refused by max, but: let through" in done.err
    rewrite(file, "unlisted = 'none'")
    done = await shell("-e", "limits test limits.toml")
    assert done.code == 2
    assert "limits.toml:1: unlisted is one of" in done.err
