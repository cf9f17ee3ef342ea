"""A large galaxy that is kept between runs: found again, verified, and never taken for another one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from shell_lines import run as line
from shell_waiting import until

from zb_mom_ww_mxgateway import ClientOptions, GatewayClient
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.commands.connection import galaxy_text
from zb_mom_ww_mxgateway_shell.galaxy import catalog, earlier_galaxy
from zb_mom_ww_mxgateway_shell.galaxy.catalog import TagCatalogue
from zb_mom_ww_mxgateway_shell.galaxy.kept_galaxy import GalaxyState, KeptGalaxy
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, NativeType, SimulatedGateway, TagDefinition
from zb_mom_ww_mxgateway_sim.plant.deployment import Deployment

TAG = "Area001.Unit0001.Value01"
EVERYTHING = GatewayKey("operator", "secret-of-the-operator", set(KeyScope))


@pytest.fixture
async def plant(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SimulatedGateway]:
    """A gateway with a galaxy that is large enough to be kept: of several lines of names, and quickly read."""
    monkeypatch.setattr(earlier_galaxy, "_LEAST_TAGS", 2_000)
    async with SimulatedGateway(plaintext=True, api_keys=[EVERYTHING], generated_tags=2_000) as gateway:
        yield gateway


@asynccontextmanager
async def run(gateway: SimulatedGateway, key: GatewayKey = EVERYTHING, keep: str = "on") -> AsyncIterator[Context]:
    """A run of the shell that has begun to read the galaxy."""
    context = Context(all_commands(), interactive=False)
    context.settings.change("keep-galaxy", keep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEY_OF_THE_RUN", key.text)
        await context.connect(
            Connection(endpoint=gateway.endpoint, plaintext=True, api_key_env="KEY_OF_THE_RUN"), "plant"
        )
    try:
        context.catalogue.start(context.connected.client)
        yield context
    finally:
        await context.disconnect()


async def follow(feed: Feed) -> Result:
    raise AssertionError("no line here goes on")


async def kept(gateway: SimulatedGateway, key: GatewayKey = EVERYTHING) -> Path:
    """The file that a run leaves which reads the galaxy to its end."""
    async with run(gateway, key) as context:
        return await kept_in(context.catalogue)


async def kept_in(catalogue: TagCatalogue) -> Path:
    assert await catalogue.loaded(30), catalogue.error
    await until(lambda: catalogue.earlier.path)
    assert not catalogue.earlier.problem
    assert catalogue.earlier.path is not None
    return catalogue.earlier.path


def pages_with_tags(gateway: SimulatedGateway) -> int:
    requests = [call.request for call in gateway.calls if isinstance(call.request, pb.DiscoverHierarchyRequest)]
    return sum(request.include_attributes for request in requests)


async def test_the_next_run_has_the_whole_galaxy_without_reading_it(plant: SimulatedGateway) -> None:
    async with run(plant) as context:
        path = await kept_in(context.catalogue)
        tags = [tag for owner in context.catalogue.galaxy.owners for tag in context.catalogue.galaxy.tags_of(owner)]
        kinds = [context.catalogue.kind_of(tag) for tag in tags]
        templates = context.catalogue.templates
    asked = pages_with_tags(plant)
    assert asked > 0
    async with run(plant) as context:
        catalogue = context.catalogue
        assert await kept_in(catalogue) == path
        assert pages_with_tags(plant) == asked
        assert catalogue.is_current
        assert [tag for owner in catalogue.galaxy.owners for tag in catalogue.galaxy.tags_of(owner)] == tags
        assert [catalogue.kind_of(tag) for tag in tags] == kinds
        assert catalogue.templates == templates
        assert catalogue.complete(TAG.lower(), 1) == [(TAG, "Double")]
        assert catalogue.misses("Area001.Unit0001.Missing")
        assert f"{len(tags)} attributes" in galaxy_text(context)
        result: Any = await line(context, "galaxy", follow)
        assert f"kept        in {path}" in result.lines()
        assert result.form()["catalogue"]["kept_in"] == str(path)


async def test_a_small_galaxy_is_not_kept() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[EVERYTHING]) as gateway, run(gateway) as context:
        assert await context.catalogue.loaded(30)
        assert await context.catalogue.earlier.verified(context.connected.client) is None
    with pytest.raises(FileNotFoundError):
        KeptGalaxy(ClientOptions(endpoint=gateway.endpoint), make=False)


async def test_nothing_is_kept_or_used_where_that_is_off(plant: SimulatedGateway) -> None:
    path = await kept(plant)
    before, asked = path.read_bytes(), pages_with_tags(plant)
    path.unlink()
    for content in (None, before):
        if content:
            path.write_bytes(content)
            path.chmod(0o600)
        async with run(plant, keep="off") as context:
            assert await context.catalogue.loaded(30)
            assert context.catalogue.earlier.path is None
        assert path.exists() == bool(content)
    assert pages_with_tags(plant) == 3 * asked


@pytest.mark.parametrize("is_open", [False, True], ids=["between two runs", "during a run"])
async def test_another_deployment_is_read_and_takes_the_place_of_what_was_kept(
    plant: SimulatedGateway, is_open: bool
) -> None:
    path = await kept(plant)
    before = path.read_bytes()
    new = [TagDefinition("NewUnit.Flow", NativeType.FLOAT)]
    if not is_open:
        plant.faults.redeploy(new)
    async with run(plant) as context:
        catalogue = context.catalogue
        assert await catalogue.loaded(30)
        if is_open:
            assert catalogue.kind_of("NewUnit.Flow") is None
            await until(lambda: catalogue._noticed)
            plant.faults.redeploy(new)
        await until(lambda: catalogue.kind_of("NewUnit.Flow"))
        await until(lambda: path.read_bytes() != before)
        assert await kept_in(catalogue) == path
    asked = pages_with_tags(plant)
    async with run(plant) as context:
        assert await context.catalogue.loaded(30)
        assert context.catalogue.kind_of("NewUnit.Flow")
    assert pages_with_tags(plant) == asked


async def test_nothing_is_missed_that_a_deployment_may_have_brought_while_the_galaxy_is_kept(
    plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_kept = asyncio.Event()

    async def keep(*_: object) -> None:
        await is_kept.wait()

    async with run(plant) as context:
        catalogue = context.catalogue
        monkeypatch.setattr(catalogue.earlier, "keep", keep)
        assert await catalogue.loaded(30)
        await until(lambda: catalogue._noticed)
        before = catalogue._noticed
        assert catalogue.misses("NewUnit.Flow")
        plant.faults.redeploy([TagDefinition("NewUnit.Flow", NativeType.FLOAT)])
        await until(lambda: catalogue._noticed != before)
        assert not catalogue.misses("NewUnit.Flow")
        is_kept.set()
        await until(lambda: catalogue.kind_of("NewUnit.Flow"))


async def test_a_galaxy_of_the_same_time_with_other_numbers_is_read_again(
    plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restore(deployment: Deployment) -> None:
        deployment.sequence += 1
        deployment._notify()

    async with run(plant) as context:
        path = await kept_in(context.catalogue)
        before = path.read_bytes()
        await until(lambda: context.catalogue._noticed)
        deployed = context.catalogue.deployed_at
        monkeypatch.setattr(Deployment, "redeploy", restore)
        plant.faults.redeploy([TagDefinition("NewUnit.Flow", NativeType.FLOAT)])
        await until(lambda: context.catalogue.kind_of("NewUnit.Flow"))
        await until(lambda: path.read_bytes() != before)
        assert context.catalogue.deployed_at == deployed


async def test_what_an_earlier_run_read_goes_when_the_galaxy_is_read_without_it(
    plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(plant)
    monkeypatch.setattr(catalog, "_AGAIN", (0.01, 0.01))
    plant.faults.stall("GetLastDeployTime")
    async with run(plant) as context:
        await until(lambda: context.catalogue.earlier.unverified)
        calls = sum(each.rpc == "GetLastDeployTime" for each in plant.calls)
        plant.schedule(f"at GetLastDeployTime {calls + 1} refuse UNAVAILABLE")
        context.settings.change("keep-galaxy", "off")
        plant.faults.release()
        await until(lambda: context.catalogue.is_complete)
        assert context.catalogue.earlier.unverified is None


async def test_a_galaxy_that_has_become_small_leaves_no_file(plant: SimulatedGateway) -> None:
    path = await kept(plant)
    port = int(await closed_port(plant))
    async with SimulatedGateway(plaintext=True, api_keys=[EVERYTHING], port=port) as gateway, run(gateway) as context:
        assert await context.catalogue.loaded(30)
        await until(lambda: not path.exists())
        assert context.catalogue.is_current


@pytest.mark.parametrize("field", ["deployed_at", "objects", "all_objects", "all_attributes"])
async def test_each_part_of_what_tells_galaxies_apart_counts(plant: SimulatedGateway, field: str) -> None:
    path = await kept(plant)
    options = ClientOptions(endpoint=plant.endpoint, api_key=EVERYTHING.text, plaintext=True)
    file = KeptGalaxy(options, make=False)
    found = file.read()
    assert found is not None
    state, lines = found
    values = asdict(state)
    values[field] += timedelta(microseconds=1) if field == "deployed_at" else 1
    file.write(GalaxyState(**values), lines)
    asked = pages_with_tags(plant)
    assert await kept(plant) == path
    assert pages_with_tags(plant) == 2 * asked


def changed_at(place: Callable[[bytes], int]) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        at = place(content)
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="torn"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content + b"[]\n", id="longer"),
        pytest.param(changed_at(lambda content: content.index(b"Unit0001")), id="edited"),
        pytest.param(changed_at(lambda content: content.index(b"galaxy 1")), id="of another version"),
        pytest.param(lambda content: content.decode("latin-1").encode("utf-16"), id="in another encoding"),
    ],
)
async def test_a_file_that_is_not_as_it_was_written_is_read_anew_and_replaced(
    plant: SimulatedGateway, change: Callable[[bytes], bytes]
) -> None:
    path = await kept(plant)
    whole, asked = path.read_bytes(), pages_with_tags(plant)
    path.write_bytes(change(whole))
    assert await kept(plant) == path
    assert pages_with_tags(plant) == 2 * asked
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"{}\n",
        b"[1]\n",
        b"\xff\n",
        b"[" * 100_000,
        b'{"kinds":[],"templates":{},"descriptions":["\\u001b[2J"],"shapes":0,"objects":0,"areas":0,"tags":0}\n',
        b'{"kinds":[],"templates":{},"descriptions":[""],"shapes":1,"objects":0,"areas":0,"tags":0}\n',
        b'{"kinds":[],"templates":{},"descriptions":[""],"shapes":1,"objects":1,"areas":0,"tags":1}\n[["\\nA\\n",[7]]]\n',
    ],
)
async def test_a_sound_file_without_an_index_in_it_is_read_anew(plant: SimulatedGateway, lines: bytes) -> None:
    path = await kept(plant)
    options = ClientOptions(endpoint=plant.endpoint, api_key=EVERYTHING.text, plaintext=True)
    file = KeptGalaxy(options, make=False)
    assert file.path == path
    found = file.read()
    assert found is not None
    whole = path.read_bytes()
    file.write(found[0], [lines])
    assert path.read_bytes() != whole
    assert await kept(plant) == path
    assert path.read_bytes() == whole


async def test_what_is_not_verified_is_offered_with_a_mark_and_decides_nothing(plant: SimulatedGateway) -> None:
    await kept(plant)
    plant.faults.stall("GetLastDeployTime")
    async with run(plant) as context:
        catalogue = context.catalogue
        await until(lambda: catalogue.earlier.unverified)
        assert catalogue.complete(TAG, 1) == [(TAG, "Double (read earlier, not verified)")]
        assert catalogue.complete("nit0001.Value01", 1)[0][1] == "Double (read earlier, not verified)"
        assert not catalogue.misses("Area001.Unit0001.Missing")
        assert catalogue.kind_of(TAG) is None
        assert not catalogue.is_complete
        assert galaxy_text(context).endswith("attributes read earlier, not verified")
        plant.faults.release()
        assert await catalogue.loaded(30)
        assert catalogue.complete(TAG, 1) == [(TAG, "Double")]


@pytest.mark.parametrize(("call", "refused"), [("WatchDeployEvents", 2), ("DiscoverHierarchy", 1)])
async def test_what_cannot_be_verified_is_read_anew(plant: SimulatedGateway, call: str, refused: int) -> None:
    path = await kept(plant)
    asked = pages_with_tags(plant)
    # Of deployments both are refused: the call that verifies, and the one that watches for later ones.
    before = sum(each.rpc == call for each in plant.calls)
    plant.schedule(*(f"at {call} {before + number} refuse FAILED_PRECONDITION" for number in range(1, refused + 1)))
    assert await kept(plant) == path
    assert pages_with_tags(plant) == 2 * asked


@pytest.mark.parametrize("objects", [None, 1])
async def test_what_could_not_be_verified_later_is_not_kept_and_that_is_said(
    plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch, objects: int | None
) -> None:
    async def state(client: GatewayClient) -> GalaxyState | None:
        deployed_at = await client.galaxy.last_deploy_time()
        return GalaxyState(deployed_at, objects, 1, 1) if deployed_at is not None and objects is not None else None

    monkeypatch.setattr(GalaxyState, "of", state)
    async with run(plant) as context:
        assert await context.catalogue.loaded(30)
        await until(lambda: context.catalogue.earlier.problem)
        gave = context.catalogue.objects
        lines = {
            None: "kept        no: the gateway does not say that it is what is deployed",
            1: f"kept        no: the gateway counts 1 objects, and gave {gave}",
        }
        result: Any = await line(context, "galaxy", follow)
        assert lines[objects] in result.lines()
        assert context.catalogue.earlier.path is None


async def test_each_key_has_a_file_of_its_own_and_nothing_of_the_key_is_in_it() -> None:
    low = GatewayKey("visitor", "secret-of-the-visitor", set(KeyScope), subtrees=["Area001"])
    keys = [EVERYTHING, low]
    async with SimulatedGateway(plaintext=True, api_keys=keys, generated_tags=30_000) as gateway:
        whole, part = await kept(gateway), await kept(gateway, low)
        assert whole != part
        assert b"Area002" in whole.read_bytes()
        assert b"Area002" not in part.read_bytes()
        for path in (*whole.parent.iterdir(), whole.parent):
            content = path.read_bytes() if path.is_file() else b""
            for key in keys:
                for piece in (key.text, key.text.rpartition("_")[2]):
                    assert piece.encode() not in content
                    assert piece not in path.name
        # Nor does the file of one key do for another.
        part.write_bytes(whole.read_bytes())
        async with run(gateway, low) as context:
            assert await context.catalogue.loaded(30)
            assert context.catalogue.kind_of("Area002.Unit0001.Value01") is None


async def test_a_key_that_may_not_see_the_galaxy_any_more_has_it_removed(plant: SimulatedGateway) -> None:
    path = await kept(plant)
    scopes = set(KeyScope) - {KeyScope.METADATA_READ}
    async with SimulatedGateway(
        plaintext=True,
        api_keys=[GatewayKey("operator", "secret-of-the-operator", scopes)],
        port=int(await closed_port(plant)),
    ) as gateway:
        assert gateway.endpoint == plant.endpoint
        async with run(gateway) as context:
            await until(lambda: context.catalogue.error)
            await until(lambda: not path.exists())
            assert context.catalogue.complete(TAG, 1) == []


async def closed_port(gateway: SimulatedGateway) -> str:
    await gateway.aclose()
    return gateway.endpoint.rpartition(":")[2]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
async def test_only_its_owner_reads_the_file_and_what_others_may_change_is_not_used(plant: SimulatedGateway) -> None:
    path = await kept(plant)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    asked = pages_with_tags(plant)
    path.chmod(0o666)
    assert await kept(plant) == path
    assert pages_with_tags(plant) == 2 * asked
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
async def test_nothing_is_kept_in_a_folder_that_others_may_change(plant: SimulatedGateway) -> None:
    path = await kept(plant)
    before = path.read_bytes()
    path.parent.chmod(0o777)
    plant.faults.redeploy([TagDefinition("NewUnit.Flow", NativeType.FLOAT)])
    async with run(plant) as context:
        assert await context.catalogue.loaded(30)
        await until(lambda: context.catalogue.earlier.problem)
        assert context.catalogue.earlier.problem == f"others may change {path.parent}: chmod go-w {path.parent}"
    assert path.read_bytes() == before


@pytest.mark.parametrize("salt", [b"", b"short", None])
async def test_a_salt_that_is_damaged_is_made_anew(plant: SimulatedGateway, salt: bytes | None) -> None:
    path = await kept(plant)
    file = path.with_name("salt")
    file.unlink()
    if salt is not None:
        file.write_bytes(salt)
        file.chmod(0o600)
    again = await kept(plant)
    assert again != path
    assert len(file.read_bytes()) == 32
    assert await kept(plant) == again


async def test_what_cannot_be_written_is_said_and_the_galaxy_is_there(plant: SimulatedGateway, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir(exist_ok=True)
    (tmp_path / "records/cache").write_text("a file in place of the folder")
    async with run(plant) as context:
        assert await context.catalogue.loaded(30)
        await until(lambda: context.catalogue.earlier.problem)
        result: Any = await line(context, "galaxy", follow)
        assert any(text.startswith("kept        no: ") for text in result.lines())
