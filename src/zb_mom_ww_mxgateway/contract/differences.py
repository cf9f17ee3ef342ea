"""The facts of a contract, and what differs between those of two."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from google.protobuf import descriptor_pb2 as pb

from zb_mom_ww_mxgateway.contract.descriptors import PACKAGES
from zb_mom_ww_mxgateway.contract.needs import Lacks

_FIELD = pb.FieldDescriptorProto
Facts = dict[str, str]
"""What is known of one thing, by what it is called: ``{"number": "3", "type": "string"}``."""
Things = dict[tuple[str, str], Facts]
"""Facts by the thing's owner and its own name: ``("message MxValue", "field is_null")``."""


class Weight(StrEnum):
    """What a difference means for whoever speaks to the gateway."""

    REFUSED = "refused"
    """Something that is used is missing or does not fit: the contract cannot be spoken."""
    MATTERS = "matters"
    """Both would misunderstand each other, until theirs is adopted."""
    HARMLESS = "harmless"
    """Neither misunderstands the other."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the contract spoken here and another one."""

    owner: str
    name: str
    what: str
    weight: Weight

    @property
    def text(self) -> str:
        """What differs where, in one line."""
        return f"{self.owner}{f': {self.name}' if self.name else ''}: {self.what}"

    def line(self) -> str:
        """With its weight, for a person."""
        return f"{self.weight:<8}  {self.text}"


def things_of(files: pb.FileDescriptorSet) -> Things:
    """The facts of our two packages in a descriptor set; other packages do not count."""
    things: Things = {}
    for file in files.file:
        if file.package in PACKAGES.values():
            for owner, name, facts in _facts_of_file(file):
                things[f"{file.package}: {owner}", name] = facts
    return things


def differences(ours: Things, theirs: Things, lacks: Lacks) -> list[Difference]:
    """Every difference, in the order of the names. `lacks`: what is needed here and does not do there."""
    found = []
    for owner, name in sorted({*ours, *theirs}):
        key = owner, name
        if key not in theirs:
            weight = Weight.REFUSED if key in lacks or (owner, "") in lacks else Weight.HARMLESS
            found.append(Difference(owner, name, f"only here{_in_words(ours[key])}", weight))
        elif key not in ours:
            found.append(Difference(owner, name, f"only in theirs{_in_words(theirs[key])}", Weight.HARMLESS))
        else:
            found += [
                Difference(
                    owner,
                    name,
                    f"{fact} is {ours[key].get(fact, 'none')} here, {theirs[key].get(fact, 'none')} in theirs",
                    Weight.REFUSED if key in lacks else _weight_of(fact, ours[key], theirs[key]),
                )
                for fact in sorted({*ours[key], *theirs[key]})
                if ours[key].get(fact) != theirs[key].get(fact)
            ]
    return found


# These are the same bytes for whatever value both can hold.
_SAME_BYTES = ({"int32", "int64", "uint32", "uint64", "bool"}, {"sint32", "sint64"})


def _weight_of(fact: str, ours: Facts, theirs: Facts) -> Weight:
    if fact == "label" and "repeated" not in (ours[fact], theirs[fact]):
        return Weight.HARMLESS
    if fact == "type" and any({ours[fact], theirs[fact]} <= kind for kind in _SAME_BYTES):
        return Weight.HARMLESS
    return Weight.MATTERS


def _in_words(facts: Facts) -> str:
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
    for package in PACKAGES.values():
        type_name = type_name.removeprefix(f".{package}.")
    return type_name.removeprefix(".")
