"""Descriptor sets from files, and the built-in one."""

import tempfile
from functools import cache
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.message import DecodeError

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.regular_files import read_bytes

PACKAGES = {"mxaccess_gateway_pb2": "mxaccess_gateway.v1", "galaxy_repository_pb2": "galaxy_repository.v1"}
"""The contract's packages, by the name of the generated module."""
_MOST_BYTES = 16 * 1024 * 1024


def read_set(path: Path) -> bytes:
    """The bytes of a descriptor set. Raises MxGatewayArgumentError, in one line, for what cannot be one."""
    if path.is_dir():
        raise MxGatewayArgumentError(f"{path}: a folder; a descriptor set is one file, as *.protoset")
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise MxGatewayArgumentError(f"{path}: {size} bytes; a contract's descriptor set has at most {_MOST_BYTES}")
        return read_bytes(path)
    except OSError as error:
        raise MxGatewayArgumentError(f"{path}: {error.strerror or error}") from error


def files_of(path: Path, data: bytes) -> pb.FileDescriptorSet:
    """The files of a descriptor set; `path` names it in MxGatewayArgumentError."""
    found = pb.FileDescriptorSet()
    try:
        found.ParseFromString(data)
    except DecodeError as error:
        raise MxGatewayArgumentError(f"{path}: not a descriptor set, or not all of it") from error
    if not any(file.package in PACKAGES.values() for file in found.file):
        raise MxGatewayArgumentError(f"{path}: has nothing of {' or '.join(PACKAGES.values())}")
    return found


def files_at(path: Path) -> pb.FileDescriptorSet:
    """The files of a descriptor set, or those of a folder of ``.proto`` files; raises MxGatewayArgumentError."""
    return files_of(path, _compiled(path) if path.is_dir() else read_set(path))


@cache
def built_in_modules() -> dict[str, ModuleType]:
    """The generated modules, whichever contract this process speaks."""
    return {name: _generated(name) for name in PACKAGES}


def built_in_files() -> pb.FileDescriptorSet:
    """The built-in contract with all it imports: a descriptor set."""
    found = pb.FileDescriptorSet()
    there: set[str] = set()

    def add(descriptor: Any) -> None:
        if descriptor.name in there:
            return
        there.add(descriptor.name)
        for dependency in descriptor.dependencies:
            add(dependency)
        descriptor.CopyToProto(found.file.add())

    for module in built_in_modules().values():
        add(module.DESCRIPTOR)
    return found


def _generated(name: str) -> ModuleType:
    # By its file and under a name of its own: where a contract was adopted, the usual name stands for that one.
    path = Path(__file__).parents[1] / "generated" / f"{name}.py"
    spec = util.spec_from_file_location(f"{__name__}.{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compiled(folder: Path) -> bytes:
    try:
        from importlib.resources import files

        from grpc_tools import protoc
    except ImportError:
        raise MxGatewayArgumentError(
            "reading .proto files takes grpcio-tools: pip install grpcio-tools, or name a descriptor set"
        ) from None
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    if not names:
        raise MxGatewayArgumentError(f"{folder}: no .proto files in it")
    with tempfile.TemporaryDirectory() as build:
        target = Path(build) / "contract.protoset"
        arguments: list[Any] = ["protoc", f"-I{folder}", f"-I{files('grpc_tools') / '_proto'}", "--include_imports"]
        if protoc.main([*arguments, f"--descriptor_set_out={target}", *names]) != 0:
            raise MxGatewayArgumentError(f"{folder}: protoc cannot read its files (see above)")
        return target.read_bytes()
