"""A simulated MXAccess gateway: for demonstrations, for our tests and for yours.

``async with SimulatedGateway() as gateway`` serves on ``gateway.endpoint``. ``mxgw-sim`` does the same from a shell.
"""

from importlib import import_module

# The one list of the names and the modules that they come from; ``make exports`` writes it for type checkers.
# Names are loaded when first used: ``mxgw-sim --help`` needs none of them, and grpc is slow to import.
_HOMES = {
    "faults.schedule": ["Fault", "read_faults"],
    "gateway": ["SimulatedGateway"],
    "logic.declarations": ["every", "on_write", "tag"],
    "logic.plant_access": ["Plant"],
    "net.api_keys": ["ALL_SCOPES", "GatewayKey", "KeyScope"],
    "plant.alarms": ["Alarm"],
    "plant.galaxy_export": ["read_galaxy"],
    "plant.model": ["Security"],
    "plant.point_store": ["TagReading"],
    "plant.status": ["Category", "Source", "Status"],
    "plant.tag_file": ["read_tags"],
    "plant.tag_types": ["CoercionError", "NativeType"],
    "plant.tags": ["TagDefinition"],
    "rpc.call_pipeline": ["CallRecord"],
    "runtime.clock": ["ManualClock", "SystemClock", "TimeSource"],
    "runtime.errors": [
        "CertificateError",
        "FaultError",
        "ListenError",
        "PlantError",
        "ReplayError",
        "SimulatorError",
        "TagError",
    ],
    "sessions.session_view": ["SimulatedItem", "SimulatedSession"],
    "sessions.users": ["GalaxyUser"],
    "sessions.write_queue": ["WriteRecord"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
