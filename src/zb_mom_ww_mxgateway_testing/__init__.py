"""A pytest plugin: a simulated gateway for each test of yours, and clients that are connected to it.

It is loaded by pytest itself where the package is installed, and imports nothing but pytest until a test uses one of
its fixtures: ``mxgw_simulator``, ``mxgw_sync``, ``mxgw_client``, ``mxgw_live``. ``@pytest.mark.mxgw(tags=…)`` gives the
gateway its tags, faults, clock and every other option.
"""

from importlib import import_module

# The one list of the names and the modules that they come from; ``make exports`` writes it for type checkers.
# Names are loaded when first used: pytest loads the plugin in every run, also where no test needs it.
_HOMES = {"faults": ["MxgwFaults"], "simulator": ["MxgwSimulator"]}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
