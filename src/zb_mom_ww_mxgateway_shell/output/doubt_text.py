"""Writes whose outcome is unknown, in words."""

from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway_console.render.forms import age_text, value_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.doubtful_writes import DoubtfulWrite

MAY_STILL_HAPPEN = f"may still happen for up to {COMMAND_SECONDS:g} s"


def doubt_text(write: "DoubtfulWrite") -> str:
    """Return what is known of a write by now."""
    from zb_mom_ww_mxgateway.safety.doubtful_writes import WATCHED_SECONDS

    known = "which was accepted, and whose effect is unknown" if write.is_accepted else "whose outcome is unknown"
    value = f"the write of {value_text(write.value)}, {known}"
    if write.seen_at is not None:
        return f"{value}: the tag had that value {age_text(write.seen_at - write.sent_at)} after it was sent"
    if write.is_over:
        unseen = f"was not seen within {WATCHED_SECONDS:g} s after it was sent"
        return f"{value}: that value {unseen}{'' if write.is_watched else ', and its item was removed meanwhile'}"
    left = write.may_still_happen_for
    still = f"it may still happen for {age_text(left)}" if left > 0 else "it may just have happened"
    return f"{value}: not seen yet, {still}{'' if write.is_watched else '; its item was removed, so it is not watched'}"
