"""Tries the installed package, with nothing of the repository beside it: for make test-wheel."""

import subprocess
import sys
import tempfile
from importlib import metadata, resources
from pathlib import Path

NAME = "zb-mom-ww-mxaccess-gateway-client"
PACKAGES = [f"zb_mom_ww_mxgateway{end}" for end in ("", "_cli", "_shell", "_sim", "_testing")]


def said(*command: str) -> str:
    """What a command of the installed package says in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(sys.executable).with_name(command[0]))
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, cwd=folder, timeout=120, check=False
        )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def main() -> None:
    known = metadata.metadata(NAME)
    version = known["Version"]
    assert set(known.get_all("Provides-Extra") or ()) >= {"shell", "sim", "keyring"}
    assert known.get_all("Project-URL")
    assert known["License-Expression"] == "MIT"
    for package in PACKAGES:
        assert "site-packages" in str(resources.files(package)), f"{package} is not the installed one"
        assert (resources.files(package) / "py.typed").is_file(), f"{package} has no types"
    for package in ("zb_mom_ww_mxgateway", "zb_mom_ww_mxgateway_sim", "zb_mom_ww_mxgateway_testing"):
        assert (resources.files(package) / "__init__.pyi").is_file(), f"type checkers see no names of {package}"
    assert version in said("mxgw-py", "version")
    assert version in said("mxgw-shell", "--version")
    assert "port" in said("mxgw-sim", "--help")
    assert "completed" in said("mxgw-shell", "--demo", "-e", "write TestChildObject.TestInt 5")
    print(f"the wheel of {NAME} {version} is whole: three commands, types, extras")


if __name__ == "__main__":
    main()
