"""The console script ``mxgw-py``."""

import signal
import sys
from typing import NoReturn

from zb_mom_ww_mxgateway_cli.standard_streams import fill_closed_streams, never_fail_on_a_character


def main() -> NoReturn:
    """Runs the command line and exits with its code."""
    fill_closed_streams()
    never_fail_on_a_character()
    try:
        from zb_mom_ww_mxgateway_cli.commands import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("mxgw-py: interrupted\n")
        code = 130
    _end_once()
    sys.exit(code)


def _end_once() -> None:
    """An end that was told and heeded is not told again: a second signal would take the place of the exit code."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        handler = signal.SIG_DFL if number is None else signal.getsignal(number)
        if number is not None and callable(handler) and handler is not signal.default_int_handler:
            signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main()
