"""The descriptor set that is kept for the user: adopted, and given up again."""

import os
from contextlib import suppress
from pathlib import Path

from zb_mom_ww_mxgateway.contract.adoption import Contract, digest_of, kept_path
from zb_mom_ww_mxgateway.contract.descriptors import built_in_files, files_of, read_set
from zb_mom_ww_mxgateway.contract.needs import checked_modules
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.private_files import make_private_file
from zb_mom_ww_mxgateway.system.regular_files import put_in_place


def adopt(path: Path) -> Contract:
    """Keep a copy of the set at `path`, which every program of this user speaks from its next start.

    Raises MxGatewayArgumentError, and changes nothing, when it cannot be read, lacks what is needed, or cannot be kept.
    """
    data = read_set(path)
    checked_modules(path, files_of(path, data))
    kept = kept_path()
    # Next to it and then in its place: whoever starts meanwhile finds the one or the other, whole.
    fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        make_private_file(fresh)
        try:
            fresh.write_bytes(data)
            put_in_place(fresh, kept)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            raise
    except OSError as error:
        raise MxGatewayArgumentError(f"{path}: cannot be kept as {kept}: {error.strerror or error}") from error
    return Contract("adopted", kept, digest_of(data))


def give_up() -> Path | None:
    """Remove the kept set, and return where it was; None where there was none. Raises MxGatewayArgumentError."""
    kept = kept_path()
    try:
        kept.unlink()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MxGatewayArgumentError(f"{kept}: cannot be removed: {error.strerror or error}") from error
    return kept


def spoken_set(contract: Contract) -> bytes:
    """Return a contract as a descriptor set; raises MxGatewayArgumentError when it cannot be read."""
    return built_in_files().SerializeToString() if contract.path is None else read_set(contract.path)
