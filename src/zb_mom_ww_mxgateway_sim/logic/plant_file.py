"""A plant file: Python that declares tags and logic. Mistakes are reported with their place."""

import itertools
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from zb_mom_ww_mxgateway_sim.logic.declarations import PlantLogic, collecting
from zb_mom_ww_mxgateway_sim.runtime.errors import PlantError, SimulatorError

_log = logging.getLogger(__package__)
_NAME = "mxgw_plant_"
_numbers = itertools.count(1)


def read_plant(path: Path) -> PlantLogic:
    """Run a plant file, and return what it declares. Raise PlantError as ``file:line:column: what is wrong``.

    Each call runs the file, and the modules beside it that it imports, again: gateways share no state.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise PlantError(f"{path}: {error.strerror or error}") from error
    try:
        code = compile(source, str(path), "exec")
    except (SyntaxError, ValueError) as error:
        raise PlantError(_said_of_syntax(error, path)) from error
    module = ModuleType(f"{_NAME}{next(_numbers)}")
    module.__file__ = str(path)
    module.__dict__["print"] = _print
    with _modules_beside(path), collecting() as logic:
        # A dataclass looks its module up.
        sys.modules[module.__name__] = module
        try:
            exec(code, module.__dict__)
        except SyntaxError as error:
            raise PlantError(_said_of_syntax(error, path)) from error
        except (Exception, SystemExit) as error:
            raise PlantError(f"{place_in(error.__traceback__, path) or path}: {said_of(error)}") from error
    if not logic.triggers and not logic.tags:
        raise PlantError(f"{path}: it declares nothing; use @every, @on_write and tag of zb_mom_ww_mxgateway_sim")
    return logic


def said_of(error: BaseException) -> str:
    """Return an error in one line; its type is left out where the text is for people."""
    text = " ".join(str(error).split())
    if isinstance(error, SimulatorError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_in(trace: TracebackType | None, path: Path) -> str:
    """Return ``file:line`` of the innermost frame in the file's folder; empty if there is none."""
    folder = path.resolve().parent
    for frame in reversed(traceback.extract_tb(trace)):
        # Not below the folder: that may have a virtual environment in it.
        if not frame.filename.startswith("<") and Path(frame.filename).resolve().parent == folder:
            return f"{frame.filename}:{frame.lineno}"
    return ""


def _said_of_syntax(error: SyntaxError | ValueError, path: Path) -> str:
    if not isinstance(error, SyntaxError) or error.lineno is None:
        return f"{path}: {said_of(error)}"
    # Of a module beside it, the file is another one.
    return f"{error.filename or path}:{error.lineno}:{error.offset or 1}: {error.msg}"


@contextmanager
def _modules_beside(path: Path) -> Iterator[None]:
    """Let the file import modules of its folder, afresh."""
    folder = str(path.resolve().parent)
    before = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        imported = set(sys.modules) - before
        for name in [name for name in imported if _is_beside(name.partition(".")[0], Path(folder))]:
            del sys.modules[name]


def _is_beside(name: str, folder: Path) -> bool:
    """Return whether a module, or the package that it is in, is a part of this folder."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file or name.startswith(_NAME):
        return False
    place = Path(file).resolve()
    return folder in (place.parent, place.parent.parent if place.name == "__init__.py" else None)


def _print(*values: object, sep: str | None = " ", file: Any = None, **others: Any) -> None:
    """Report what a plant file prints: standard output belongs to the program."""
    if file is None:
        _log.warning("%s", (" " if sep is None else sep).join(map(str, values)))
    else:
        print(*values, sep=sep, file=file, **others)
