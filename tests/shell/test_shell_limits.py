"""limits: which rule applies to a tag, what it lets through, and whether the file does what its examples say."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from shell_lines import follow, run
from shell_process import ShellProcess

from zb_mom_ww_mxgateway.errors import MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.limits_file import LimitsError
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.results import Result, problems_of
from zb_mom_ww_mxgateway_shell.state import profiles
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
        "limits.toml, 3 rules; tags that no rule names are not written; 1 example"
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
        ("limits test", "there are no limits: --limits FILE"),
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
    done = await shell("--limits", "limits.toml", "-e", "limits", "-e", "limits check Plant.Tank2.LevelSP 70")
    assert (done.code, done.err) == (0, "")
    assert "70 would be let through" in done.out
    rewrite(file, LIMITS.replace("value = 76", "value = 74"))
    done = await shell("-e", "limits test limits.toml")
    assert done.code == 1
    assert "is to be refused by max, but: let through" in done.err
    rewrite(file, "unlisted = 'none'")
    done = await shell("-e", "limits test limits.toml")
    assert done.code == 2
    assert "limits.toml:1: unlisted is one of" in done.err


WRITES = ("--demo", "--arm", "Plant.Tank?.LevelSP", "--arm", "Plant.Other", "--limits", "limits.toml")


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ("write Plant.Tank1.LevelSP 65", 0, ""),
        ("write Plant.Tank1.LevelSP 71", 5, "step: 71.0 is 11 from 60.0, more than 10 (limits.toml:6)"),
        ("write plant.tank1.levelsp 65", 0, ""),
        ("write Plant.Tank2.LevelSP 81", 5, "max: 81.0 is above 80 (limits.toml:3)"),
        ("limits check Plant.Tank1.LevelSP 71", 1, "Plant.Tank1.LevelSP: step: 71.0 is 11 from 60.0"),
    ],
)
async def test_the_limits_of_a_run_hold_for_its_writes(
    tmp_path: Path, file: Path, line: str, code: int, text: str
) -> None:
    done = await ShellProcess(tmp_path)(*WRITES, "-e", line)
    assert done.code == code, done.err
    assert text in done.err
    assert done.err.count("writable") == 0


async def test_the_limits_of_a_run_are_shown_and_know_its_writes(tmp_path: Path, file: Path) -> None:
    rewrite(file, LIMITS.replace("step = 10", "writes_per_minute = 1"))
    lines = ("status", "limits", "write Plant.Tank1.LevelSP 65", "limits check Plant.Tank1.LevelSP 66")
    done = await ShellProcess(tmp_path)(*WRITES, *(word for line in lines for word in ("-e", line)))
    assert done.code == 1
    assert "limits      limits.toml, 3 rules; tags that no rule names are not written" in done.out
    assert "limits.toml, 3 rules; tags that no rule names are not written; 1 example" in done.out
    assert "writes_per_minute: 1 within the last minute, of 1" in done.err


async def test_limits_that_cannot_be_read_are_reported_and_forbid_every_write(tmp_path: Path, file: Path) -> None:
    rewrite(file, LIMITS + "maximum = 1")
    done = await ShellProcess(tmp_path)(*WRITES, "-e", "status", "-e", "write Plant.Tank1.LevelSP 65")
    assert done.code == 5
    assert "limits.toml:19: unknown key maximum" in done.err
    assert "limits      unreadable, so nothing may be written" in done.out
    done = await ShellProcess(tmp_path)("--demo", "--limits", "", "-e", "status")
    assert done.code == 2
    assert "--limits" in done.err
    assert "it names no file" in done.err


async def test_a_profile_names_the_limits_of_its_connection(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        monkeypatch.setenv("PLANT_KEY", gateway.api_key or "")
        monkeypatch.setenv("MXGATEWAY_KNOWN_GATEWAYS", str(tmp_path / "known"))
        rewrite(
            tmp_path / "profiles.toml",
            f'[profiles.plant]\nendpoint = "{gateway.endpoint}"\napi_key_env = "PLANT_KEY"\nlimits = "limits.toml"\n',
        )
        (tmp_path / "profiles.toml").chmod(0o600)
        context = Context(all_commands(), interactive=False)
        context.profiles = profiles.load(tmp_path / "profiles.toml")
        try:
            await said(context, "connect plant")
            assert unmet(await said(context, "limits check Plant.Tank1.LevelSP 71")) == ["step"]
            context.connected.arming.arm(["Plant.*"])
            with pytest.raises(MxGatewayWriteBlockedError, match="step: 71"):
                await said(context, "write Plant.Tank1.LevelSP 71")
            rewrite(file, LIMITS.replace("step = 10", "step = 20"))
            await said(context, "write Plant.Tank1.LevelSP 71")
            verdicts = (await said(context, "limits check Plant.Tank1.LevelSP 72")).form()["verdicts"]
            assert verdicts[0]["text"] == "file: limits.toml has changed and was read again"
            rewrite(file, "unlisted = 1")
            with pytest.raises(MxGatewayWriteBlockedError, match="nothing may be written"):
                await said(context, "write Plant.Tank1.LevelSP 72")
            with pytest.raises(LimitsError, match=r"limits\.toml:1"):
                await said(context, "limits")
        finally:
            await context.disconnect()
