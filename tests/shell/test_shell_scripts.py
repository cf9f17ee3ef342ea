"""Files, -e lines and standard input: what is printed, and the exit codes. Each runs as a process."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest
from shell_lines import SIMULATED
from shell_process import EXAMPLES, KEY, ShellProcess

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
def run(tmp_path: Path) -> ShellProcess:
    return ShellProcess(tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.mxs")), ids=lambda path: path.name)
async def test_each_example_runs_on_the_demo(run: ShellProcess, example: Path) -> None:
    run.environment |= {"MXGATEWAY_PASSWORD": "operator-s3cret", "MXGATEWAY_SECOND_PASSWORD": "supervisor-s3cret"}
    done = await run("--demo", "-c", str(example))
    assert (done.code, done.err) == (0, "")
    assert "completed" in done.out
    assert "s3cret" not in done.out


async def test_the_demo_runs_where_nothing_can_be_kept(run: ShellProcess, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("CONFIG", "DATA", "STATE"):
        run.environment[f"XDG_{name}_HOME"] = str(tmp_path / "file")
    done = await run("--demo", "-e", "write TestChildObject.TestInt 5")
    assert (done.code, done.err) == (0, "")
    assert "completed" in done.out


async def test_an_example_against_a_gateway_of_its_own_and_again_with_the_remembered_certificate(
    run: ShellProcess, tmp_path: Path
) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        run.on(gateway)
        first = await run("-c", str(EXAMPLES / "first-look.mxs"))
        known = (tmp_path / "known_gateways").read_text(encoding="utf-8")
        second = await run("-c", str(EXAMPLES / "first-look.mxs"))
        assert (first.code, second.code) == (0, 0)
        assert "trusted on first use" in first.out
        assert "as remembered" in second.out
        assert (tmp_path / "known_gateways").read_text(encoding="utf-8") == known
        assert gateway.fingerprint_sha256 in known


@pytest.mark.parametrize(("example", "said"), [("acceptance.py", "\npassed\n"), ("sweep.py", "% a second")])
async def test_each_python_example_runs_on_the_live_session(run: ShellProcess, example: str, said: str) -> None:
    done = await run("--demo", "--python", str(EXAMPLES / example))
    assert (done.code, done.err) == (0, "")
    assert said in done.out


async def test_python_example_runs(run: ShellProcess, tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        run.on(gateway)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / "read_and_write.py"),
            gateway.endpoint,
            stdout=asyncio.subprocess.PIPE,
            env=run.environment,
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"writing 123: completed" in out


async def test_json_gives_one_object_a_statement(run: ShellProcess) -> None:
    done = await run("--demo", "--json", "-e", "register r", "-e", "# nothing", "-e", "write TestChildObject.TestInt 5")
    assert done.code == 0
    register, write = done.objects
    assert register.pop("at").endswith("Z")
    assert register.pop("seconds") >= 0
    assert register == {
        "command": "register",
        "file": None,
        "line": 1,
        "notices": [],
        "place": None,
        "ok": True,
        "result": {"client_name": "r", "server_handle": 1},
        "statement": "register r",
        "step": None,
    }
    assert (write["command"], write["line"], write["ok"]) == ("write", 3, True)
    assert write["result"]["outcome"] == "completed"
    assert write["result"]["value"] == 5
    assert write["result"]["before"] != 5
    assert all(line == json.dumps(json.loads(line), sort_keys=True) for line in done.out.splitlines())


async def test_a_mistake_in_a_file_is_named_with_line_and_column_and_stops_it(
    run: ShellProcess, tmp_path: Path
) -> None:
    script = tmp_path / "bad.mxs"
    script.write_text("register r\n\nwrite TestChildObject.TestInt abc\nregister never\n", encoding="utf-8")
    done = await run("--demo", "-c", "bad.mxs")
    assert done.code == 2
    place, line, caret = done.err.splitlines()
    assert place.startswith("bad.mxs:3:31: Integer expected")
    assert line.index("abc") == caret.index("^^^")
    assert "never" not in done.out


async def test_exit_codes_of_what_cannot_be_done(run: ShellProcess) -> None:
    cases = [
        ("frobnicate", 2, "no command frobnicate"),
        ("write TestChildObject.TestInt", 2, "value is missing"),
        ("write TestChildObject.TestInt 5 6", 2, "one word too many: write"),
        ("advise 7", 2, "nothing is registered"),
        ("watch TestChildObject.TestInt", 2, "needs an end"),
        ("write TestChildObject.TestIn 5", 2, "did you mean TestChildObject.TestInt?"),
        ("write TestChildObject.TestInt double:1e300", 3, "refused_there"),
        ("write TestChildObject.TestString [1, 2]", 2, "single value"),
        ("py", 2, "needs a terminal"),
        ("clear", 2, "is for the prompt"),
    ]
    lines = [line for line, _, _ in cases]
    done = await run("--demo", "--json", stdin="\n".join(("on-error continue", *lines, "")))
    _, *told = done.objects
    assert done.code == 3
    for each, (line, code, said) in zip(told, cases, strict=True):
        assert said in json.dumps(each), (line, each)
        # What the plant refused is a result; the exit code of the run is its.
        assert each.get("error", {"exit_code": done.code})["exit_code"] == code, (line, each)


@pytest.mark.parametrize("option", [("-c", "a.mxs"), ("-e", "status"), ("--python", "a.py")])
@pytest.mark.parametrize("command", ["plan", "lint"])
async def test_what_is_to_run_before_another_command_is_refused(
    run: ShellProcess, tmp_path: Path, command: str, option: tuple[str, str]
) -> None:
    (tmp_path / "b.mxs").write_text("note b\n", encoding="utf-8")
    done = await run("--demo", *option, command, "b.mxs")
    said = f"mxgw-shell: -c, -e and --python are for a run: leave them out before {command}\n"
    assert done == (2, "", said)


async def test_standard_input_is_run_when_it_is_no_terminal(run: ShellProcess) -> None:
    done = await run("--demo", stdin="watch Plant.Tank1.Level --count 2\nexit\nregister never\n")
    assert done.code == 0
    assert done.out.count("Plant.Tank1.Level ") >= 2
    assert "never" not in done.out


async def test_the_value_of_a_watch_is_shown_with_quality_and_age(run: ShellProcess) -> None:
    done = await run("--demo", "--json", "-e", "watch TestChildObject.TestInt --count 1")
    (item,) = done.objects[0]["result"]["items"]
    assert item["quality_word"] == "good"
    assert item["age_seconds"] >= 0
    assert item["stale"] is False


async def test_refused_and_unknown_writes_have_their_own_exit_codes(run: ShellProcess) -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        run.on(gateway)
        gateway.faults.fail_next("write", protocol_status=9, hresult=-2147024809)
        refused = await run("--plaintext", "-e", "write TestChildObject.TestInt 5")
        assert refused.code == 3
        assert "REFUSED" in refused.err
        assert "0x80070057" in refused.err
        gateway.faults.lose_next_reply("write")
        unknown = await run("--plaintext", "-e", "write TestChildObject.TestInt 6")
        assert unknown.code == 6
        assert "UNKNOWN" in unknown.err
        assert "not sent again" in unknown.err
        sent = [call for call in gateway.calls if call.rpc == "Invoke" and call.request.command.HasField("write")]
        assert len(sent) == 2
        gateway.faults.hold_write_completes()
        held = await run("--plaintext", "--json", "-e", "write TestChildObject.TestInt 7 --timeout 200ms")
        assert held.code == 6
        assert held.objects[0]["result"]["outcome"] == "accepted"


async def test_no_endpoint_leaves_the_shell_unconnected(run: ShellProcess) -> None:
    assert (await run("-e", "status")).out.strip() == "not connected: a run needs --endpoint HOST:PORT or --demo"
    done = await run("-e", "write A 5")
    assert (done.code, done.err.strip()) == (4, "not connected: a run needs --endpoint HOST:PORT or --demo")


async def test_a_failed_connect_ends_with_4_and_says_what_to_do(run: ShellProcess) -> None:
    refused = await run("--endpoint", "127.0.0.1:1", "-e", "status")
    assert refused.code == 4
    assert "127.0.0.1:1" in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    async with SimulatedGateway(plaintext=True) as gateway:
        missing = await run("--endpoint", gateway.endpoint, "--plaintext", "-e", "status")
        assert missing.code == 4
        assert "no key" in missing.err
        assert "MXGATEWAY_API_KEY" in missing.err
        run.environment["MXGATEWAY_API_KEY"] = KEY
        wrong_key = await run("--endpoint", gateway.endpoint, "--plaintext", "-e", "status")
        assert wrong_key.code == 4
        assert "does not accept the key mxgw_demo_***" in wrong_key.err
        in_tls = await run("--endpoint", gateway.endpoint, "--json", "-e", "status")
        assert in_tls.code == 4
        assert "--plaintext" in in_tls.objects[0]["error"]["message"]


async def test_a_session_is_closed_when_a_run_is_interrupted(run: ShellProcess) -> None:
    if sys.platform == "win32":
        pytest.skip("no signal reaches another process alone on Windows")
    async with SimulatedGateway(plaintext=True) as gateway:
        run.on(gateway)
        process = await run.start("--plaintext", "-e", "watch Plant.Tank1.Level --for 60s")
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while b"Plant.Tank1.Level" not in await process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
        assert process.returncode == 130
        assert b"Traceback" not in err
        assert [session.state for session in gateway.sessions.values()] in ([], ["CLOSED"])


async def test_a_changed_certificate_is_refused_until_it_is_trusted(run: ShellProcess, tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "one") as gateway:
        run.on(gateway)
        port = gateway.endpoint.rpartition(":")[2]
        before = gateway.fingerprint_sha256
        assert (await run("-e", "status")).code == 0
    async with SimulatedGateway(certificate_directory=tmp_path / "two", port=int(port)) as gateway:
        run.on(gateway)
        calls = len(gateway.calls)
        changed = await run("-e", "status")
        assert changed.code == 4
        assert before is not None
        assert before in changed.err
        assert gateway.fingerprint_sha256 in changed.err
        assert f"mxgw-shell trust {gateway.endpoint}" in changed.err
        assert len(gateway.calls) == calls
        assert (await run("trust", gateway.endpoint)).code == 2
        assert (await run("trust", gateway.endpoint, "--fingerprint", before)).code == 4
        trusted = await run("trust", gateway.endpoint, "--fingerprint", str(gateway.fingerprint_sha256))
        assert trusted.code == 0
        assert (await run("-e", "status")).code == 0


async def test_version_and_help_import_no_grpc_and_no_terminal_library() -> None:
    for argument in ("--version", "--help"):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "zb_mom_ww_mxgateway_shell",
            argument,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert b"mxgw-shell" in out
        for name in (b"grpc", b"prompt_toolkit", b"ptpython"):
            assert name not in err


async def test_a_script_imports_no_terminal_library(run: ShellProcess, tmp_path: Path) -> None:
    run.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    done = await run("--demo", "-e", "status")
    assert done.code == 0
    assert "grpc" in done.err
    assert "prompt_toolkit" not in done.err
    assert "ptpython" not in done.err


_UNNEEDED = (
    *("alarm_entries", "alarm_feed", "alarm_forms", "index_lines", "kept_galaxy", "revert_files", "revert_text"),
    *("findings", "galaxy_forms", "guarded_action", "models.alarms", "models.galaxy", "connect.profiles", "reverts"),
    *("report_options", "status_texts", "subcommands", "unseen", "watch_table"),
)
_OTHERS = {
    *("cryptography", "csv", "filelock", "html", "random", "secrets", "shutil", "sqlite3", "tempfile", "tomllib"),
}


@pytest.mark.parametrize("is_file", [False, True])
async def test_a_short_run_loads_only_what_it_needs(run: ShellProcess, tmp_path: Path, is_file: bool) -> None:
    (tmp_path / "short.mxs").write_text("register tests\nexpect TestChildObject.TestInt >= 0\n", encoding="utf-8")
    run.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        lines_of = ("-c", str(tmp_path / "short.mxs")) if is_file else ("-e", "status")
        process = await run.start("--endpoint", gateway.endpoint, "--plaintext", *lines_of)
        _, err = await process.communicate()
    assert process.returncode == 0
    lines = err.decode().splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    ours = {name for name in loaded if name.startswith("zb_mom_ww_mxgateway")}
    assert "zb_mom_ww_mxgateway_shell.scripts.runner" in ours
    unneeded = {*_UNNEEDED} if is_file else {*_UNNEEDED, "first_contact"}
    assert not {name for name in ours if name.endswith(tuple(f".{each}" for each in unneeded))}
    # On Windows the locks are those of filelock.
    assert not (_OTHERS - ({"filelock"} if sys.platform == "win32" else set())) & loaded
    assert len(ours) <= 250


async def test_another_protocol_version_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_sim.rpc.gateway_service.GATEWAY_PROTOCOL_VERSION", 4)
    context = Context(all_commands(), interactive=False)
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        said: list[str] = []
        context.set_outputs(said.append)
        await context.disconnect()
    line, *heads = said
    assert all(head.startswith("journal: ") for head in heads)
    assert "speaks gateway protocol version 4, this library 3" in line
