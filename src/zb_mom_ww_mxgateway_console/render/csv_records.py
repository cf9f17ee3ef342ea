"""Records as CSV: Python's csv module reads them back unchanged, and no spreadsheet evaluates them."""

import re
from collections.abc import Iterable
from typing import Any

from zb_mom_ww_mxgateway.kept_secrets import are_kept
from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway_console.render.forms import json_line, value_form

# Characters that start a formula, also full-width ones, or that a spreadsheet skips before one. An apostrophe before
# them is our own mark, or must differ from it.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  # full-width signs start a formula too
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf)", re.IGNORECASE | re.ASCII)
# Characters that a reader may take for the end of a field or a record, and space that it may strip.
_QUOTED = re.compile('[",;\\x00-\\x1f\\x7f-\\x9f\u2028\u2029]|^\\s|\\s$')

# Most fields: nothing to quote.
_PLAIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:-]*").fullmatch


def csv_record(cells: Iterable[Any], *, raw: bool = False) -> str:
    """Return one record without its line end. None is an empty field; lists and objects are JSON.

    A text that a spreadsheet would evaluate gets an apostrophe in front, unless `raw`; numbers stay numbers.
    """
    fields = [_field(cell, raw) for cell in cells]
    # A record of one empty field would be an empty line, which is not a record.
    return ",".join(fields) if fields != [""] else '""'


def _field(cell: Any, raw: bool) -> str:
    kind = cell.__class__
    if cell is None:
        return ""
    if kind is float or kind is int:
        return repr(cell) if not are_kept() else redact(repr(cell))
    if kind is str and _PLAIN(cell) and "mxgw_" not in cell and not are_kept():
        return cell  # type: ignore[no-any-return]  # its class is str
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        text = redact(cell)
        if not raw and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
            text = f"'{text}"
    else:
        form = value_form(cell)
        text = json_line(form) if isinstance(form, list | dict) else redact(str(form))
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text
