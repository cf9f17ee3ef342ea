"""``mxgw-sim``: serves a simulated gateway until interrupted."""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey
from zb_mom_ww_mxgateway_sim.runtime.errors import CertificateError, FaultError, ListenError, TagError

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_sim.gateway import SimulatedGateway

USAGE, CANNOT_SERVE, INTERNAL, INTERRUPTED = 2, 4, 70, 130


def _key(context: click.Context, option: click.Parameter, text: str | None) -> GatewayKey | None:
    try:
        return None if text is None else GatewayKey.parse(text)
    except ValueError as error:
        # Never the text itself: it may be a good key with one stray character.
        raise click.BadParameter(str(error)) from error


def _delay(context: click.Context, option: click.Parameter, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", text)
    low, high = (float(found[1]), float(found[2] or found[1])) if found else (1.0, 0.0)
    if low > high:
        raise click.BadParameter(f"{text!r} is no delay; seconds, or a range such as 3-8")
    return low, high


# The grammar itself is in ``schedule``, which needs grpc for its names.
FAULT_FILE = """\b
A fault file has one fault a line, # begins a remark. First when, then what:
  after TIME      once, so long after the start
  every TIME      again and again
  at CALL N       at the Nth call of an rpc (StreamEvents) or kind (write)
\b
  delay CALL TIME             refuse CALL STATUS [TEXT]
  stall CALL                  release [CALL]
  lose-reply CALL             garbage-reply CALL
  oversized-reply CALL        drop-stream [STATUS]
  kill-connection             garbage
  swallow [CALL]              (connections carry nothing any more: all, or the last CALL's)
  lose-session                fault-session
  evict-replay                overflow
  restart                     redeploy
  revoke-key [ID]             swap-certificate
  hold-write-completes        release-write-completes
  fail-alarm-provider [TEXT]  restore-alarm-provider
\b
With 'at' the fault is that call's own, and CALL is left out:
  after 10s    delay write 2.5s
  every 2min   kill-connection
  at write 3   refuse UNAVAILABLE the worker is away
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=FAULT_FILE)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; a free one if not given.")
@click.option("--plaintext", is_flag=True, help="No TLS.")
@click.option("--api-key", callback=_key, metavar="KEY", help="The one key, mxgw_<id>_<secret>; else a random one.")
@click.option("--no-api-key", is_flag=True, help="Let everyone in.")
@click.option(
    "--tags",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Your own tags: first a line name,type,value,writable,description,unit (only name must be), then one a line.",
)
@click.option(
    "--generated-tags", type=click.IntRange(0, 10_000_000), default=0, metavar="N", help="So many tags on top."
)
@click.option(
    "--change-period",
    type=click.FloatRange(0.01, 86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How often each of the generated tags changes.",
)
@click.option(
    "--event-queue",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Events that wait for a client; one more, and its session is faulted.",
)
@click.option(
    "--certificate-directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the certificate is kept between runs.",
)
@click.option(
    "--first-change-delay",
    callback=_delay,
    is_flag=False,
    flag_value="3-8",
    metavar="[SECONDS]",
    help="Let the first value of an item take so long, e.g. 3-8 (which is what the bare option means).",
)
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What goes wrong, and when; see below.",
)
@click.option("--no-alarms", is_flag=True, help="Alarms are disabled, as in a gateway that nobody configured.")
@click.option("--seed", type=int, default=1, show_default=True, help="The plant's noise and delays follow from it.")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@click.version_option(__version__, prog_name="mxgw-sim")
def command(
    host: str,
    port: int,
    plaintext: bool,
    api_key: GatewayKey | None,
    no_api_key: bool,
    tags: Path | None,
    generated_tags: int,
    change_period: float,
    event_queue: int,
    certificate_directory: Path | None,
    first_change_delay: tuple[float, float] | None,
    faults: Path | None,
    no_alarms: bool,
    seed: int,
    debug: bool,
) -> None:
    """Serve a simulated MXAccess gateway with a small plant behind it, until interrupted.

    Prints one JSON line once it serves: api_key, endpoint, fingerprint_sha256, plaintext.
    """
    if api_key is not None and no_api_key:
        raise click.UsageError("--api-key and --no-api-key exclude each other")
    from zb_mom_ww_mxgateway_sim.faults.schedule import read_faults
    from zb_mom_ww_mxgateway_sim.gateway import SimulatedGateway
    from zb_mom_ww_mxgateway_sim.plant.tag_file import read_tags

    try:
        gateway = SimulatedGateway(
            host=host,
            port=port,
            plaintext=plaintext,
            api_keys=() if no_api_key else None if api_key is None else (api_key,),
            tags=read_tags(tags) if tags else (),
            generated_tags=generated_tags,
            generated_change_period=change_period,
            event_queue_size=event_queue,
            certificate_directory=certificate_directory,
            first_change_delay=first_change_delay,
            faults=read_faults(faults) if faults else (),
            alarms=not no_alarms,
            seed=seed,
        )
        code = asyncio.run(_serve(gateway))
    except (TagError, FaultError) as error:
        _print_error(error)
        sys.exit(USAGE)
    except (ListenError, CertificateError) as error:
        _print_error(error)
        sys.exit(CANNOT_SERVE)
    sys.exit(code)


async def _serve(gateway: "SimulatedGateway") -> int:
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    _on_signals(stopped)
    async with gateway:
        facts = {
            "api_key": gateway.api_key,
            "endpoint": gateway.endpoint,
            "fingerprint_sha256": gateway.fingerprint_sha256,
            "plaintext": gateway.plaintext,
        }
        print(json.dumps(facts, sort_keys=True), flush=True)
        return await stopped


def _on_signals(stopped: "asyncio.Future[int]") -> None:
    """SIGINT ends with 130; SIGTERM, where there is one, and Ctrl-Break end with 0."""
    loop = asyncio.get_running_loop()

    def stop(code: int) -> None:
        if not stopped.done():
            stopped.set_result(code)

    for name, code in (("SIGINT", INTERRUPTED), ("SIGTERM", 0), ("SIGBREAK", 0)):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop, code)
        except NotImplementedError:
            # Windows' loop has none of its own.
            signal.signal(number, lambda *_, code=code: loop.call_soon_threadsafe(stop, code))


def _print_error(error: Exception | str) -> None:
    # A key put in the wrong place is a key all the same.
    print("mxgw-sim:", re.sub(r"(mxgw_[^_\s]*_)\S+", r"\1***", str(error)), file=sys.stderr)


def _fill_closed_streams() -> None:
    """Puts nothing in the place of streams that it was started without: a connection would be taken for them."""
    # As `standard_streams` of the command lines does it: with those the simulator shares nothing but messages.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", newline="\n", closefd=False))


def main() -> None:
    """The console script."""
    _fill_closed_streams()
    try:
        command(prog_name="mxgw-sim", standalone_mode=False)
    except click.ClickException as error:
        _print_error(error.format_message())
        sys.exit(USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Nobody reads the line any more: there is nobody to serve.
        sys.exit(CANNOT_SERVE)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _print_error(f"internal error, please report it: {type(error).__name__}: {error} (--debug shows more)")
        sys.exit(INTERNAL)


if __name__ == "__main__":
    main()
