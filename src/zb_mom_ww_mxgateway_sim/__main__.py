"""``mxgw-sim``: serve a simulated gateway until interrupted."""

import asyncio
import json
import logging
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey
from zb_mom_ww_mxgateway_sim.plant.replay_pace import parse_pace
from zb_mom_ww_mxgateway_sim.plant.tag_file import TAG_FILE
from zb_mom_ww_mxgateway_sim.runtime.errors import (
    CertificateError,
    FaultError,
    ListenError,
    PlantError,
    ReplayError,
    TagError,
)

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_sim.gateway import SimulatedGateway

USAGE, CANNOT_SERVE, INTERNAL, INTERRUPTED = 2, 4, 70, 130


def _key(context: click.Context, option: click.Parameter, text: str | None) -> GatewayKey | None:
    try:
        return None if text is None else GatewayKey.parse(text)
    except ValueError as error:
        # Never show the text: it may be a valid key with one stray character.
        raise click.BadParameter(str(error)) from error


def _pace(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    try:
        parse_pace(text or "recorded")
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return text


def _delay(context: click.Context, option: click.Parameter, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", text)
    low, high = (float(found[1]), float(found[2] or found[1])) if found else (1.0, 0.0)
    if low > high:
        raise click.BadParameter(f"{text!r} is not a delay; use seconds, or a range such as 3-8")
    return low, high


# Written out here: the module of the grammar, ``schedule``, imports grpc.
FAULT_FILE = """\b
A fault file has one fault a line: first when, then what. # begins a remark.
  after TIME      once, that long after the start
  every TIME      repeatedly, at that period
  at CALL N       at the Nth call of an rpc (StreamEvents) or kind (write)
\b
  delay CALL TIME             refuse CALL STATUS [TEXT]
  stall CALL                  release [CALL]
  lose-reply CALL             garbage-reply CALL
  oversized-reply CALL        drop-stream [STATUS]
  kill-connection             garbage
  swallow [CALL]              (connections pass nothing on: all, or that of the last CALL)
  lose-session                fault-session
  close-session               kill-worker
  evict-replay                overflow
  restart                     redeploy
  lose-galaxy                 restore-galaxy
  revoke-key [ID]             swap-certificate
  hold-write-completes        release-write-completes
  fail-alarm-provider [TEXT]  restore-alarm-provider
  set TAG VALUE [QUALITY]     (good, uncertain or bad; a value with spaces in quotes)
  unset TAG                   (the plant moves the tag again)
  raise ALARM [SEVERITY]      clear ALARM
  refuse-writes GLOB STATUS [TEXT]
  allow-writes [GLOB]         (again: to these tags, or to all)
\b
With 'at' the fault is injected into that call, and CALL is left out:
  after 10s    delay write 2.5s
  every 2min   kill-connection
  at write 3   refuse UNAVAILABLE the worker is away
  after 1min   set Plant.Tank1.Level 97.5 bad
  after 90s    refuse-writes Plant.Pump* SECURITY_ERROR
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=f"{TAG_FILE}\n{FAULT_FILE}")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; default: a free one.")
@click.option("--plaintext", is_flag=True, help="No TLS.")
@click.option(
    "--api-key", callback=_key, metavar="KEY", help="The only key, mxgw_<id>_<secret>; default: a random one."
)
@click.option("--no-api-key", is_flag=True, help="Let every client in.")
@click.option(
    "--tags",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Your own tags; see below.",
)
@click.option(
    "--from-galaxy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="EXPORT",
    help="In place of the built-in plant the galaxy that mxgw-py galaxy-discover --attributes --json wrote. "
    "--tags may add tags to its objects, or let its tags move.",
)
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RECORD",
    help="Play once what the shell's record wrote, .csv or .jsonl. Tags that are missing are made. All keep their last "
    "values.",
)
@click.option(
    "--replay-pace",
    callback=_pace,
    metavar="PACE",
    help="recorded (the default), a multiple such as 10x, or at-once: play all before the first client is served.",
)
@click.option(
    "--generated-tags", type=click.IntRange(0, 10_000_000), default=0, metavar="N", help="Add N generated tags."
)
@click.option(
    "--change-period",
    type=click.FloatRange(0.01, 86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds between changes of each generated tag.",
)
@click.option(
    "--event-queue",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Events that may wait for a client. One more faults its session.",
)
@click.option(
    "--max-sessions",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    metavar="N",
    help="Sessions that may be open. One more is refused with RESOURCE_EXHAUSTED.",
)
@click.option(
    "--certificate-directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder that keeps the certificate between runs.",
)
@click.option(
    "--first-change-delay",
    callback=_delay,
    is_flag=False,
    flag_value="3-8",
    metavar="[SECONDS]",
    help="Delay the first value of each item, for example by 3-8 (the default of the bare option).",
)
@click.option(
    "--plant",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.py",
    help="Your own plant in Python: tags, and functions with @on_write and @every; see docs/simulator.md.",
)
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Inject the faults of this file; see below.",
)
@click.option(
    "--contract",
    type=click.Path(path_type=Path),
    metavar="FILE.protoset",
    help="Speak this contract, a descriptor set, as a gateway with numbers of its own would.",
)
@click.option("--no-alarms", is_flag=True, help="Disable alarms, as the default configuration of a gateway does.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the plant's noise and delays.")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@click.version_option(__version__, prog_name="mxgw-sim")
def command(
    host: str,
    port: int,
    plaintext: bool,
    api_key: GatewayKey | None,
    no_api_key: bool,
    tags: Path | None,
    from_galaxy: Path | None,
    replay: Path | None,
    replay_pace: str | None,
    generated_tags: int,
    change_period: float,
    event_queue: int,
    max_sessions: int,
    certificate_directory: Path | None,
    first_change_delay: tuple[float, float] | None,
    plant: Path | None,
    faults: Path | None,
    contract: Path | None,
    no_alarms: bool,
    seed: int,
    debug: bool,
) -> None:
    """Serve a simulated MXAccess gateway with a small plant behind it, until interrupted.

    Prints one JSON line once it serves: api_key, endpoint, fingerprint_sha256, plaintext.
    """
    if replay_pace is not None and replay is None:
        raise click.UsageError("--replay-pace needs --replay RECORD")
    if api_key is not None and no_api_key:
        raise click.UsageError("--api-key and --no-api-key exclude each other")
    _settle_contract(contract)
    from zb_mom_ww_mxgateway_sim.faults.schedule import read_faults
    from zb_mom_ww_mxgateway_sim.gateway import SimulatedGateway
    from zb_mom_ww_mxgateway_sim.plant.galaxy_export import read_galaxy
    from zb_mom_ww_mxgateway_sim.plant.tag_file import read_tags

    # What goes wrong later, such as a failure of the plant's own logic, is a line each.
    logging.basicConfig(format="mxgw-sim: %(message)s")
    # The end of a replay, too.
    logging.getLogger("zb_mom_ww_mxgateway_sim.plant").setLevel(logging.INFO)
    try:
        gateway = SimulatedGateway(
            host=host,
            port=port,
            plaintext=plaintext,
            api_keys=() if no_api_key else None if api_key is None else (api_key,),
            tags=[*(read_galaxy(from_galaxy) if from_galaxy else ()), *(read_tags(tags) if tags else ())],
            replay=replay,
            replay_pace=replay_pace or "recorded",
            generated_tags=generated_tags,
            generated_change_period=change_period,
            event_queue_size=event_queue,
            max_sessions=max_sessions,
            certificate_directory=certificate_directory,
            first_change_delay=first_change_delay,
            faults=read_faults(faults) if faults else (),
            plant=plant or (),
            alarms=not no_alarms,
            seed=seed,
        )
        code = asyncio.run(_serve(gateway))
    except (TagError, FaultError, PlantError, ReplayError) as error:
        _print_error(error)
        sys.exit(USAGE)
    except (ListenError, CertificateError) as error:
        _print_error(error)
        sys.exit(CANNOT_SERVE)
    sys.exit(code)


def _settle_contract(path: Path | None) -> None:
    """Choose the contract before the messages are loaded; a set that cannot be used ends the program."""
    from zb_mom_ww_mxgateway.contract.adoption import spoken, use

    try:
        if path is None:
            spoken()
        else:
            use(path)
    except ValueError as error:
        _print_error(error)
        sys.exit(USAGE)


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
    """Let SIGINT end with 130, and SIGTERM and Ctrl-Break, where they exist, with 0."""
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
            # The event loop of Windows has no signal handlers.
            signal.signal(number, lambda *_, code=code: loop.call_soon_threadsafe(stop, code))


def _print_error(error: Exception | str) -> None:
    # Redacted: a user may have put a key in the wrong place.
    print("mxgw-sim:", re.sub(r"(mxgw_[^_\s]*_)\S+", r"\1***", str(error)), file=sys.stderr)


def _fill_closed_streams() -> None:
    """Open missing standard streams on the null device: a connection could get their numbers."""
    # The command lines have a function of their own: the simulator shares only messages with them.
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
    """Run the console script."""
    _fill_closed_streams()
    try:
        # Given, so that they stay as they were typed: on Windows click would replace *, ~ and $NAME in them.
        command(sys.argv[1:], prog_name="mxgw-sim", standalone_mode=False)
    except click.ClickException as error:
        _print_error(error.format_message())
        sys.exit(USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of the JSON line has gone, and with it the reason to serve.
        sys.exit(CANNOT_SERVE)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _print_error(f"internal error, please report it: {type(error).__name__}: {error} (--debug shows more)")
        sys.exit(INTERNAL)


if __name__ == "__main__":
    main()
