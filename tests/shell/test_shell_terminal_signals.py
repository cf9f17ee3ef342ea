"""What a person may ask the terminal for: the clipboard, the bell, a notice of the desktop. Never a program."""

import base64
import re
from pathlib import Path

import pytest
from shell_process import ShellProcess
from shell_pty import at_a_terminal
from shell_terminal import Terminal, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.output.terminal_signals import MOST_COPIED, alarm_signal, copied
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, STRING = "TestChildObject.TestInt", "TestChildObject.TestString"
HI = "ZB!Plant.Tank1.Level.Hi"
_OSC_52 = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x1b\\")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with nothing around it, and of no special kind."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("TMUX", "VTE_VERSION"):
        monkeypatch.delenv(name, raising=False)


def _clipboard(raw: str) -> list[str]:
    return [base64.b64decode(data).decode() for data in _OSC_52.findall(raw)]


async def _copied(screen: Terminal, line: str) -> str:
    before = len(_clipboard(screen.raw))
    await screen.enter(line)
    await until(lambda: len(_clipboard(screen.raw)) > before, lambda: screen.text)
    return _clipboard(screen.raw)[-1]


# The clipboard.


async def test_value_table_and_handles_of_the_last_result_are_copied(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("copy", "nothing is copied: there is no last value")
        await screen.enter("copy table", "the last line showed nothing")
        sh.gateway.set(INT, 4711)
        await screen.enter(f"read {INT}", "4711")
        assert await _copied(screen, "copy") == "4711"
        table = await _copied(screen, "copy table")
        assert table.splitlines()[0].split()[:3] == ["tag", "value", "quality"]
        assert f"{INT}  4711" in table
        await screen.shows("copied, if the terminal lets it: 2 lines")
        await screen.enter("copy handle", "the last result has no handle")
        await screen.prompted()
        screen.type(f"add-item {INT} {STRING}\r")
        await until(lambda: len(sh.context.items) == 2)
        handles = " ".join(str(item.item_handle) for item in sh.context.items)
        assert await _copied(screen, "copy handle") == handles
        # What was copied is not the last result.
        assert await _copied(screen, "copy handle") == handles
        await screen.enter("set output csv", "output")
        await screen.enter(f"read {INT} --fresh", "4711")
        assert "age_seconds,cached" in await _copied(screen, "copy table")
        # The screen shows nothing of the sequences.
        assert "52;c" not in screen.text


async def test_what_is_copied_has_no_secret_and_no_character_that_a_terminal_obeys(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        sh.gateway.set(STRING, "rm -rf /\n\x1b]52;c;aGk=\x07 mxgw_demo_bm90LWEtc2VjcmV0")
        await screen.enter(f"read {STRING}", "rm -rf")
        for line in ("copy", "copy table"):
            text = await _copied(screen, line)
            assert "rm -rf /\\n\\x1b]52" in text
            assert "bm90LWEtc2VjcmV0" not in text
        sh.gateway.set(STRING, "ä" * MOST_COPIED)
        await screen.enter(f"read {STRING} --fresh", "characters)")
        await screen.enter("copy", "nothing is copied: 148,000 bytes are too many", "tee FILE copies to a file")
        assert len(_clipboard(screen.raw)) == 2


async def test_without_a_terminal_nothing_is_copied(tmp_path: Path) -> None:
    done = await ShellProcess(tmp_path)("--demo", "-e", f"read {INT}", "-e", "copy")
    assert done.code == 2
    assert "nothing is copied: standard output is no terminal" in done.err
    assert "\x1b" not in done.out


async def test_a_run_at_a_terminal_copies_and_a_dumb_one_does_not(tmp_path: Path) -> None:
    process = ShellProcess(tmp_path)
    async with SimulatedGateway(plaintext=True) as gateway:
        gateway.set(INT, 4711)
        process.on(gateway)
        lines = ("--plaintext", "-e", f"read {INT}", "-e", "copy")
        async with at_a_terminal(process, gateway, *lines) as terminal:
            await terminal.shows("copied, if the terminal lets it: 4711")
            assert await terminal.ended() == 0
            assert _clipboard(terminal.raw) == ["4711"]
        async with at_a_terminal(process, gateway, *lines, term="dumb") as terminal:
            await terminal.shows("this terminal takes no control")
            assert await terminal.ended() == 2
            assert not _clipboard(terminal.raw)


def test_a_sequence_goes_through_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = copied("hi")
    assert plain == "\x1b]52;c;aGk=\x1b\\"
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    wrapped = "\x1bPtmux;\x1b\x1b]52;c;aGk=\x1b\x1b\\\x1b\\"
    # tmux itself takes it with set-clipboard on; the terminal around it with allow-passthrough on.
    assert copied("hi") == wrapped + plain
    assert alarm_signal("notice", "x") == "\x1bPtmux;\x1b\x1b]9;x\x1b\x1b\\\x1b\\"


# New alarms.


async def test_a_new_alarm_rings_only_where_a_person_wants_it(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("set alarm-bell", "off, bell, notice")
        # What the first list has is counted, not told one by one.
        await until(lambda: sh.context.connected.alarms.is_complete)
        sh.gateway.raise_alarm(HI, severity=300)
        await screen.shows(f"ALARM severity 300 {HI}")
        assert "\a" not in screen.raw
        await screen.enter("set alarm-bell bell", "alarm-bell bell")
        sh.gateway.raise_alarm("ZB!Plant.Tank2.Level.Hi", severity=400)
        await screen.shows("ALARM severity 300 ZB!Plant.Tank2")
        await until(lambda: screen.raw.count("\a") == 1)
        # Other news of the alarms do not ring.
        sh.gateway.faults.fail_alarm_provider(reason="test")
        await screen.shows("subtags")
        assert screen.raw.count("\a") == 1


async def test_a_notice_of_the_desktop_comes_in_a_full_screen_too(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("set alarm-bell notice", "alarm-bell notice")
        await screen.enter("watch Plant.Tank1.Level --full", "q leaves")
        await until(lambda: sh.context.connected.alarms.is_complete)
        sh.gateway.raise_alarm(HI, severity=300, description="stop; \x1b]0;hi\x07 now")
        notice = re.compile(r"\x1b\]9;([^\x1b\x07]*)\x1b\\")
        await until(lambda: notice.search(screen.raw) is not None)
        assert notice.findall(screen.raw)[0].startswith(f"ALARM severity 300 {HI}")
        await screen.shows("q leaves")


def test_a_notice_is_one_text_for_the_terminal_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "A;b\x1b]52;c;aGk=\x07\n" + "x" * 500
    assert alarm_signal("off", hostile) == ""
    assert alarm_signal("bell", hostile) == "\a"
    for name, value, begins, parts in (
        ("TERM", "xterm", "\x1b]9;", 1),
        ("TERM", "rxvt-unicode-256color", "\x1b]777;notify;mxgw-shell;", 3),
        ("VTE_VERSION", "7600", "\x1b]777;notify;mxgw-shell;", 3),
    ):
        monkeypatch.setenv(name, value)
        shown = alarm_signal("notice", hostile)
        assert shown.startswith(begins)
        assert shown.endswith("\x1b\\")
        assert shown.count("\x1b") == 2
        assert "\x07" not in shown
        assert shown.count(";") == parts
        assert len(shown) < 260


async def test_a_terminal_that_cannot_ring_says_so(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.context.write_raw = None  # As on a dumb terminal.
        await sh.terminal.enter("set alarm-bell bell", "alarm-bell bell, without effect here: this terminal takes no")
        await sh.terminal.enter("set alarm-bell off", "alarm-bell off\n")
