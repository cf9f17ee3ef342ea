"""Adopting a descriptor set: what is refused, what is kept, what a process speaks then."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from permuted_contract import write_permuted

from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, MxGatewayArgumentError, contract
from zb_mom_ww_mxgateway.contract.adoption import configured, kept_path
from zb_mom_ww_mxgateway.contract.descriptors import built_in_files
from zb_mom_ww_mxgateway.contract.storage import adopt, give_up
from zb_mom_ww_mxgateway_sim import SimulatedGateway

Files = descriptor_pb2.FileDescriptorSet
Message = descriptor_pb2.DescriptorProto


def run(program: str, **environment: str) -> list[str]:
    """The lines that a program prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def message(files: Files, name: str) -> Message:
    return next(message for file in files.file for message in file.message_type if message.name == name)


def remove_field(files: Files) -> None:
    fields = message(files, "WriteCommand").field
    del fields[[field.name for field in fields].index("user_id")]


def retype_field(files: Files) -> None:
    field = message(files, "MxEvent").field[8]
    assert field.name == "worker_sequence"
    field.type = descriptor_pb2.FieldDescriptorProto.TYPE_STRING


def move_nothing_said(files: Files) -> None:
    enum = next(enum for file in files.file for enum in file.enum_type if enum.name == "SessionState")
    enum.value[0].name, enum.value[1].name = enum.value[1].name, enum.value[0].name


def give_one_number_twice(files: Files) -> None:
    enum = next(enum for file in files.file for enum in file.enum_type if enum.name == "SessionState")
    enum.options.allow_alias = True
    enum.value[2].number = enum.value[1].number


def remove_rpc(files: Files) -> None:
    service = next(service for file in files.file for service in file.service if service.name == "MxAccessGateway")
    del service.method[0]


