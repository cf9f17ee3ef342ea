"""The fixtures for async tests where pytest-asyncio is missing: they say so."""

from typing import NoReturn

import pytest

_MISSING = "needs pytest-asyncio (pip install pytest-asyncio); a test without async takes mxgw_sync"


@pytest.fixture
def mxgw_client() -> NoReturn:
    """A client on the event loop of an async test."""
    pytest.fail(f"mxgw_client {_MISSING}", pytrace=False)


@pytest.fixture
def mxgw_live() -> NoReturn:
    """A live session on the event loop of an async test."""
    pytest.fail(f"mxgw_live {_MISSING}", pytrace=False)
