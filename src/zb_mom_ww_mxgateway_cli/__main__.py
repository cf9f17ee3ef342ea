"""The console script ``mxgw-py``."""

import io
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and exits with its code."""
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character gets an escape, not an exception.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        from zb_mom_ww_mxgateway_cli.commands import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("mxgw-py: interrupted\n")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
