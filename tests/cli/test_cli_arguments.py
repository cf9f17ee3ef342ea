"""Mistakes on the command line: exit code 2, one line that says what would be right, nothing sent."""

import json
import re
from pathlib import Path

import click
import pytest

from zb_mom_ww_mxgateway_cli.command_group import mxgw_py, run

COMMANDS = mxgw_py.list_commands(click.Context(mxgw_py))

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
AT = ["--session-id", "session-1", "--server-handle", "1", "--endpoint", "localhost:1"]
READ = ["read-bulk", *AT]
BULK = ["write-bulk", *AT]
ALARM = ["acknowledge-alarm", "--endpoint", "localhost:1", "--reference"]
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
    "duration without number": ([*EVENTS, "--duration", "s"], "'--duration'.*: Duration expected"),
    "write without session": (["write", "--type", "int32", "--value", "1"], "missing option --session-id"),
    "write without type": ([*WRITE, "--value", "1"], "missing option --type.*bool.*int32.*time"),
    "write without value": ([*WRITE, "--type", "int32"], "missing option --value"),
    "unknown type": ([*WRITE, "--type", "int", "--value", "1"], "'int' is not one of 'bool'"),
    "not a boolean": ([*WRITE, "--type", "bool", "--value", "1"], "'--value': Boolean expected: true or false"),
    "not an integer": ([*INT, "1.5"], r"'--value': Integer expected \(int32\): for example 42"),
    "integer too large": ([*INT, "2147483648"], "'--value': 2147483648 does not fit int32"),
    "not a number": ([*WRITE, "--type", "double", "--value", "nan"], "nan is not a number a tag can take"),
    "time without zone": ([*WRITE, "--type", "time", "--value", "2026-10-02T08:14:00"], "Time zone missing"),
    "handle of zero": ([*INT, "1", "--item-handle", "0"], "'--item-handle'"),
    "handle too large": ([*INT, "1", "--server-handle", "2147483648"], "'--server-handle'"),
    "open with an odd time-out": (["open-session", "--command-timeout", "x"], "'--command-timeout': Duration expected"),
    "odd protocol option": (["open-session", "--protocol-mismatch", "x"], "'--protocol-mismatch': 'x' is not one of"),
    "close without session": (["close-session"], "Missing option '--session-id'"),
    "register without name": (["register", "--session-id", "s"], "Missing option '--client-name'"),
    "blank client name": (
        ["register", "--session-id", "s", "--client-name", " "],
        "'--client-name': must not be empty",
    ),
    "item without server": (["add-item", "--session-id", "s", "--item", "x"], "Missing option '--server-handle'"),
    "blank context": (["add-item", *AT, "--item", "x", "--context", ""], "'--context': must not be empty"),
    "advise without item": (["advise", *AT], "Missing option '--item-handle'"),
    "supervisory without item": (["advise-supervisory", *AT], "Missing option '--item-handle'"),
    "subscribe to nothing": (["subscribe-bulk", *AT], "nothing to do: give --item, or --items-file"),
    "blank in a list": ([*READ, "--item", "a", "--item", ""], "'--item': must not be empty"),
    "no such file of items": ([*READ, "--items-file", "/nowhere/x"], "'--items-file': cannot read /nowhere/x: No such"),
    "read for too long": ([*READ, "--item", "a", "--timeout-ms", "3600001"], "'--timeout-ms'"),
    "no rounds": (["bench-read-bulk", *AT, "--item", "a", "--rounds", "0"], "'--rounds'"),
    "write nothing": (BULK, "nothing to do: give --entry, or --entries-file"),
    "entry without type": ([*BULK, "--entry", "3=42"], "'--entry': '3=42': HANDLE=TYPE:VALUE expected, for example"),
    "entry of handle 0": ([*BULK, "--entry", "0=int32:1"], "'--entry': .*item_handle must be a whole number from 1"),
    "entry of no type": ([*BULK, "--entry", "3=int:42"], "'--entry': '3=int:42': no type int: one of bool, int32"),
    "entry of a wrong value": ([*BULK, "--entry", "3=int32:x"], r"'--entry': '3=int32:x': Integer expected \(int32\)"),
    "entry that is no number": ([*BULK, "--entry", "3=double:nan"], "'--entry': .*nan is not a number a tag can take"),
    "entry without time": (["write2-bulk", *AT, "--entry", "3=int32:1"], "timestamp is missing: give it with --time"),
    "time without zone of all": (
        ["write2-bulk", *AT, "--entry", "3=int32:1", "--timestamp", "2026-10-02T08:14:00"],
        "'--timestamp': Time zone missing",
    ),
    "entry without user": (["write-secured-bulk", *AT, "--entry", "3=int32:1"], "give it with --current-user-id"),
    "negative verifier": (["write-secured2-bulk", *AT, "--verifier-user-id", "-1"], "'--verifier-user-id'"),
    "alarms without reference": (ALARM[:-1], "Missing option '--reference'"),
    "odd reference": ([*ALARM, "Tank.High"], "'--reference': must be Galaxy!Area.Object.Alarm or a GUID, not 'Tank"),
    "no alarms at all": (["stream-alarms", "--max-messages", "0"], "'--max-messages'"),
    "browse object 0": (["galaxy-browse", "--parent", "0"], "'--parent': 0 is not in the range"),
    "browse a blank": (["galaxy-browse", "--parent", " "], "'--parent': must not be empty"),
    "page too large": (["galaxy-browse", "--page-size", "5001"], "'--page-size'"),
    "category in words": (["galaxy-discover", "--category", "area"], "'--category'"),
    "negative depth": (["galaxy-discover", "--max-depth", "-1"], "'--max-depth'"),
    "deployments for no time": (["galaxy-deploy-events", "--duration", "0s"], "'--duration'.*: Duration expected"),
    "completion of no shell": (["completion"], "Missing argument"),
    "completion of an unknown shell": (["completion", "csh"], "'csh' is not one of 'bash', 'zsh', 'fish'"),
    "batch with an argument": (["batch", "file"], "unexpected extra argument .*file"),
    "what no message can hold": ([*READ, "--item", "a\udcff"], "'--item': must be text that can be sent as UTF-8"),
    "a comment that cannot be sent": ([*ALARM, "G!A.B.C", "--comment", "\udcff"], "'--comment': must be text that can"),
    "password": (["register", "--password", "x"], "No such option '?--password"),
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


