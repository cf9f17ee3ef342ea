"""Verification of a write: the value as the event stream brings it, without another read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayWaitError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway_console.render.forms import value_form, value_text
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The value of the tag after the write."""

    is_as_written: bool
    value: "LiveValue | None"
    text: str

    def form(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "as_written": self.is_as_written,
            "quality": self.value and self.value.quality,
            "value": self.value and value_form(self.value.value),
        }


async def verified(
    live: "LiveSession", item: Item, written: object, timeout: float, tolerance: float | None = None
) -> ReadBack:
    """Wait at most `timeout` seconds until the item has the written value, good and not stale.

    Values are equal by the rule of :mod:`zb_mom_ww_mxgateway.comparison`.
    """
    known = live.latest(*item.key)
    data_type = known.data_type if known else DataType.UNSPECIFIED

    def is_there(now: object) -> bool:
        return same_value(written, now, tolerance=tolerance, data_type=data_type)

    problem = ""
    try:
        reached = await live.wait_for(item, is_there, timeout=timeout)
        return ReadBack(True, reached, f"the value is {_shown(reached)}")
    except MxGatewayWaitError:
        pass
    except MxGatewayError as error:
        problem = f": {error}"
    value = live.latest(*item.key)
    if value is None:
        return ReadBack(False, None, f"NOT VERIFIED: it has no value{problem}")
    return ReadBack(False, value, f"NOT VERIFIED: after {timeout:g} s the value is {_shown(value)}{problem}")


def _shown(value: "LiveValue") -> str:
    return f"{value_text(value.value)}, {quality_text(value)}, {freshness(value)}"
