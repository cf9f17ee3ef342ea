"""When what is in view is drawn again: as something changes, and often enough for its ages."""

import asyncio

import pytest
from prompt_toolkit.application import Application
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.terminal import redrawing
from zb_mom_ww_mxgateway_shell.terminal.redrawing import keep_redrawn


class _Drawn(Application[None]):
    """A running application that counts its redraws instead of drawing."""

    is_running = True

    def __init__(self) -> None:
        self.redraws = 0

    def invalidate(self) -> None:
        self.redraws += 1


async def _redrawn(app: _Drawn, changed: asyncio.Event) -> None:
    async def wait() -> None:
        await changed.wait()
        changed.clear()

    await keep_redrawn(app, wait)


async def test_many_changes_between_two_redraws_are_one_redraw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrawing, "_REDRAW_SECONDS", 3600.0)
    app, changed = _Drawn(), asyncio.Event()
    redrawer = asyncio.create_task(_redrawn(app, changed))
    await asyncio.sleep(0)
    assert app.redraws == 0
    for _ in range(100):
        changed.set()
        await asyncio.sleep(0)
    assert app.redraws == 1
    redrawer.cancel()


async def test_ages_go_on_where_nothing_changes() -> None:
    app = _Drawn()
    redrawer = asyncio.create_task(_redrawn(app, asyncio.Event()))
    await until(lambda: app.redraws >= 2)
    redrawer.cancel()


async def test_what_does_not_run_is_not_drawn() -> None:
    app, changed = _Drawn(), asyncio.Event()
    app.is_running = False
    redrawer = asyncio.create_task(_redrawn(app, changed))
    changed.set()
    await until(lambda: not changed.is_set())
    assert app.redraws == 0
    redrawer.cancel()
