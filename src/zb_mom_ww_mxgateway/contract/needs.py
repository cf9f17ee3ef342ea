"""What a contract must have for this library to speak it: every name that is used, with a type that fits."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor import FieldDescriptor

from zb_mom_ww_mxgateway.contract.descriptors import PACKAGES, built_in_modules
from zb_mom_ww_mxgateway.contract.messages import Modules, modules_of
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError

_MOST_SHOWN = 20

_F = FieldDescriptor
_SIGNED_32 = {_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32}
_SIGNED_64 = {_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64}
_UNSIGNED_32 = {_F.TYPE_UINT32, _F.TYPE_FIXED32}
_UNSIGNED_64 = {_F.TYPE_UINT64, _F.TYPE_FIXED64}
# Whatever ours can hold, theirs must: a handle or a sequence that does not fit could not be sent back.
_FITS = {
    _F.TYPE_INT32: _SIGNED_32 | _SIGNED_64,
    _F.TYPE_INT64: _SIGNED_64,
    _F.TYPE_UINT32: _UNSIGNED_32 | _UNSIGNED_64 | _SIGNED_64,
    _F.TYPE_UINT64: _UNSIGNED_64,
}

Lacks = dict[tuple[str, str], str]
"""Why a thing does not do, by its owner and its name as a comparison names them."""


def checked_modules(path: Path, files: pb.FileDescriptorSet) -> Modules:
    """The modules of a descriptor set that has all that is needed; else MxGatewayArgumentError with the list."""
    modules = modules_of(path, files)
    lacks = [f"{owner}{f': {name}' if name else ''}: {why}" for (owner, name), why in lacks_of(modules).items()]
    if lacks:
        more = f"; and {len(lacks) - _MOST_SHOWN} more" if len(lacks) > _MOST_SHOWN else ""
        raise MxGatewayArgumentError(
            f"{path}: this library cannot speak it, it lacks {len(lacks)} of what is used: "
            f"{'; '.join(lacks[:_MOST_SHOWN])}{more}; mxgw-py contract compare lists every difference"
        )
    return modules


def lacks_of(modules: Modules) -> Lacks:
    """What is used here and missing there, or of a type that does not fit."""
    lacks: Lacks = {}
    for name, package in PACKAGES.items():
        ours, theirs = built_in_modules()[name].DESCRIPTOR, SimpleNamespace(**modules[name])
        for service in ours.services_by_name.values():
            lacks |= _of_service(package, service, theirs)
        for enum in ours.enum_types_by_name.values():
            lacks |= _of_enum(f"{package}: enum {enum.name}", enum, getattr(theirs, enum.name, None))
        for message in ours.message_types_by_name.values():
            lacks |= _of_message(f"{package}: message {message.name}", message, getattr(theirs, message.name, None))
    return lacks


def _of_service(package: str, ours: Any, theirs: Any) -> Iterator[tuple[tuple[str, str], str]]:
    owner = f"{package}: service {ours.name}"
    file = getattr(theirs, "DESCRIPTOR", None)
    service = file.services_by_name.get(ours.name) if file is not None else None
    if service is None:
        yield (owner, ""), "missing"
        return
    for method in ours.methods:
        key, found = (owner, f"rpc {method.name}"), service.methods_by_name.get(method.name)
        if found is None:
            yield key, "missing"
        elif _shape(found) != _shape(method):
            yield key, f"is {_shape(found)}, not {_shape(method)}"


def _shape(method: Any) -> str:
    sent = f"{'stream ' if method.client_streaming else ''}{method.input_type.full_name}"
    return f"{sent} to {'stream ' if method.server_streaming else ''}{method.output_type.full_name}"


def _of_enum(owner: str, ours: Any, theirs: Any) -> Iterator[tuple[tuple[str, str], str]]:
    if not hasattr(theirs, "DESCRIPTOR") or hasattr(theirs, "FromString"):
        yield (owner, ""), "missing"
        return
    names: dict[int, str] = {}
    for value in ours.values:
        key, found = (owner, f"value {value.name}"), theirs.DESCRIPTOR.values_by_name.get(value.name)
        if found is None:
            yield key, "missing"
        elif (found.number == 0) != (value.number == 0):
            # What is not there reads as 0: that must go on to mean nothing.
            yield key, f"its number is {found.number}, and 0 must be the value that says nothing"
        elif found.number in names:
            yield key, f"has the number of {names[found.number]}"
        else:
            names[found.number] = value.name


def _of_message(owner: str, ours: Any, theirs: Any) -> Iterator[tuple[tuple[str, str], str]]:
    if not hasattr(theirs, "FromString"):
        yield (owner, ""), "missing"
        return
    for field in ours.fields:
        found = theirs.DESCRIPTOR.fields_by_name.get(field.name)
        why = "missing" if found is None else _misfit(field, found)
        if why:
            yield (owner, f"field {field.name}"), why


def _misfit(ours: Any, theirs: Any) -> str:
    if _type(ours) != _type(theirs) and theirs.type not in _FITS.get(ours.type, ()):
        return f"its type is {_type(theirs)}, not {_type(ours)}"
    if ours.is_repeated != theirs.is_repeated:
        return "it is repeated" if theirs.is_repeated else "it is not repeated"
    if ours.has_presence and not theirs.has_presence:
        return "it is not optional"
    if _oneof(ours) != _oneof(theirs):
        return f"it is in {_oneof(theirs) or 'no oneof'}, not in {_oneof(ours) or 'one'}"
    return ""


def _type(field: Any) -> str:
    if field.message_type is not None:
        return str(field.message_type.full_name)
    if field.enum_type is not None:
        return str(field.enum_type.full_name)
    return pb.FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _oneof(field: Any) -> str:
    oneof = field.containing_oneof
    # An optional field is the only one of a oneof that protoc made for it.
    return "" if oneof is None or oneof.name == f"_{field.name}" else str(oneof.name)
