"""Which contract this process speaks, decided in one place and once."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.config_dir import config_folder

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.contract.messages import Modules

VARIABLE = "MXGATEWAY_CONTRACT"
BUILT_IN = "built-in"
_KEPT_NAME = "contract.protoset"
_GENERATED = "zb_mom_ww_mxgateway.generated"


class Contract(NamedTuple):
    """A contract by where it comes from."""

    origin: str
    """``built-in``, ``adopted`` (kept for this user), ``environment`` (``MXGATEWAY_CONTRACT``) or ``program``."""
    path: Path | None = None
    """The descriptor set; None for the built-in contract."""
    sha256: str = ""
    """Of the descriptor set; empty for the built-in contract."""

    @property
    def is_built_in(self) -> bool:
        """Whether it is the contract of ``proto/``."""
        return self.path is None

    def __str__(self) -> str:
        if self.path is None:
            return BUILT_IN
        how = {"environment": f"from {VARIABLE}", "program": "chosen by this program"}.get(self.origin, self.origin)
        return f"{self.path} ({how}, sha256 {self.sha256[:12]})"


class _Process:
    """What was decided for this process."""

    def __init__(self) -> None:
        self.chosen: Contract | None = None
        self.modules: Modules | None = None
        self.is_bound = False


_process = _Process()


def kept_path() -> Path:
    """Return where the set that was adopted for this user is kept."""
    return config_folder() / _KEPT_NAME


def configured() -> Contract:
    """Return the contract by the environment and the user's configuration, without reading it: ``sha256`` is empty."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return Contract("environment", Path(named))
    try:
        kept = kept_path()
    except MxGatewayArgumentError:
        return Contract(BUILT_IN)  # no home, so nothing is kept
    # Not ``exists``, which takes a folder that cannot be searched, and a link to nothing, for no contract.
    try:
        kept.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Contract(BUILT_IN)
    except OSError:
        pass
    return Contract("adopted", kept)


def spoken() -> Contract:
    """Return the contract of this process. Raises MxGatewayArgumentError when the adopted set cannot be used."""
    if _process.chosen is None:
        found = configured()
        if found.path is not None:
            found, _process.modules = _adopted(found.origin, found.path)
        _process.chosen = found
    return _process.chosen


def use(path: str | Path) -> Contract:
    """Make this process speak the descriptor set at `path`; call it before the first client or gateway is made.

    Raises MxGatewayArgumentError, and changes nothing, when the set cannot be read or lacks what is needed, or when
    this process speaks another contract already.
    """
    found, modules = _adopted("program", Path(path))
    before = _process.chosen
    if before is not None and before.sha256 == found.sha256:
        return before
    if _process.is_bound and before is not None:
        if _have_the_same_numbers(before, Path(path)):
            return before
        raise MxGatewayArgumentError(
            f"{path}: this process speaks another contract already: choose it before the first client is made"
        )
    _process.chosen, _process.modules = found, modules
    if _GENERATED in sys.modules:
        _fill_generated(modules)
    return found


def _have_the_same_numbers(ours: Contract, theirs: Path) -> bool:
    from zb_mom_ww_mxgateway.contract.descriptors import built_in_files, files_at
    from zb_mom_ww_mxgateway.contract.differences import Weight, differences, things_of

    spoken_files = built_in_files() if ours.path is None else files_at(ours.path)
    found = differences(things_of(spoken_files), things_of(files_at(theirs)), {})
    return all(each.weight is Weight.HARMLESS for each in found)


def bind() -> Contract:
    """Return the contract of this process, which is settled from now on: something was made of its messages."""
    found = spoken()
    _process.is_bound = True
    return found


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a descriptor set, in hex."""
    import hashlib  # Only for a set that is adopted.

    return hashlib.sha256(data).hexdigest()


def _adopted(origin: str, path: Path) -> "tuple[Contract, Modules]":
    from zb_mom_ww_mxgateway.contract.descriptors import files_of, read_set
    from zb_mom_ww_mxgateway.contract.needs import checked_modules
    from zb_mom_ww_mxgateway.system.private_files import open_to_others

    way_back = {
        "adopted": "; mxgw-py contract reset goes back to the built-in contract",
        "environment": f"; it is named by {VARIABLE}",
    }.get(origin, "")
    try:
        # Who may change it could make a write mean something else.
        if origin == "adopted" and (others := open_to_others(path)):
            raise MxGatewayArgumentError(f"{path}: {others}, when you have made sure that it is yours")
        data = read_set(path)
        modules = checked_modules(path, files_of(path, data))
    except MxGatewayArgumentError as error:
        raise MxGatewayArgumentError(f"{error}{way_back}") from error.__cause__
    return Contract(origin, path, digest_of(data)), modules


def install() -> None:
    """Put the messages of an adopted contract in the place of the generated ones, before those are imported."""
    if not spoken().is_built_in and _process.modules is not None:
        _fill_generated(_process.modules)


def _fill_generated(modules: "Modules") -> None:
    """Give the generated modules these messages: those that are imported change, the others stay unread."""
    for name, content in modules.items():
        full_name = f"{_GENERATED}.{name}"
        module = sys.modules.get(full_name)
        if module is None:
            module = sys.modules[full_name] = ModuleType(full_name, "Messages of the contract that was adopted.")
            setattr(sys.modules[_GENERATED], name, module)
        _replace(module, content)


def _replace(module: ModuleType, content: Mapping[str, Any]) -> None:
    for name in tuple(vars(module)):
        if not name.startswith("__"):
            delattr(module, name)
    vars(module).update(content)
