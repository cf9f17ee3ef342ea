"""MXAccess statuses and hresults that the simulator uses."""

from dataclasses import dataclass
from enum import IntEnum

E_INVALIDARG = -2147024809  # 0x80070057
E_FAIL = -2147467259  # 0x80004005
E_ACCESSDENIED = -2147024891  # 0x80070005
# A secured write without a user of its server handle, or without a value.
NOT_SECURED = -2147467231  # 0x80004021
S_OK = 0

GOOD = 192
UNCERTAIN = 64
BAD = 0
SENSOR_FAILED = 16
LAST_VALUE = 20
"""The source is lost; the value is its last one."""
NO_VALUE_YET = 32
_QUALITIES = {"good": GOOD, "uncertain": UNCERTAIN, "bad": BAD}


class Category(IntEnum):
    """Status categories, with MXAccess's own numbers plus 2."""

    OK = 2
    PENDING = 3
    WARNING = 4
    COMMUNICATION_ERROR = 5
    CONFIGURATION_ERROR = 6
    OPERATIONAL_ERROR = 7
    SECURITY_ERROR = 8
    SOFTWARE_ERROR = 9
    OTHER_ERROR = 10


class Source(IntEnum):
    """Detectors of a status, with MXAccess's own numbers plus 2."""

    REQUESTING_LMX = 2
    RESPONDING_LMX = 3
    REQUESTING_NMX = 4
    RESPONDING_NMX = 5
    REQUESTING_AUTOMATION_OBJECT = 6
    RESPONDING_AUTOMATION_OBJECT = 7


@dataclass(frozen=True, slots=True)
class Status:
    """One MXSTATUS_PROXY: category, detector and native detail number."""

    category: Category
    detected_by: Source = Source.RESPONDING_LMX
    detail: int = 0
    text: str = ""


def quality_of(quality: str | int) -> int:
    """Return a quality by its name or number, which may be a text. Raise ValueError."""
    text = str(quality).lower()
    if text in _QUALITIES:
        return _QUALITIES[text]
    if text.isascii() and text.isdigit() and int(text) <= 255:
        return int(text)
    raise ValueError(f"{quality!r} is not a quality; use good, uncertain, bad or a number from 0 to 255")


def is_bad(quality: int) -> bool:
    """Return whether an OPC quality byte says that the value is bad."""
    return quality < UNCERTAIN


OK = Status(Category.OK)
NO_SUCH_REFERENCE = Status(Category.CONFIGURATION_ERROR, Source.REQUESTING_LMX, 2, "the reference does not resolve")
NOT_AN_ARRAY = Status(Category.CONFIGURATION_ERROR, Source.REQUESTING_LMX, 21, "the attribute is not an array")
INDEX_OUT_OF_RANGE = Status(
    Category.CONFIGURATION_ERROR, Source.RESPONDING_AUTOMATION_OBJECT, 28, "index out of range; elements count from 1"
)
BARE_ARRAY = Status(Category.COMMUNICATION_ERROR, Source.REQUESTING_LMX, 1003, "an array is addressed with []")
WRONG_TYPE = Status(
    Category.OPERATIONAL_ERROR, Source.RESPONDING_AUTOMATION_OBJECT, 30, "the value is not of the attribute's type"
)
OUT_OF_RANGE = Status(
    Category.OPERATIONAL_ERROR, Source.RESPONDING_AUTOMATION_OBJECT, 29, "the value is out of the attribute's range"
)
WRITE_DENIED = Status(
    Category.SECURITY_ERROR, Source.RESPONDING_AUTOMATION_OBJECT, 33, "the attribute cannot be written"
)
SECURED_WRITE_NEEDED = Status(
    Category.SECURITY_ERROR, Source.RESPONDING_AUTOMATION_OBJECT, 56, "the attribute needs a secured write"
)
VERIFIED_WRITE_NEEDED = Status(
    Category.SECURITY_ERROR, Source.RESPONDING_AUTOMATION_OBJECT, 57, "the attribute needs a verified write"
)
INVALID_ARGUMENT = Status(
    Category.CONFIGURATION_ERROR, Source.REQUESTING_LMX, 0, "Value does not fall within the expected range"
)


class MxRefusal(Exception):
    """MXAccess refuses the call: the gRPC status is OK, and the reply carries the refusal."""

    def __init__(self, text: str, hresult: int = E_INVALIDARG, statuses: tuple[Status, ...] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.hresult = hresult
        self.statuses = statuses
