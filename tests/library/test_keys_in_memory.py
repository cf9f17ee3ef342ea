"""A key is used, and nowhere else to be seen: not in a copy, a pickle, a repr, nor in what a traceback holds."""

import asyncio
import copy
import dataclasses
import pickle
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayError,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway

SECRET = "c2VjcmV0LW9mLWEta2V5"
KEY = f"mxgw_plant7_{SECRET}"
BAD = f"mxgw_plant7_{SECRET} with a space"


def options() -> ClientOptions:
    return ClientOptions(endpoint="localhost:5000", api_key=KEY)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_options_with_a_key_refuse_to_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="key is not pickled") as caught:
        pickle.dumps(options(), protocol)
    assert SECRET not in str(caught.value)
    without = dataclasses.replace(options(), api_key=None)
    assert pickle.loads(pickle.dumps(without, protocol)) == without


def test_copies_of_options_have_the_key_and_do_not_show_it() -> None:
    for made in (copy.copy(options()), copy.deepcopy(options()), dataclasses.replace(options())):
        assert made == options()
        assert made.api_key == KEY
        assert SECRET not in repr(made)
    for shown in (dataclasses.asdict(options()), dataclasses.astuple(options())):
        assert SECRET not in repr(shown)
        assert "mxgw_plant7_***" in repr(shown)


def frames_of(error: BaseException) -> str:
    """All that the library's frames of an error and of its causes hold, as traceback tools show it."""
    shown = []
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is None:
            continue
        todo += [each.__cause__, each.__context__]
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "zb_mom_ww_mxgateway" in frame.f_code.co_filename or frame.f_code.co_filename == "<string>":
                shown.append(repr(frame.f_locals))
    return "\n".join(shown)


async def made_of(api_key: str) -> object:
    return ClientOptions(endpoint="localhost:5000", api_key=api_key)


async def made_wrongly(api_key: str) -> object:
    return ClientOptions(endpoint="nonsense", api_key=api_key)


async def connected(api_key: str) -> object:
    return await GatewayClient.connect(endpoint="localhost:5000", api_key=api_key, plaintext=True)


async def connected_wrongly(api_key: str) -> object:
    return await GatewayClient.connect("localhost:5000", endpoint="localhost:5000", api_key=api_key)


@pytest.mark.parametrize(
    ("call", "key"), [(made_of, BAD), (connected, BAD), (made_wrongly, KEY), (connected_wrongly, KEY)]
)
async def test_no_frame_of_an_error_holds_the_key(call: Callable[[str], Awaitable[object]], key: str) -> None:
    with pytest.raises(MxGatewayError) as caught:
        await call(key)
    assert SECRET not in frames_of(caught.value)


@pytest.mark.parametrize(
    "names", [{"endpoint": KEY}, {"ca_file": KEY, "plaintext": True}, {"api_key": KEY.encode()}, {"apikey": KEY}]
)
def test_a_key_in_a_wrong_place_is_in_no_frame_and_every_frame_can_be_shown(names: dict[str, Any]) -> None:
    with pytest.raises((MxGatewayError, TypeError)) as caught:
        ClientOptions(**{"endpoint": "localhost:5000"} | names)
    assert SECRET not in str(caught.value)
    assert SECRET not in frames_of(caught.value)


async def test_a_key_that_the_gateway_refuses_is_in_no_frame_either(gateway: SimulatedGateway) -> None:
    with pytest.raises(MxGatewayAuthenticationError) as caught:
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=KEY, plaintext=True)
    assert SECRET not in frames_of(caught.value)


async def test_the_endpoint_may_be_positional_and_other_types_are_refused(gateway: SimulatedGateway) -> None:
    async with await GatewayClient.connect(gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client:
        assert client.options.endpoint == gateway.endpoint
        assert client.options.api_key == gateway.api_key
    wrong: Any = 5000
    with pytest.raises(MxGatewayArgumentError, match="an endpoint like localhost:5000, not int"):
        await GatewayClient.connect(wrong)
    with pytest.raises(MxGatewayArgumentError, match="options given twice: as an object and as plaintext"):
        await GatewayClient.connect(options(), plaintext=True)


WARNED = """
import asyncio, sys, warnings
from zb_mom_ww_mxgateway import GatewayClient, MxGatewayKeyWarning
async def main():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            await (await GatewayClient.connect(sys.argv[1], api_key=sys.argv[2] or None, plaintext=True)).close()
    print([str(each.message) for each in said if each.category is MxGatewayKeyWarning])
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("variable", "value", "key", "count"),
    [
        ("GRPC_TRACE", "http", KEY, 1),
        ("GRPC_VERBOSITY", "debug", KEY, 1),
        ("GRPC_VERBOSITY", "error", KEY, 0),
        ("GRPC_TRACE", "http", "", 0),
    ],
)
async def test_grpcs_own_tracing_is_warned_of_once(
    variable: str, value: str, key: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        monkeypatch.setenv(variable, value)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WARNED, gateway.endpoint, key),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(50):
            out, _ = await process.communicate()
    said = out.decode().strip().splitlines()[-1]
    assert said.count(f"{variable}={value}: gRPC writes") == count
    assert SECRET not in said


FEW = """
import asyncio, os, resource, sys
from zb_mom_ww_mxgateway import GatewayClient, MxGatewayError
async def main():
    used = len(os.listdir("/proc/self/fd")) - 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + int(sys.argv[2]),) * 2)
    try:
        async with await GatewayClient.connect(sys.argv[1], plaintext=True) as client:
            print("connected")
    except MxGatewayError as error:
        print(error)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted by /proc here")
@pytest.mark.parametrize(
    ("free", "said"), [(0, "only 0 more"), (5, "only 5 more"), (9, "only 9 more"), (40, "connected")]
)
async def test_too_few_free_descriptors_are_reported_and_do_not_end_the_process(free: int, said: str) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", FEW, gateway.endpoint, str(free)), stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(50):
            out, _ = await process.communicate()
    assert process.returncode == 0
    assert said in out.decode()
    assert len(out.decode().splitlines()) == 1
