"""A value on the command line is checked once: as it is read, not again on its way to the wire."""

import asyncio
from typing import Any

import pytest

from zb_mom_ww_mxgateway import values
from zb_mom_ww_mxgateway_cli.command_group import run
from zb_mom_ww_mxgateway_sim import SimulatedGateway

TAG = "TestChildObject.TestInt"


@pytest.mark.parametrize("options", [[], ["--type", "int32"]])
async def test_a_written_value_is_checked_once(
    options: list[str], gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Any] = []
    check = values._normal

    def noted(value: Any, type_: Any) -> Any:
        checked.append(value)
        return check(value, type_)

    monkeypatch.setattr(values, "_normal", noted)
    monkeypatch.setenv("MXGATEWAY_API_KEY", gateway.api_key)
    arguments = ["write", TAG, "5", "--endpoint", gateway.endpoint, "--plaintext", *options]
    assert await asyncio.to_thread(run, arguments) == 0
    assert gateway.read(TAG).value == 5
    assert checked == [5]
