"""The library's loggers: one tree under ``mxgw``, silent until a program configures ``logging``."""

import logging
from collections.abc import Callable
from contextlib import suppress

from zb_mom_ww_mxgateway.errors import readable
from zb_mom_ww_mxgateway.redaction import redact

ROOT = logging.getLogger("mxgw")
# Without a handler here, Python would print warnings to standard error.
ROOT.addHandler(logging.NullHandler())

CONNECT = logging.getLogger("mxgw.connect")
"""Connections made, refused, given up and closed."""
TRUST = logging.getLogger("mxgw.trust")
"""What a connection relies on: certificates seen first, remembered, changed, replaced."""
SESSION = logging.getLogger("mxgw.session")
"""Sessions opened and closed; states, resumes, rebuilds and gaps of live ones."""
CALLS = logging.getLogger("mxgw.calls")
"""Every unary call and every stream, at DEBUG."""
OBSERVERS = logging.getLogger("mxgw.observers")
"""Errors of a program's own observers."""
WRITES = logging.getLogger("mxgw.writes")
"""Writes that were refused, and those whose outcome is unknown."""


def log(
    logger: logging.Logger,
    level: int,
    text: str | Callable[[], str],
    *,
    api_key: str | None = None,
    stacklevel: int = 2,
) -> None:
    """Log `text` in one line of limited length, without keys and control characters; nothing where it is empty.

    `text` may be a function that makes it, which is only called where the line is wanted. Never raises, whatever that
    function raises: a log must not change the outcome of a call. `stacklevel` is that of :mod:`logging`.
    """
    with suppress(Exception):
        if logger.isEnabledFor(level) and (made := text if isinstance(text, str) else text()):
            line = readable(" ".join(redact(made, api_key).split()))
            logger.log(level, "%s", line, stacklevel=stacklevel)