def remove_imports(files: Files) -> None:
    other = files.file[-1]
    other.dependency.append("elsewhere/other.proto")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (remove_field, "message WriteCommand: field user_id: missing"),
        (retype_field, "message MxEvent: field worker_sequence: its type is string, not uint64"),
        (move_nothing_said, "enum SessionState: value SESSION_STATE_UNSPECIFIED: its number is 1, and 0 must be"),
        (give_one_number_twice, "value SESSION_STATE_STARTING_WORKER: has the number of SESSION_STATE_CREATING"),
        (remove_rpc, "service MxAccessGateway: rpc OpenSession: missing"),
        (remove_imports, "imports elsewhere/other.proto, which is not in it"),
    ],
)
def test_a_set_that_lacks_what_is_used_is_refused_and_nothing_changes(
    change: Callable[[Files], None], said: str, tmp_path: Path
) -> None:
    files, path = built_in_files(), tmp_path / "theirs.protoset"
    adopt(write_permuted(tmp_path / "before.protoset", 1))
    before = kept_path().read_bytes()
    change(files)
    path.write_bytes(files.SerializeToString())
    with pytest.raises(MxGatewayArgumentError) as refused:
        adopt(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert kept_path().read_bytes() == before
    assert [each.name for each in kept_path().parent.iterdir()] == [kept_path().name]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("syntax = 'proto3';\n" * 20, encoding="utf-8")


def half(path: Path) -> None:
    whole = built_in_files().SerializeToString()
    path.write_bytes(whole[: len(whole) // 2])


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file"),
        (Path.mkdir, "a folder"),
        (empty, "has nothing of mxaccess_gateway.v1"),
        (text, "not a descriptor set"),
        (half, "not a descriptor set, or not all of it"),
        (huge, "bytes; a contract's descriptor set has at most"),
    ],
)
def test_a_bad_file_is_told_in_one_line_and_nothing_changes(
    make: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.protoset"
    make(path)
    with pytest.raises(MxGatewayArgumentError, match=said) as refused:
        adopt(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
    assert not kept_path().exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = write_permuted(tmp_path / "theirs.protoset", 1)
    path.chmod(0)
    with pytest.raises(MxGatewayArgumentError, match="Permission denied"):
        adopt(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a link needs a right there")
def test_a_kept_link_to_nothing_is_an_error_and_not_the_built_in_contract(tmp_path: Path) -> None:
    kept_path().parent.mkdir(parents=True, exist_ok=True)
    kept_path().symlink_to(tmp_path / "unmounted.protoset")
    found = configured()
    assert (found.origin, found.path) == ("adopted", kept_path())
    assert give_up() == kept_path()
    assert configured().is_built_in


WHAT_IS_SPOKEN = """
from zb_mom_ww_mxgateway import contract
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
print(contract.spoken().origin, pb.MX_COMMAND_KIND_WRITE)
"""


def number_of_write(path: Path) -> int:
    files = Files.FromString(path.read_bytes())
    kinds = next(enum for file in files.file for enum in file.enum_type if enum.name == "MxCommandKind")
    return next(value.number for value in kinds.value if value.name == "MX_COMMAND_KIND_WRITE")


def test_what_was_adopted_is_spoken_by_every_process_until_it_is_given_up(tmp_path: Path) -> None:
    assert run(WHAT_IS_SPOKEN) == ["built-in 13"]
    path = write_permuted(tmp_path / "theirs.protoset", 1)
    number = number_of_write(path)
    assert number != 13
    adopt(path)
    path.unlink()  # What is kept is a copy.
    assert run(WHAT_IS_SPOKEN) == [f"adopted {number}"]
    other = write_permuted(tmp_path / "others.protoset", 2)
    assert run(WHAT_IS_SPOKEN, MXGATEWAY_CONTRACT=str(other)) == [f"environment {number_of_write(other)}"]
    assert give_up() == kept_path()
    assert run(WHAT_IS_SPOKEN) == ["built-in 13"]
    assert give_up() is None


def test_a_process_that_adopted_nothing_loads_nothing_for_it() -> None:
    program = (
        "import sys\nfrom zb_mom_ww_mxgateway import GatewayClient, LiveSession\n"
        "print(sorted(name for name in sys.modules if name.startswith('zb_mom_ww_mxgateway.contract.')))\n"
        "print('google.protobuf.descriptor_pb2' in sys.modules)"
    )
    assert run(program) == ["['zb_mom_ww_mxgateway.contract.adoption']", "False"]


CHOSEN_LATE = """
import asyncio, sys
from zb_mom_ww_mxgateway import (
    ClientOptions, GatewayClient, LiveSession, MxGatewayArgumentError, Session, WriteEntry, contract, to_mx_value, wire
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
import zb_mom_ww_mxgateway.commands.writes, zb_mom_ww_mxgateway.wire.alarms

chosen, other, endpoint, key = sys.argv[1:]
print(contract.use(chosen).origin, pb.MX_COMMAND_KIND_WRITE)

async def main():
    options = ClientOptions(endpoint=endpoint, api_key=key, plaintext=True, contract=chosen)
    async with await GatewayClient.connect(options) as client, await LiveSession.open(client) as live:
        results = await live.write_many({"TestChildObject.TestInt": 77}, timeout=20)
        print(*(result.outcome.name for result in results.values()))
        print(len([each async for each in client.galaxy.discover()]) > 0)
    for choice in (contract.use, lambda path: ClientOptions(endpoint=endpoint, contract=path)):
        try:
            made = choice(other)
            await GatewayClient.connect(made)
        except MxGatewayArgumentError as error:
            print("another contract already" in str(error))

asyncio.run(main())
"""


async def test_a_program_may_choose_after_its_imports_but_before_its_first_client(tmp_path: Path) -> None:
    chosen, other = (write_permuted(tmp_path / f"{seed}.protoset", seed) for seed in (1, 2))
    simulator = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--plaintext", "--contract", str(chosen)),
        stdout=subprocess.PIPE,
    )
    try:
        assert simulator.stdout is not None
        facts = json.loads(await simulator.stdout.readline())
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CHOSEN_LATE, str(chosen), str(other), facts["endpoint"], facts["api_key"]),
            stdout=subprocess.PIPE,
        )
        out, _ = await program.communicate()
        lines = out.decode().splitlines()
        assert lines == [f"program {number_of_write(chosen)}", "COMPLETED", "True", "True", "True"]
        # Its reflection shows what it speaks.
        assert await reflected_number_of_write(facts["endpoint"]) == number_of_write(chosen)
    finally:
        simulator.terminate()
        await simulator.communicate()


async def reflected_number_of_write(endpoint: str) -> int:
    async with grpc.aio.insecure_channel(endpoint) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol="mxaccess_gateway.v1.MxCommandKind")
        async for answer in stub.ServerReflectionInfo(iter([asked])):
            files = answer.file_descriptor_response.file_descriptor_proto
            file = descriptor_pb2.FileDescriptorProto.FromString(files[0])
            kinds = next(enum for enum in file.enum_type if enum.name == "MxCommandKind")
            return next(value.number for value in kinds.value if value.name == "MX_COMMAND_KIND_WRITE")
    raise AssertionError("no answer")


