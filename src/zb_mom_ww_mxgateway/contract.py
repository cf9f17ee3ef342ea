"""Compares our contract with upstream's: ``python -m zb_mom_ww_mxgateway.contract PATH``.

PATH is a descriptor set (``mxaccessgw-client-v1.protoset``) or a folder of ``.proto`` files, which takes
grpcio-tools to read. Every difference of name, number, type, label, oneof and method is a line on standard
output. Exit code 0: none; 1: some; 2: PATH cannot be read.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.message import DecodeError

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2, mxaccess_gateway_pb2

PACKAGES = ("mxaccess_gateway.v1", "galaxy_repository.v1")

_FIELD = pb.FieldDescriptorProto
Facts = dict[str, str]
"""What is known of one thing, by what it is called: ``{"number": "3", "type": "string"}``."""
Contract = dict[tuple[str, str], Facts]
"""Facts by the thing's owner and its own name: ``("message MxValue", "field is_null")``."""


class ContractError(Exception):
    """The other contract cannot be read; one line that says why."""


def our_contract() -> Contract:
    """What this library was generated from."""
    found = pb.FileDescriptorSet()
    for module in (mxaccess_gateway_pb2, galaxy_repository_pb2):
        module.DESCRIPTOR.CopyToProto(found.file.add())
    return contract_of(found)


def contract_at(path: Path) -> Contract:
    """The contract of a descriptor set or of a folder of ``.proto`` files; raises ContractError."""
    data = _compiled(path) if path.is_dir() else _read(path)
    found = pb.FileDescriptorSet()
    try:
        found.ParseFromString(data)
    except DecodeError as error:
        raise ContractError(f"{path}: not a descriptor set") from error
    contract = contract_of(found)
    if not contract:
        raise ContractError(f"{path}: has nothing of {' or '.join(PACKAGES)}")
    return contract


def contract_of(files: pb.FileDescriptorSet) -> Contract:
    """The facts of our two packages in a descriptor set; other packages do not count."""
    contract: Contract = {}
    for file in files.file:
        if file.package in PACKAGES:
            for owner, name, facts in _facts_of_file(file):
                contract[f"{file.package}: {owner}", name] = facts
    return contract


def differences(ours: Mapping[tuple[str, str], Facts], theirs: Mapping[tuple[str, str], Facts]) -> list[str]:
    """A line for each difference, in the order of the names."""
    lines = []
    for key in sorted({*ours, *theirs}):
        owner, name = key
        label = f"{owner}{f': {name}' if name else ''}"
        if key not in theirs:
            lines.append(f"{label}: only here{_said(ours[key])}")
        elif key not in ours:
            lines.append(f"{label}: only in theirs{_said(theirs[key])}")
        else:
            lines += [
                f"{label}: {fact} is {ours[key].get(fact, 'none')} here, {theirs[key].get(fact, 'none')} in theirs"
                for fact in sorted({*ours[key], *theirs[key]})
                if ours[key].get(fact) != theirs[key].get(fact)
            ]
    return lines


def _said(facts: Facts) -> str:
    return f" ({', '.join(f'{name} {value}' for name, value in facts.items())})" if facts else ""


def _facts_of_file(file: pb.FileDescriptorProto) -> Iterator[tuple[str, str, Facts]]:
    for service in file.service:
        yield f"service {service.name}", "", {}
        for method in service.method:
            facts = {
                "request": _short(method.input_type),
                "reply": _short(method.output_type),
                "streams": "replies" if method.server_streaming else "nothing",
                "takes": "a stream" if method.client_streaming else "one request",
            }
            yield f"service {service.name}", f"rpc {method.name}", facts
    for enum in file.enum_type:
        yield from _facts_of_enum(enum, "")
    for message in file.message_type:
        yield from _facts_of_message(message, "")


def _facts_of_enum(enum: pb.EnumDescriptorProto, outer: str) -> Iterator[tuple[str, str, Facts]]:
    owner = f"enum {outer}{enum.name}"
    yield owner, "", {}
    for value in enum.value:
        yield owner, f"value {value.name}", {"number": str(value.number)}


def _facts_of_message(message: pb.DescriptorProto, outer: str) -> Iterator[tuple[str, str, Facts]]:
    owner = f"message {outer}{message.name}"
    yield owner, "", {}
    for field in message.field:
        facts = {
            "number": str(field.number),
            "type": _short(field.type_name) or _FIELD.Type.Name(field.type).removeprefix("TYPE_").lower(),
            "label": "optional"
            if field.proto3_optional
            else _FIELD.Label.Name(field.label).removeprefix("LABEL_").lower(),
        }
        # The label of a plain field says nothing in proto3.
        if facts["label"] == "optional" and not field.proto3_optional:
            facts["label"] = "single"
        if field.HasField("oneof_index") and not field.proto3_optional:
            facts["oneof"] = message.oneof_decl[field.oneof_index].name
        yield owner, f"field {field.name}", facts
    for reserved in message.reserved_range:
        yield owner, f"reserved {reserved.start} to {reserved.end - 1}", {}
    for enum in message.enum_type:
        yield from _facts_of_enum(enum, f"{outer}{message.name}.")
    for nested in message.nested_type:
        yield from _facts_of_message(nested, f"{outer}{message.name}.")


def _short(type_name: str) -> str:
    """A type's name without our packages: what is compared is the type, not its home."""
    for package in PACKAGES:
        type_name = type_name.removeprefix(f".{package}.")
    return type_name.removeprefix(".")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContractError(f"{path}: {error.strerror}") from error


def _compiled(folder: Path) -> bytes:
    try:
        from importlib.resources import files

        from grpc_tools import protoc
    except ImportError:
        raise ContractError(
            "reading .proto files takes grpcio-tools: pip install grpcio-tools, or name a descriptor set"
        ) from None
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    if not names:
        raise ContractError(f"{folder}: no .proto files in it")
    with tempfile.TemporaryDirectory() as build:
        target = Path(build) / "contract.protoset"
        arguments: list[Any] = ["protoc", f"-I{folder}", f"-I{files('grpc_tools') / '_proto'}"]
        if protoc.main([*arguments, f"--descriptor_set_out={target}", *names]) != 0:
            raise ContractError(f"{folder}: protoc cannot read its files (see above)")
        return target.read_bytes()


def main(arguments: list[str]) -> int:
    """Compares and prints; the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(
            "usage: python -m zb_mom_ww_mxgateway.contract PATH (a .protoset, or a folder of .proto files)\n"
        )
        return 2
    try:
        theirs = contract_at(Path(arguments[0]))
    except ContractError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = differences(our_contract(), theirs)
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(found)} differences\n" if found else "no differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
