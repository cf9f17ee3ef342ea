"""Packages of extras: imported when they are needed; one that is missing is one line with its remedy."""

from importlib import import_module
from types import ModuleType

from zb_mom_ww_mxgateway.errors import MxGatewayMissingExtraError

_DISTRIBUTION = "zb-mom-ww-mxaccess-gateway-client"


def extra(module: str, extra: str, what: str) -> ModuleType:
    """Import a module that an extra of this distribution brings: ``extra("pyarrow.parquet", "parquet", "Parquet")``.

    Raises MxGatewayMissingExtraError where it is missing; its message begins with `what`, which needs the extra.
    """
    return _imported(module, f'{what} needs the extra: pip install "{_DISTRIBUTION}[{extra}]"')


def package(name: str, what: str) -> ModuleType:
    """Import a package that no extra brings, because a program chooses its own; errors as of :func:`extra`."""
    return _imported(name, f"{what} needs a package: pip install {name}")


def _imported(module: str, message: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        # A package that is there but does not load, as for a missing system library, says why.
        why = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
        raise MxGatewayMissingExtraError(f"{message}{why}") from error
