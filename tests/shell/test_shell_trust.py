"""trust inside the shell: the fingerprint is shown and asked about, and never taken silently."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import ShellProcess
from shell_terminal import ENTER, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.transport.known_gateways import KnownGateways
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(api_keys=(), certificate_directory=tmp_path / "certificate") as gateway:
        yield gateway


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KnownGateways:
    path = tmp_path / "known"
    monkeypatch.setenv("MXGATEWAY_KNOWN_GATEWAYS", str(path))
    return KnownGateways(path)


async def test_a_person_sees_both_fingerprints_and_is_asked(
    tmp_path: Path, secure: SimulatedGateway, known: KnownGateways
) -> None:
    async with shell(tmp_path, columns=120) as sh:
        screen = sh.terminal
        await screen.enter(f"connect {secure.endpoint}", "trusted on first use")
        await screen.enter("disconnect", "disconnected from")
        first = secure.fingerprint_sha256
        await secure.swap_certificate()
        second = secure.fingerprint_sha256
        assert first
        assert second
        await screen.enter(f"connect {secure.endpoint}", "has changed", f"trust {secure.endpoint} does that here")
        await screen.enter(f"trust {secure.endpoint}", f"trusted SHA-256 {first} (first seen", f"now SHA-256 {second}")
        await screen.shows("Trust it from now on [y/N]")
        screen.type(ENTER)
        await screen.shows("not trusted")
        entry = known.get(secure.endpoint)
        assert entry
        assert entry.sha256 == first
        await screen.enter("set timing on", "timing on")
        await screen.enter(f"trust {secure.endpoint}", "[y/N]")
        screen.type(f"y{ENTER}")
        await screen.shows(f"{secure.endpoint} is trusted from now on, in")
        entry = known.get(secure.endpoint)
        assert entry
        assert entry.sha256 == second
        await screen.enter(f"connect {secure.endpoint}", f"{secure.endpoint} (read-only)>")
        # About the connection in use; nothing is asked where nothing has changed.
        await screen.enter("trust", "unchanged: nothing to do")
        # The plant of this shell is reached in plaintext.
        await screen.enter("use demo", "demo>")
        await screen.enter("trust", "is reached in plaintext: no certificate of it is remembered")


async def test_a_file_trusts_only_a_certificate_that_it_names(tmp_path: Path, secure: SimulatedGateway) -> None:
    run = ShellProcess(tmp_path).on(secure)
    known = KnownGateways(tmp_path / "known_gateways")
    assert (await run("-e", "status")).code == 0
    first = known.get(secure.endpoint)
    await secure.swap_certificate()
    pin = secure.fingerprint_sha256 or ""
    wrong = pin[::-1]
    for line, code, why in (
        ("trust", 2, "name it with --fingerprint SHA256"),
        (f"trust --fingerprint {wrong}", 4, "does not show the certificate"),
    ):
        done = await run("--yes", "-e", line)
        assert (done.code, why in done.err) == (code, True), done
        assert known.get(secure.endpoint) == first
    done = await run("-e", f"trust --fingerprint {pin}")
    assert (done.code, f"{secure.endpoint} is trusted from now on" in done.out) == (0, True), done
    # Where the present one is trusted already, another one that is named is still refused.
    lines = (f"trust --fingerprint {pin}", f"trust --fingerprint {wrong}")
    done = await run("-e", lines[0], "-e", lines[1])
    assert (done.code, "unchanged: nothing to do" in done.out) == (4, True), done
    assert f"does not show the certificate {wrong}: nothing was changed" in done.err
    elsewhere = await run("trust", secure.endpoint, "--fingerprint", wrong)
    assert (elsewhere.code, "unchanged" in elsewhere.out) == (4, False), elsewhere


async def test_a_file_has_nobody_trusted_whom_the_user_did_not_name(tmp_path: Path, secure: SimulatedGateway) -> None:
    async with SimulatedGateway(api_keys=(), certificate_directory=tmp_path / "other") as stranger:
        run = ShellProcess(tmp_path).on(secure)
        done = await run("-e", f"trust {stranger.endpoint} --fingerprint {stranger.fingerprint_sha256}")
        assert (done.code, "a file may trust a certificate only for the gateway" in done.err) == (5, True), done
        assert KnownGateways(tmp_path / "known_gateways").get(stranger.endpoint) is None


async def test_a_shell_that_is_cut_off_says_what_to_type_and_comes_back_once_it_is_done_elsewhere(
    tmp_path: Path, secure: SimulatedGateway, known: KnownGateways
) -> None:
    async with shell(tmp_path, columns=120) as sh:
        screen = sh.terminal
        await screen.enter(f"connect {secure.endpoint}", "trusted on first use")
        await screen.enter("watch Plant.Tank1.Level", "good")
        await secure.swap_certificate()
        await screen.shows(
            "the gateway shows a certificate that is not the trusted one",
            f"then trust {secure.endpoint} here, or mxgw-shell trust {secure.endpoint} in another terminal: then this",
        )
        await screen.enter("status", "resuming: ", f"then trust {secure.endpoint} here")
        await screen.enter("why Plant.Tank1.Level", f"then trust {secure.endpoint} here")
        process = ShellProcess(tmp_path)
        process.environment["MXGATEWAY_KNOWN_GATEWAYS"] = str(known.path)
        done = await process("trust", secure.endpoint, "--fingerprint", str(secure.fingerprint_sha256))
        assert done.code == 0, done
        await screen.shows("event stream resumed after sequence", f"{secure.endpoint} (read-only)>")
        await screen.enter("read Plant.Tank1.Level", "good")
        await screen.enter("trust", "unchanged: nothing to do")


async def test_a_shell_that_is_cut_off_comes_back_by_trust_that_is_typed_in_it(
    tmp_path: Path, secure: SimulatedGateway, known: KnownGateways
) -> None:
    async with shell(tmp_path, columns=40) as sh:
        screen = sh.terminal
        await screen.enter(f"connect {secure.endpoint}", "first use)")
        await screen.enter("watch Plant.Tank1.Level", "good")
        await secure.swap_certificate()
        await until(lambda: sh.context.state == "resuming", lambda: screen.text)
        await screen.enter("trust", "[y/N]")
        screen.type(f"y{ENTER}")
        await screen.shows("event stream resumed after sequence")
        entry = known.get(secure.endpoint)
        assert entry
        assert entry.sha256 == secure.fingerprint_sha256
        assert all(len(line) <= 40 for line in screen.text.split("\n"))
        await screen.enter("read Plant.Tank1.Level", "good", "(read-only)>")
