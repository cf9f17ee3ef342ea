"""mxgw-sim: one JSON line, then it serves; every mistake is one line and an exit code."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import prepared_programs
import pytest
from settings_of_the_user import programs_environment
from sim_wire import DEADLINE, bearer

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc
from zb_mom_ww_mxgateway.version import __version__

COMMAND = [sys.executable, "-m", "zb_mom_ww_mxgateway_sim"]
KEY = "mxgw_test_very_secret"
# A pool of its own: from the common one a channel may get a connection that a fault has just killed.
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX does")


async def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    async with asyncio.timeout(40):
        ended = await prepared_programs.ended(
            COMMAND[-1], arguments, environment=programs_environment(folder), folder=folder, stdin=None
        )
    return subprocess.CompletedProcess(arguments, ended.code, ended.out.decode(), ended.err.decode())


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and its one line."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


def open_session(facts: dict[str, str | None], credentials: grpc.ChannelCredentials | None) -> str:
    options = [*OPTIONS, ("grpc.ssl_target_name_override", "localhost")]
    endpoint = facts["endpoint"] or ""
    channel = (
        grpc.secure_channel(endpoint, credentials, options) if credentials else grpc.insecure_channel(endpoint, options)
    )
    with channel:
        stub = mxaccess_gateway_pb2_grpc.MxAccessGatewayStub(channel)
        reply = stub.OpenSession(pb.OpenSessionRequest(), metadata=bearer(facts["api_key"]), timeout=DEADLINE)
        return str(reply.session_id)


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_one_line_of_json_then_it_serves_until_a_signal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with serving("--certificate-directory", str(tmp_path)) as (process, line):
        facts = json.loads(line)
        assert list(facts) == ["api_key", "endpoint", "fingerprint_sha256", "plaintext"]
        assert line == json.dumps(facts, sort_keys=True) + "\n"
        assert facts["plaintext"] is False
        assert facts["api_key"].startswith("mxgw_demo_")
        assert len(facts["fingerprint_sha256"].split(":")) == 32
        pem = (tmp_path / "mxgw-sim.pem").read_bytes()
        assert open_session(facts, grpc.ssl_channel_credentials(pem[pem.index(b"-----BEGIN CERTIFICATE") :]))
        process.send_signal(number)
        rest, errors = process.communicate(timeout=DEADLINE)
        assert (process.returncode, rest, errors) == (code, "", "")


def test_plaintext_with_a_given_key_or_none(tmp_path: Path) -> None:
    file = tmp_path / "tags.csv"
    file.write_text("name,value\nA.B,5\n")
    with serving("--plaintext", "--api-key", KEY, "--tags", str(file), "--first-change-delay") as (_, line):
        facts = json.loads(line)
        assert (facts["api_key"], facts["fingerprint_sha256"], facts["plaintext"]) == (KEY, None, True)
        assert open_session(facts, None)
    with serving("--plaintext", "--no-api-key", "--generated-tags", "1000000", "--seed", "7") as (_, line):
        facts = json.loads(line)
        assert facts["api_key"] is None
        assert open_session(facts, None)


def test_one_session_more_than_the_limit_is_refused() -> None:
    with serving("--plaintext", "--no-api-key", "--max-sessions", "1") as (_, line):
        facts = json.loads(line)
        assert open_session(facts, None)
        with pytest.raises(grpc.RpcError) as caught:
            open_session(facts, None)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_port_in_use_is_one_line_and_exit_4(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = await run(tmp_path, "--plaintext", "--port", str(port))
    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.startswith(f"mxgw-sim: cannot listen on 127.0.0.1:{port}: ")
    assert done.stderr.count("\n") == 1


async def test_a_certificate_that_cannot_be_kept_is_one_line_and_exit_4(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    done = await run(tmp_path, "--certificate-directory", str(in_the_way / "below"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert "cannot keep the gateway's certificate" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "x"],
        ["--port", "70000"],
        ["--no-such-option"],
        ["surplus"],
        ["--tags", "no-such-file.csv"],
        ["--faults", "no-such-file.txt"],
        ["--generated-tags", "-1"],
        ["--max-sessions", "0"],
        ["--first-change-delay", "8-3"],
        ["--first-change-delay", "soon"],
        ["--api-key", KEY, "--no-api-key"],
    ],
)
async def test_a_bad_option_is_one_line_and_exit_2(arguments: list[str], tmp_path: Path) -> None:
    done = await run(tmp_path, "--plaintext", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("mxgw-sim: ")


@pytest.mark.parametrize("key", ["secret", "mxgw_a_sec ret", "mxgw_a_sécret", "mxgw_a_secret\n", ""])
async def test_a_key_that_could_not_be_sent_is_refused_without_being_shown(key: str, tmp_path: Path) -> None:
    done = await run(tmp_path, "--plaintext", "--api-key", key)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "ret" not in done.stderr.replace("mxgw_<id>_<secret>", "")


async def test_a_key_in_the_wrong_place_is_not_shown(tmp_path: Path) -> None:
    done = await run(tmp_path, KEY)
    assert done.returncode == 2
    assert "mxgw_test_***" in done.stderr
    assert "very" not in done.stderr


async def test_a_bad_tag_file_is_one_line_that_points_and_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "tags.csv"
    file.write_text("name,type\nA.B,long\n")
    done = await run(tmp_path, "--plaintext", "--tags", str(file))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"mxgw-sim: {file}:2:5: no type 'long'")


async def test_a_bad_fault_file_is_one_line_that_points_and_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "faults.txt"
    for line, complaint in (
        ("after 5s restrat", "1:10: no fault 'restrat'; did you mean restart?"),
        ("after 5s swap-certificate", "1:10: a plaintext gateway has no certificate to swap"),
    ):
        file.write_text(line)
        done = await run(tmp_path, "--plaintext", "--faults", str(file))
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"mxgw-sim: {file}:{complaint}\n")


def test_faults_of_a_file_come_about_and_alarms_can_be_off(tmp_path: Path) -> None:
    file = tmp_path / "faults.txt"
    file.write_text("at OpenSession 1 refuse ABORTED by the file\nat OpenSession 3 kill-connection\n")
    with serving("--plaintext", "--no-alarms", "--faults", str(file)) as (_, line):
        facts = json.loads(line)
        for code in (grpc.StatusCode.ABORTED, None, grpc.StatusCode.UNAVAILABLE, None):
            if code is None:
                assert open_session(facts, None)
            else:
                with pytest.raises(grpc.RpcError) as caught:
                    open_session(facts, None)
                assert caught.value.code() is code  # type: ignore[attr-defined]  # a call is its own error
        with grpc.insecure_channel(facts["endpoint"], OPTIONS) as channel:
            stub = mxaccess_gateway_pb2_grpc.MxAccessGatewayStub(channel)
            request = pb.AcknowledgeAlarmRequest(alarm_full_reference="ZB!A.B.C")
            with pytest.raises(grpc.RpcError, match="alarms are disabled"):
                stub.AcknowledgeAlarm(request, metadata=bearer(facts["api_key"]), timeout=DEADLINE)


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_load_no_grpc(option: str) -> None:
    code = (
        "import sys\n"
        "from zb_mom_ww_mxgateway_sim.__main__ import main\n"
        f"sys.argv = ['mxgw-sim', '{option}']\n"
        "try:\n    main()\n"
        "finally:\n    print(sorted({'grpc', 'google.protobuf', 'cryptography', 'platformdirs'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.endswith("[]\n")
    assert (__version__ if option == "--version" else "Usage: mxgw-sim") in done.stdout
