"""What the packages export, and what importing them costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import exports
import pytest

SRC = Path(__file__).parents[2] / "src"
PUBLIC = ("zb_mom_ww_mxgateway", "zb_mom_ww_mxgateway_sim", "zb_mom_ww_mxgateway_testing")
APPLICATIONS = ("zb_mom_ww_mxgateway_cli", "zb_mom_ww_mxgateway_console", "zb_mom_ww_mxgateway_shell")


def exported_to_type_checkers(package: str) -> set[str]:
    """The names that the package's ``__init__.pyi`` imports."""
    tree = ast.parse(exports.path_of(package).read_text(encoding="utf-8"))
    return {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


@pytest.mark.parametrize("package", exports.PACKAGES)
def test_the_stub_is_what_the_list_gives(package: str) -> None:
    assert exports.path_of(package).read_text(encoding="utf-8") == exports.stub(package), "run `make exports`"


@pytest.mark.parametrize("package", PUBLIC)
def test_all_names_are_importable(package: str) -> None:
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("package", PUBLIC)
def test_all_is_what_type_checkers_see(package: str) -> None:
    assert set(importlib.import_module(package).__all__) == exported_to_type_checkers(package)


@pytest.mark.parametrize("package", PUBLIC)
def test_dir_lists_what_is_exported(package: str) -> None:
    module = importlib.import_module(package)
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("package", PUBLIC)
def test_a_name_that_is_not_exported_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = importlib.import_module(package).no_such_name


@pytest.mark.parametrize("package", APPLICATIONS)
def test_applications_export_nothing(package: str) -> None:
    assert getattr(importlib.import_module(package), "__all__", []) == []


def test_wire_exports_what_it_says() -> None:
    wire = importlib.import_module("zb_mom_ww_mxgateway.wire")
    assert set(wire.__all__) == exported_to_type_checkers("zb_mom_ww_mxgateway.wire")
    assert all(getattr(wire, name) is not None for name in wire.__all__)


@pytest.mark.parametrize("package", PUBLIC)
def test_typed_for_users(package: str) -> None:
    assert (SRC / package / "py.typed").is_file()


@pytest.mark.parametrize("package", [*PUBLIC, *APPLICATIONS])
def test_importing_a_package_alone_is_cheap(package: str) -> None:
    program = f"import sys, {package}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    ).stdout.split()
    assert package in loaded
    costly = {"grpc", "google", "click", "cryptography", "platformdirs", "prompt_toolkit", "ptpython", "pygments"}
    assert costly.isdisjoint(loaded)


def test_the_version_comes_without_grpc() -> None:
    program = "import sys, zb_mom_ww_mxgateway as library; print(library.__version__, 'grpc' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    version, has_grpc = said.stdout.split()
    assert version.count(".") == 2
    assert has_grpc == "False"
