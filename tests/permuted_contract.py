"""A contract like ours in which every number of a field and of an enum's value is another one."""

import random
from collections.abc import Container, Iterable
from pathlib import Path

from google.protobuf import descriptor_pb2 as pb

from zb_mom_ww_mxgateway.contract.descriptors import PACKAGES, built_in_files

GATEWAY, GALAXY = PACKAGES.values()


def permuted(
    seed: int, packages: Iterable[str] = (GATEWAY, GALAXY), only: Container[str] | None = None
) -> pb.FileDescriptorSet:
    """Our contract with the numbers in each message and enum of the packages dealt anew; no field keeps its own.

    0 stays: what an enum that is not there says. `only`: the messages and enums that change, where not all do.
    """
    chosen, names = random.Random(seed), set(packages)
    files = built_in_files()
    for file in files.file:
        if file.package in names:
            for message in file.message_type:
                if only is None or message.name in only:
                    del message.reserved_range[:]
                    _deal(message.field, chosen)
            for enum in file.enum_type:
                if only is None or enum.name in only:
                    _deal([value for value in enum.value if value.number], chosen)
    return files


def write_permuted(path: Path, seed: int, packages: Iterable[str] = (GATEWAY, GALAXY)) -> Path:
    """The permuted contract as a file, which a process adopts."""
    path.write_bytes(permuted(seed, packages).SerializeToString())
    return path


def _deal(things: Iterable[pb.FieldDescriptorProto] | list[pb.EnumValueDescriptorProto], chosen: random.Random) -> None:
    things = list(things)
    before = [thing.number for thing in things]
    if len(before) == 1:
        things[0].number += chosen.randint(1, 5)
        return
    after = before[:]
    while any(one == other for one, other in zip(before, after, strict=True)):
        chosen.shuffle(after)
    for thing, number in zip(things, after, strict=True):
        thing.number = number
