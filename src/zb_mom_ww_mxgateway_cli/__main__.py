"""The console script ``mxgw-py``.

It imports little itself: streams that were closed from the start are filled before a file can take their place.
"""

import gc
import sys
from typing import NoReturn

from zb_mom_ww_mxgateway_console.process.endings import end_once
from zb_mom_ww_mxgateway_console.process.standard_streams import fill_closed_streams, never_fail_on_a_character


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    # Nothing that is loaded now is garbage. The collector begins with the work on a connection.
    gc.disable()
    fill_closed_streams()
    never_fail_on_a_character()
    try:
        from zb_mom_ww_mxgateway_cli.command_group import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("mxgw-py: interrupted\n")
        code = 130
    end_once()
    # Python would collect several times as it exits, for nothing.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
