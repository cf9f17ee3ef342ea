"""Where a file, a line of -e, standard input and Python may send the key of the person who runs them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import Done, ShellProcess

from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
async def known() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway() as gateway:
        yield gateway


@pytest.fixture
async def stranger(tmp_path: Path) -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(certificate_directory=tmp_path / "stranger") as gateway:
        yield gateway


@pytest.fixture
def run(tmp_path: Path, known: SimulatedGateway) -> ShellProcess:
    return ShellProcess(tmp_path).on(known)


WAYS = ["-e", "-c", "stdin", "--python"]


async def by(run: ShellProcess, way: str, line: str, *options: str) -> Done:
    (run.folder / "try.mxs").write_text(f"{line}\n", encoding="utf-8")
    (run.folder / "try.py").write_text(f"await mx({line!r})\n", encoding="utf-8")
    match way:
        case "-e":
            return await run(*options, "-e", line)
        case "stdin":
            return await run(*options, stdin=f"{line}\n")
        case "-c":
            return await run(*options, "-c", "try.mxs")
    return await run(*options, "--python", "try.py")


@pytest.mark.parametrize("way", WAYS)
async def test_no_key_goes_to_a_gateway_that_only_the_file_names(
    run: ShellProcess, stranger: SimulatedGateway, way: str
) -> None:
    more = (" --forget-certificate", " --api-key-env MXGATEWAY_API_KEY") if way == "-c" else ()
    for options in ("", *more):
        done = await by(run, way, f"connect {stranger.endpoint}{options}")
        assert done.code == 5, done
        assert f"mxgw-shell trust {stranger.endpoint}" in done.err
        assert "nothing was sent" in done.err
    assert not stranger.calls


@pytest.mark.parametrize("way", WAYS)
async def test_the_endpoint_that_was_named_is_one_whatever_its_spelling(
    run: ShellProcess, known: SimulatedGateway, way: str
) -> None:
    port = known.endpoint.rpartition(":")[2]
    assert (await by(run, way, f"connect 127.0.0.1:0{port}")).code == 0
    # But not with less than it was started with.
    more = ("--forget-certificate", "--ca-file") if way == "-c" else ()
    for option in ("--plaintext", *more):
        value = " other.pem" if option == "--ca-file" else ""
        done = await by(run, way, f"connect {known.endpoint} {option}{value}")
        assert (done.code, f"start with {option} if" in done.err) == (5, True), done
    assert (await by(run, way, f"connect {known.endpoint} --forget-certificate", "--forget-certificate")).code == 0


async def test_a_gateway_that_is_remembered_gets_it_by_the_certificate_that_is_remembered_alone(
    run: ShellProcess, stranger: SimulatedGateway
) -> None:
    del run.environment["MXGATEWAY_ENDPOINT"]
    run.environment["MXGATEWAY_API_KEY"] = stranger.api_key or ""
    assert (await run("--endpoint", stranger.endpoint, "-e", "status")).code == 0
    assert (await by(run, "-c", f"connect {stranger.endpoint}")).code == 0
    before = len(stranger.calls)
    for options in ("--plaintext", "--forget-certificate", "--ca-file other.pem"):
        assert (await by(run, "-c", f"connect {stranger.endpoint} {options}")).code == 5
    assert len(stranger.calls) == before


async def test_without_a_key_there_is_nothing_to_refuse(run: ShellProcess, stranger: SimulatedGateway) -> None:
    for name in ("MXGATEWAY_ENDPOINT", "MXGATEWAY_API_KEY"):
        del run.environment[name]
    done = await by(run, "-c", f"connect {stranger.endpoint}")
    assert done.code == 4
    # Nor does the key follow to what was reached without one.
    (run.folder / "key").write_text(stranger.api_key or "", encoding="utf-8")
    run.environment["MXGATEWAY_KNOWN_GATEWAYS"] += "2"
    async with SimulatedGateway(api_keys=(), certificate_directory=run.folder / "open") as open_to_all:
        lines = f"connect {open_to_all.endpoint} --forget-certificate\nconnect --api-key-file key"
        assert (await by(run, "-c", lines)).code == 5


async def test_a_profile_of_the_user_may_be_named_by_a_file(run: ShellProcess, stranger: SimulatedGateway) -> None:
    profiles = run.folder / "profiles.toml"
    profiles.write_text(
        f'[profiles.other]\nendpoint = "{stranger.endpoint}"\napi_key_env = "OTHER_KEY"\n', encoding="utf-8"
    )
    run.environment |= {"MXGATEWAY_PROFILES": str(profiles), "OTHER_KEY": stranger.api_key or ""}
    assert (await by(run, "-c", "connect other")).code == 0


async def test_the_doctor_stops_where_it_would_send_the_key(run: ShellProcess, stranger: SimulatedGateway) -> None:
    done = await by(run, "-e", f"doctor {stranger.endpoint}")
    assert done.code == 5
    assert "certificate" in done.out
    assert "may not be the first to send the key" in done.out
    assert not stranger.calls
