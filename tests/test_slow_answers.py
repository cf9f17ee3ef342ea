"""A word about what takes long, in both command lines."""

import asyncio
import sys

import pytest

from zb_mom_ww_mxgateway_console.process import slow_answers
from zb_mom_ww_mxgateway_console.process.slow_answers import told_while_slow


@pytest.mark.parametrize("is_screen", [True, False])
async def test_what_takes_long_is_told_again_and_again_until_its_end(
    monkeypatch: pytest.MonkeyPatch, is_screen: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_screen)
    monkeypatch.setattr(slow_answers, "_SCREEN_SECONDS", (0.0, 0.0) if is_screen else (60.0,))
    monkeypatch.setattr(slow_answers, "_FILE_SECONDS", (60.0,) if is_screen else (0.0, 0.0))
    told: asyncio.Queue[str] = asyncio.Queue()
    with told_while_slow("connecting to plantgw:5001", told.put_nowait):
        async with asyncio.timeout(30):
            for _ in range(3):
                assert await told.get() == "connecting to plantgw:5001: no answer yet after 0 s"
    while not told.empty():
        told.get_nowait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert told.empty()


async def test_what_is_quick_is_not_told() -> None:
    told: list[str] = []
    with told_while_slow("connecting to plantgw:5001", told.append):
        await asyncio.sleep(0)
    assert told == []
