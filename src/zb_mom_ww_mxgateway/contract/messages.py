"""Message classes made from a descriptor set, under the names of the generated ones."""

from importlib import import_module
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message_factory import GetMessageClass

from zb_mom_ww_mxgateway.contract.descriptors import PACKAGES
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError

Modules = dict[str, dict[str, Any]]
"""Contents of the generated modules, by the module's name: message classes, enums and their values."""

POOL = "MXGATEWAY_POOL"
"""In each module: the pool of its descriptors, for server reflection."""


def modules_of(path: Path, files: pb.FileDescriptorSet) -> Modules:
    """The modules of a descriptor set, in a pool of their own. `path` names it in MxGatewayArgumentError."""
    pool = DescriptorPool()
    by_name = {file.name: file for file in files.file}
    added: set[str] = set()

    def add(name: str, wanted_by: str) -> None:
        if name in added:
            return
        added.add(name)
        file = _well_known(name) or by_name.get(name)
        if file is None:
            raise MxGatewayArgumentError(
                f"{path}: {wanted_by} imports {name}, which is not in it: make it with protoc --include_imports"
            )
        for dependency in file.dependency:
            add(dependency, name)
        try:
            pool.Add(file)
        except (TypeError, ValueError) as error:
            said = " ".join(str(error).split())
            raise MxGatewayArgumentError(f"{path}: {name} contradicts itself: {said}") from error

    modules: Modules = {name: {POOL: pool} for name in PACKAGES}
    for module, package in PACKAGES.items():
        content = modules[module]
        for file in files.file:
            if file.package != package:
                continue
            add(file.name, "")
            descriptor: Any = pool.FindFileByName(file.name)
            content |= _content(descriptor)
            if "DESCRIPTOR" not in content or descriptor.services_by_name:
                content["DESCRIPTOR"] = descriptor
    return modules


def _content(file: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        name: GetMessageClass(descriptor) for name, descriptor in file.message_types_by_name.items()
    }
    for name, enum in file.enum_types_by_name.items():
        content[name] = EnumTypeWrapper(enum)
        content |= {value.name: value.number for value in enum.values}
    return content


def _well_known(name: str) -> pb.FileDescriptorProto | None:
    """The installed file of protobuf's own types: theirs are the same, and may be left out of a set."""
    folder, _, stem = name.rpartition("/")
    if folder != "google/protobuf":
        return None
    try:
        module = import_module(f"google.protobuf.{stem.removesuffix('.proto')}_pb2")
    except ImportError:
        return None
    file = pb.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    return file
