"""Whether a tag has the value that was written to it: seen on the event stream, not asked for again."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayWaitError
from zb_mom_ww_mxgateway.handles import Item
from zb_mom_ww_mxgateway_cli.output import value_form, value_text
from zb_mom_ww_mxgateway_shell.values_said import freshness, quality_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue

# A float attribute keeps about seven digits of what was written.
_RELATIVE = 1e-6


@dataclass(frozen=True, slots=True)
class Seen:
    """What the tag has after the write."""

    is_as_written: bool
    value: "LiveValue | None"
    text: str

    def form(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "as_written": self.is_as_written,
            "quality": self.value and self.value.quality,
            "value": self.value and value_form(self.value.value),
        }


async def verified(live: "LiveSession", item: Item, written: object, timeout: float) -> Seen:
    """Waits at most `timeout` seconds until the item has the value written, good and not stale."""
    problem = ""
    try:
        reached = await live.wait_for(item.tag, lambda now: same(written, now), timeout=timeout)
        return Seen(True, reached, f"the value is {_shown(reached)}")
    except MxGatewayWaitError:
        pass
    except MxGatewayError as error:
        problem = f": {error}"
    value = live.latest(*item.key)
    if value is None:
        return Seen(False, None, f"NOT VERIFIED: it has no value{problem}")
    return Seen(False, value, f"NOT VERIFIED: after {timeout:g} s the value is {_shown(value)}{problem}")


def same(written: Any, now: Any) -> bool:
    """Whether a value is the one written, as far as the attribute's type can keep it."""
    if isinstance(written, list | tuple) and isinstance(now, list | tuple):
        return len(written) == len(now) and all(same(a, b) for a, b in zip(written, now, strict=True))
    if isinstance(written, bool) or isinstance(now, bool):
        return written is now
    if isinstance(written, int | float) and isinstance(now, int | float):
        return math.isclose(written, now, rel_tol=_RELATIVE, abs_tol=1e-12)
    if isinstance(written, datetime) and isinstance(now, datetime):
        return abs((written - now).total_seconds()) < 0.001
    return bool(written == now)


def _shown(value: "LiveValue") -> str:
    return f"{value_text(value.value)}, {quality_text(value)}, {freshness(value)}"
