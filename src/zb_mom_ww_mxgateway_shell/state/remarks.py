"""Remarks of a person, kept in the journal for the summary of a shift."""

from contextlib import suppress

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_shell.state.context import Context


def keep_remark(context: Context, what: str, text: str) -> None:
    """Add a remark to the journal, in the background; `what` is its kind, such as ``note``. A plan keeps none."""
    if context.file.plan is not None:
        return
    fields = {"what": what, "text": text, "step": context.file.step}
    if context.current is not None:
        context.current.desk.records.note("remark", **fields)
        return
    with suppress(MxGatewayError):  # A user without a home has no journal.
        context.journals.of(is_demo=context.is_demo).post("remark", fields)
