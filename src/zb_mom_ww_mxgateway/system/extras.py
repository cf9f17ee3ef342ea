"""Packages of extras: imported when they are needed; one that is missing is one line with its remedy."""

from importlib import import_module
from types import ModuleType

from zb_mom_ww_mxgateway.errors import MxGatewayMissingExtraError

_DISTRIBUTION = "zb-mom-ww-mxaccess-gateway-client"


def extra(module: str, extra: str, what: str) -> ModuleType:
    """Import a module that an extra of this distribution brings: ``extra("pyarrow.parquet", "parquet", "Parquet")``.

    Raises MxGatewayMissingExtraError where it is missing; its message begins with `what`, which needs the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        # A package that is there but does not load, as for a missing system library, says why.
        why = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
        raise MxGatewayMissingExtraError(
            f'{what} needs the extra: pip install "{_DISTRIBUTION}[{extra}]"{why}'
        ) from error
