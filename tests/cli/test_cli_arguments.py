"""Mistakes on the command line: exit code 2, one line that says what would be right, nothing sent."""

import json
import re

import pytest

from zb_mom_ww_mxgateway_cli.commands import run

SMOKE = ["smoke", "--item", "TestChildObject.TestInt", "--endpoint", "localhost:1"]
EVENTS = ["stream-events", "--session-id", "session-1", "--endpoint", "localhost:1"]
WRITE = [
    "write",
    "--session-id",
    "session-1",
    "--server-handle",
    "1",
    "--item-handle",
    "1",
    "--endpoint",
    "localhost:1",
]
INT = [*WRITE, "--type", "int32", "--value"]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MXGATEWAY_ENDPOINT", "MXGATEWAY_API_KEY", "MXGATEWAY_KNOWN_GATEWAYS"):
        monkeypatch.delenv(name, raising=False)


MISTAKES = {
    "unknown command": (["smok"], "No such command 'smok'"),
    "unknown option": (["--verbose"], "No such option"),
    "unknown option of a command": ([*SMOKE, "--itm", "x"], "No such option '?--itm"),
    "surplus argument": ([*SMOKE, "more"], "unexpected extra argument .*more"),
    "smoke without item": (["smoke"], "Missing option '--item'"),
    "blank item": (["smoke", "--item", " ", "--endpoint", "localhost:1"], "'--item': must not be empty"),
    "timeout of nothing": ([*SMOKE, "--timeout", "0"], "'--timeout': Duration expected"),
    "timeout in words": ([*SMOKE, "--timeout", "soon"], "'--timeout': Duration expected"),
    "connect timeout in words": ([*SMOKE, "--connect-timeout", "soon"], "'--connect-timeout'"),
    "connect timeout that is no number": ([*SMOKE, "--connect-timeout", "nan"], "connect_timeout must be seconds"),
    "no endpoint": (["smoke", "--item", "x"], "no endpoint: give --endpoint HOST:PORT or set MXGATEWAY_ENDPOINT"),
    "endpoint without port": ([*SMOKE, "--endpoint", "localhost"], "endpoint 'localhost': host:port expected"),
    "endpoint as URL": ([*SMOKE, "--endpoint", "https://localhost:1"], "without a scheme"),
    "plaintext and roots": ([*SMOKE, "--plaintext", "--ca-file", "x.pem"], "plaintext contradicts ca_file"),
    "roots twice": ([*SMOKE, "--ca-file", "x", "--require-certificate-validation"], "exclude each other"),
    "roots that are not there": ([*SMOKE, "--ca-file", "/nowhere/x.pem"], "ca_file .*x.pem: No such file"),
    "key twice": ([*SMOKE, "--api-key-env", "A", "--api-key-file", "b"], "exclude each other"),
    "key on the command line": ([*SMOKE, "--api-key", "mxgw_a_secret"], "No such option '?--api-key"),
    "events without session": (["stream-events"], "Missing option '--session-id'"),
    "blank session": (["stream-events", "--session-id", ""], "'--session-id': must not be empty"),
    "no events at all": ([*EVENTS, "--max-events", "0"], "'--max-events'"),
    "negative sequence": ([*EVENTS, "--after", "-1"], "'--after'"),
    "sequence too large": ([*EVENTS, "--after", str(2**64)], "'--after'"),
    "duration without number": ([*EVENTS, "--duration", "s"], "'--duration': Duration expected"),
    "write without session": (["write"], "Missing option '--session-id'"),
    "write without type": ([*WRITE, "--value", "1"], "Missing option '--type'.*bool.*int32.*time"),
    "write without value": ([*WRITE, "--type", "int32"], "Missing option '--value'"),
    "unknown type": ([*WRITE, "--type", "int", "--value", "1"], "'int' is not one of 'bool'"),
    "not a boolean": ([*WRITE, "--type", "bool", "--value", "1"], "'--value': Boolean expected: true or false"),
    "not an integer": ([*INT, "1.5"], r"'--value': Integer expected \(int32\): for example 42"),
    "integer too large": ([*INT, "2147483648"], "'--value': 2147483648 does not fit int32"),
    "not a number": ([*WRITE, "--type", "double", "--value", "nan"], "nan is not a number a tag can take"),
    "time without zone": ([*WRITE, "--type", "time", "--value", "2026-10-02T08:14:00"], "Time zone missing"),
    "handle of zero": ([*INT, "1", "--item-handle", "0"], "'--item-handle'"),
    "handle too large": ([*INT, "1", "--server-handle", "2147483648"], "'--server-handle'"),
    "negative user": ([*INT, "1", "--user-id", "-1"], "'--user-id'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_exit_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, says = MISTAKES[name]
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("mxgw-py: ")
    assert err.count("\n") == 1
    assert re.search(says, err), err
    assert "secret" not in err


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_json_object_where_json_is_asked_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, says = MISTAKES[name]
    assert run([arguments[0], "--json", *arguments[1:]]) == 2
    out, err = capsys.readouterr()
    assert err == ""
    form = json.loads(out)
    assert form["ok"] is False
    assert form["error"]["exit_code"] == 2
    assert re.search(says, form["error"]["message"]), form
    assert out == json.dumps(form, sort_keys=True) + "\n"


def test_a_misspelled_option_is_told_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    run([*SMOKE, "--timout", "3"])
    assert "--timeout" in capsys.readouterr().err


def test_a_mistake_names_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    run(["smoke"])
    assert capsys.readouterr().err.endswith("See mxgw-py smoke --help\n")


def test_a_key_in_the_wrong_place_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("--api-key-env", "--api-key-file"):
        for options in ([], ["--json"], ["--debug"]):
            assert run([*SMOKE, place, "mxgw_plant_s3cret", *options]) == 4
    assert run([*SMOKE, "mxgw_plant_s3cret"]) == 2
    out, err = capsys.readouterr()
    assert "s3cret" not in out + err
    assert "mxgw_plant_***" in out
    assert "mxgw_plant_***" in err


def test_no_command_shows_the_help_and_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "stream-events" in err


@pytest.mark.parametrize("command", [[], ["version"], ["smoke"], ["stream-events"], ["write"]])
def test_help_fits_a_terminal_and_describes_the_json(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "JSON" in out
