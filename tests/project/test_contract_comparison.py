"""``python -m zb_mom_ww_mxgateway.contract``: every difference is a line."""

import shutil
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway.contract.comparison import main

PROTO = Path(__file__).parents[2] / "proto"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    for path in PROTO.glob("*.proto"):
        shutil.copy(path, tmp_path)
    return tmp_path


def change(folder: Path, before: str, after: str) -> None:
    path = folder / "mxaccess_gateway.proto"
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_our_own_files_show_no_difference(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(theirs)]) == 0
    assert capsys.readouterr().out == "no differences\n"


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (
            "MX_COMMAND_KIND_READ_BULK = 34;",
            "MX_COMMAND_KIND_READ_BULK = 44;",
            ["enum MxCommandKind: value MX_COMMAND_KIND_READ_BULK: number is 34 here, 44 in theirs"],
        ),
        (
            "  bool is_null = 3;",
            "  int32 is_null = 3;",
            ["message MxValue: field is_null: type is bool here, int32 in theirs"],
        ),
        (
            "repeated string capabilities = 5;",
            "string capabilities = 5;",
            ["message OpenSessionReply: field capabilities: label is repeated here, single in theirs"],
        ),
        (
            "optional ReplayGap replay_gap = 14;",
            "ReplayGap replay_gap = 14;",
            ["message MxEvent: field replay_gap: label is optional here, single in theirs"],
        ),
        ("  oneof values {", "  oneof elements {", ["field bool_values: oneof is values here, elements in theirs"]),
        (
            "rpc CloseSession(CloseSessionRequest) returns (CloseSessionReply);",
            "rpc CloseSession(OpenSessionRequest) returns (stream CloseSessionReply);",
            [
                "rpc CloseSession: request is CloseSessionRequest here, OpenSessionRequest in theirs",
                "rpc CloseSession: streams is nothing here, replies in theirs",
            ],
        ),
        (
            "  string backend_name = 2;",
            "  string backend = 2;",
            [
                "message OpenSessionReply: field backend: only in theirs (number 2, type string, label single)",
                "message OpenSessionReply: field backend_name: only here (number 2, type string, label single)",
            ],
        ),
        ("message PingCommand {}", "message PingCommand {}\nmessage New {}", ["message New: only in theirs"]),
        (
            "message PingCommand {}",
            "message PingCommand {}\nmessage A { message In { enum Way { UP = 0; } } }\n"
            "message B { message In { enum Way { DOWN = 0; } } }",
            ["enum A.In.Way: value UP: only in theirs", "enum B.In.Way: value DOWN: only in theirs"],
        ),
    ],
)
def test_a_difference_is_named(
    theirs: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, lines: list[str]
) -> None:
    change(theirs, before, after)
    assert main([str(theirs)]) == 1
    out = capsys.readouterr().out
    for line in lines:
        assert line in out


def test_a_descriptor_set_reads_like_the_files_it_was_made_from(
    theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from importlib.resources import files

    from grpc_tools import protoc

    target = tmp_path / "client.protoset"
    change(theirs, "  bool is_null = 3;", "  int32 is_null = 3;")
    arguments = ["protoc", f"-I{theirs}", f"-I{files('grpc_tools') / '_proto'}", f"--descriptor_set_out={target}"]
    assert protoc.main([*arguments, *(path.name for path in theirs.glob("*.proto"))]) == 0
    assert main([str(target)]) == 1
    assert "field is_null: type is bool here, int32 in theirs\n1 difference: 1 refused\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "weight"),
    [
        ("MX_COMMAND_KIND_READ_BULK = 34;", "MX_COMMAND_KIND_READ_BULK = 44;", "matters"),
        ("  bool is_null = 3;", "  bool is_null = 33;", "matters"),
        ("  uint64 worker_sequence = 9;", "  fixed64 worker_sequence = 9;", "matters"),
        ("  uint32 max_events = 1;", "  uint64 max_events = 1;", "harmless"),
        ("  string backend_name = 2;", "  optional string backend_name = 2;", "harmless"),
        ("message PingCommand {}", "message PingCommand { int32 depth = 1; }", "harmless"),
        ("  string backend_name = 2;", "  bytes backend_name = 2;", "refused"),
        ("  string backend_name = 2;", "", "refused"),
        ("optional ReplayGap replay_gap = 14;", "repeated ReplayGap replay_gap = 14;", "refused"),
        ("  uint64 worker_sequence = 9;", "  uint32 worker_sequence = 9;", "refused"),
    ],
)
def test_what_a_difference_means_is_said(
    theirs: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, weight: str
) -> None:
    change(theirs, before, after)
    assert main([str(theirs)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[:-2]} == {weight}
    assert lines[-2].endswith(f": {len(lines) - 2} {weight}")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing", None, "No such file"),
        ("text.protoset", b"not a descriptor set at all", "not a descriptor set"),
        ("empty.protoset", b"", "has nothing of mxaccess_gateway.v1"),
    ],
)
def test_an_unreadable_path_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main([str(tmp_path / name)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_folder_without_files_and_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no .proto files" in capsys.readouterr().err
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