async def test_options_with_the_contract_that_is_spoken_are_fine_and_with_another_refused(
    gateway: SimulatedGateway, tmp_path: Path
) -> None:
    same, other = tmp_path / "same.protoset", write_permuted(tmp_path / "other.protoset", 1)
    same.write_bytes(built_in_files().SerializeToString())
    options = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
    async with await GatewayClient.connect(**options, contract=same) as client:
        assert client.options.contract == same
    with pytest.raises(MxGatewayArgumentError, match="another contract already"):
        await GatewayClient.connect(**options, contract=other)
    with pytest.raises(MxGatewayArgumentError, match="contract must be the path"):
        ClientOptions(endpoint=gateway.endpoint, contract=7)  # type: ignore[arg-type]  # that is what is tested
    assert contract.spoken().is_built_in


NEWER = """
import pickle
from zb_mom_ww_mxgateway import DataType, from_mx_value
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.wire import is_mutating

taken, free, unknown = 5, 70, 2
for number in (taken, free, unknown, 99):
    found = from_mx_value(pb.MxValue(data_type=number, raw_diagnostic="x")).data_type
    assert pickle.loads(pickle.dumps(found)) == found
    print(name_of(found), found in list(DataType), found == 5)
value = pb.MxValue(string_value="x", newer="kept")
print(pb.MxValue.FromString(value.SerializeToString()).newer)
request = pb.MxCommandRequest(command=pb.MxCommand(kind="MX_COMMAND_KIND_WRITE3"))
print(is_mutating(request))
request = pb.MxCommandRequest(command=pb.MxCommand(kind="MX_COMMAND_KIND_PING", write3=pb.WriteCommand()))
print(is_mutating(request))
"""


def test_what_only_the_adopted_contract_has_is_kept_and_shown_and_never_taken_for_ours(tmp_path: Path) -> None:
    files = built_in_files()
    enums = {enum.name: enum for file in files.file for enum in file.enum_type}
    types = {value.name.removeprefix("MX_DATA_TYPE_"): value for value in enums["MxDataType"].value}
    types["FLOAT"].number, types["NO_DATA"].number = 80, 81  # 5 and 2 are free for others
    enums["MxDataType"].value.add(name="MX_DATA_TYPE_TURBO", number=5)
    enums["MxDataType"].value.add(name="MX_DATA_TYPE_WARP", number=70)
    enums["MxCommandKind"].value.add(name="MX_COMMAND_KIND_WRITE3", number=200)
    field = descriptor_pb2.FieldDescriptorProto
    message(files, "MxValue").field.add(name="newer", number=90, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    arm = message(files, "MxCommand").field.add(name="write3", number=200, type=field.TYPE_MESSAGE)
    arm.type_name, arm.label, arm.oneof_index = ".mxaccess_gateway.v1.WriteCommand", field.LABEL_OPTIONAL, 0
    path = tmp_path / "newer.protoset"
    path.write_bytes(files.SerializeToString())
    assert run(NEWER, MXGATEWAY_CONTRACT=str(path)) == [
        "TURBO (5) False False",
        "WARP (70) False False",
        "number 2 of the gateway's False False",
        "99 False False",
        "kept",
        "True",
        "True",
    ]
