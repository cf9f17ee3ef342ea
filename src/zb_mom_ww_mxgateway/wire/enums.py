"""Enums between Python and messages: by name, as a gateway's own contract may number them differently."""

from enum import IntEnum
from functools import cache
from typing import Any

from zb_mom_ww_mxgateway.contract.adoption import bind
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

# By the name of ours; others have the same name there.
_NAME_THERE = {
    "DataType": "MxDataType",
    "EventFamily": "MxEventFamily",
    "StatusCategory": "MxStatusCategory",
    "StatusSource": "MxStatusSource",
}
_PREFIXES = {
    "MxDataType": "MX_DATA_TYPE_",
    "MxEventFamily": "MX_EVENT_FAMILY_",
    "MxStatusCategory": "MX_STATUS_CATEGORY_",
    "MxStatusSource": "MX_STATUS_SOURCE_",
    "ProtocolStatusCode": "PROTOCOL_STATUS_CODE_",
    "SessionState": "SESSION_STATE_",
    "AlarmProviderMode": "ALARM_PROVIDER_MODE_",
    "AlarmTransitionKind": "ALARM_TRANSITION_KIND_",
    "AlarmConditionState": "ALARM_CONDITION_STATE_",
}


class ForeignNumber(int):
    """A number of an adopted contract that has no name here: shown as there, and equal to no member of our enums."""

    _BEYOND = 2**32  # numbers of a contract have 32 bits

    def __new__(cls, number: int, name: str) -> "ForeignNumber":
        made = super().__new__(cls, cls._BEYOND + number)
        made.number = number
        made.name_there = name
        return made

    number: int
    """In the adopted contract."""
    name_there: str
    """Its name in the adopted contract; empty where that does not know it either."""

    def __str__(self) -> str:
        return f"{self.name_there} ({self.number})" if self.name_there else f"number {self.number} of the gateway's"

    __repr__ = __str__

    def __reduce__(self) -> tuple[Any, ...]:
        return ForeignNumber, (self.number, self.name_there)


class _Members(dict[int, Any]):
    """Our members by the contract's numbers; for other numbers what stands for them."""

    def __init__(self, enum_type: type[IntEnum]) -> None:
        bind()
        name = _NAME_THERE.get(enum_type.__name__, enum_type.__name__)
        self._prefix, self._values = _PREFIXES[name], getattr(pb, name).DESCRIPTOR.values_by_number
        self._ours = {int(member) for member in enum_type}
        there = dict(getattr(pb, name).items())
        super().__init__({there[self._prefix + member.name]: member for member in enum_type})

    def __missing__(self, number: int) -> int:
        known = self._values.get(number)
        if number not in self._ours and known is None:
            return number
        return ForeignNumber(number, known.name.removeprefix(self._prefix) if known else "")


_members: dict[type[IntEnum], _Members] = {}


def open_enum(enum_type: type[IntEnum], number: int) -> Any:
    """The enum member; where the gateway knows more than we do the bare number, or what stands for it."""
    members = _members.get(enum_type)
    if members is None:
        members = _members[enum_type] = _Members(enum_type)
    return members[number]


_numbers: dict[type[IntEnum], dict[Any, int]] = {}


def number_of(member: IntEnum) -> Any:
    """The contract's number of a member, as a message takes it."""
    numbers = _numbers.get(type(member))
    if numbers is None:
        members = _members.get(type(member)) or _Members(type(member))
        numbers = _numbers[type(member)] = {each: number for number, each in members.items()}
    return numbers[member]


@cache
def known_kinds() -> frozenset[str]:
    """The kinds of command that this library knows, in lower case; an adopted contract may have more."""
    kinds = pb.MxCommandKind
    if not bind().is_built_in:
        from zb_mom_ww_mxgateway.contract.descriptors import built_in_modules  # Loaded where a contract was adopted.

        kinds = built_in_modules()["mxaccess_gateway_pb2"].MxCommandKind
    names = kinds.keys()
    return frozenset(name.removeprefix("MX_COMMAND_KIND_").lower() for name in names)