def test_a_misspelled_option_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
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


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal_and_describes_the_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "JSON" in out


def test_no_command_takes_a_key_or_a_password() -> None:
    context = click.Context(mxgw_py)
    options = {
        option
        for name in COMMANDS
        for parameter in mxgw_py.get_command(context, name).params  # type: ignore[union-attr]  # by its own list
        for option in parameter.opts
    }
    files = {"--api-key-env", "--api-key-file", "--broker-key-file"}
    assert {option for option in options if "key" in option} == files
    named = {option for option in options if "password" in option or "secret" in option}
    # Where a password comes from, never the password.
    assert not [option for option in named if not option.endswith(("-env", "-file"))]


ENTRY = {"item_handle": 3, "type": "int32", "value": 42}
BAD_LINES = {
    "nonsense": ("{", "not JSON"),
    "a list": ("[3]", "an object expected"),
    "deep nonsense": ("[" * 100_000, "not JSON"),
    "no handle": (json.dumps({"type": "int32", "value": 1}), "item_handle is missing"),
    "handle as text": (json.dumps(ENTRY | {"item_handle": "3"}), "item_handle must be a whole number from 1"),
    "no type": (json.dumps(ENTRY | {"type": None}), "type is missing"),
    "odd type": (json.dumps(ENTRY | {"type": ["int32"]}), "no type .*int32"),
    "null": (json.dumps(ENTRY | {"value": None}), "value is missing"),
    "text for a number": (json.dumps(ENTRY | {"value": "42"}), r"value: a whole number \(int32\) expected, not '42'"),
    "not a number": ('{"item_handle": 3, "type": "double", "value": NaN}', "nan is not a number a tag can take"),
    "too large": (json.dumps(ENTRY | {"value": 2**31}), "does not fit int32"),
    "time as a number": (json.dumps(ENTRY | {"type": "time", "value": 1}), "Time expected, ISO 8601"),
    "time without zone": (json.dumps(ENTRY | {"timestamp": "2026-10-02T08:14:00"}), "Time zone missing"),
    "user as text": (json.dumps(ENTRY | {"user_id": "7"}), "user_id must be a whole number from 0"),
    "field of another write": (json.dumps(ENTRY | {"current_user_id": 7}), "no field current_user_id: item_handle, ty"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_of_entries_is_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, says = BAD_LINES[name]
    (tmp_path / "entries").write_text(f"{json.dumps(ENTRY)}\n\n{line}\n")
    arguments = ["write2-bulk", *AT, "--timestamp", "2026-10-02T08:14:00Z", "--entries-file", str(tmp_path / "entries")]
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert "'--entries-file': " in err
    assert re.search(rf"entries line 3: .*{says}", err), err
    assert err.count("\n") == 1


def test_files_that_are_not_text_or_too_long_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "items").write_bytes(b"\xff")
    assert run([*READ, "--items-file", str(tmp_path / "items")]) == 2
    assert "items: not UTF-8 text" in capsys.readouterr().err
    (tmp_path / "items").write_text("Tank.Level\n" * 10_001)
    assert run([*READ, "--items-file", str(tmp_path / "items")]) == 2
    assert "'--item': at most 10000 in one call, not 10001" in capsys.readouterr().err
