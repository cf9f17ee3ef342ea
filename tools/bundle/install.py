"""Install mxgw from this bundle, without a network, into a folder of its own.

usage: install [FOLDER] [--extras NAMES]     FOLDER is mxgw beside the bundle unless it is given
"""

import argparse
import platform
import struct
import subprocess
import sys
from pathlib import Path

BUNDLE = Path(__file__).resolve().parent
PACKAGE = "zb-mom-ww-mxaccess-gateway-client"
MARK = "mxgw-bundle.txt"
"""Shows that an installer like this one made a folder, and may make it anew."""


def unfit(targets: str) -> str:
    """Return why the bundle cannot be used with this Python on this machine; empty where it can."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    fitting = dict.fromkeys(
        line.split()[0] for line in targets.splitlines() if line.endswith(platform.system().lower())
    )
    offered = ", ".join(fitting)
    if not fitting:
        return f"this bundle has no wheels for {platform.system()}"
    if struct.calcsize("P") != 8 or platform.machine().lower() not in ("amd64", "x86_64"):
        return f"this is a {struct.calcsize('P') * 8}-bit Python on {platform.machine()}: 64-bit x86 is needed"
    if platform.python_implementation() != "CPython" or python not in fitting:
        return f"this is {platform.python_implementation()} {python}: the bundle has wheels for CPython {offered}"
    return ""


def not_bundled(extras: str, bundled: str) -> str:
    """Return which of these extras the bundle does not have, in words; empty where it has all."""
    for name in filter(None, (each.strip() for each in extras.split(","))):
        if name not in bundled.split():
            return f"this bundle has no extra {name}; it has {', '.join(bundled.split()) or 'none'}"
    return ""


def make_environment(folder: Path) -> None:
    """Make an empty environment in a folder, in place of a former one; raise OSError where it cannot be made."""
    import venv

    builder = venv.EnvBuilder(with_pip=True)
    if folder.exists():
        builder.clear_directory(folder)
    # At first: what is interrupted can be made anew.
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(f"{BUNDLE.name}\n", encoding="utf-8")
    try:
        builder.create(folder)
    except subprocess.CalledProcessError as error:
        said = (error.output or b"").decode(errors="replace").strip()
        advice = " (on Debian and Ubuntu, install python3-venv)" if "ensurepip" in said else ""
        raise OSError(f"{sys.executable} makes no environment: {said.rpartition(chr(10))[2]}{advice}") from None


def main() -> None:
    options = argparse.ArgumentParser(prog="install", description="Install mxgw from this bundle, without a network.")
    options.add_argument("folder", nargs="?", type=Path, default=BUNDLE.parent / "mxgw", help="where to install")
    options.add_argument("--extras", default="", help="extras that the bundle was built with, such as parquet,mqtt")
    chosen = options.parse_args()
    try:
        reason = unfit((BUNDLE / "targets.txt").read_text(encoding="utf-8"))
        reason = reason or not_bundled(chosen.extras, (BUNDLE / "extras.txt").read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"{error.filename} cannot be read: {error.strerror}"
    if not reason:
        from digests import damage

        reason = damage(BUNDLE)
    if reason:
        sys.exit(f"install: {reason}")
    folder: Path = chosen.folder
    if folder.exists() and not (folder.is_dir() and ((folder / MARK).exists() or not any(folder.iterdir()))):
        sys.exit(f"install: {folder} holds something else than mxgw: name another folder")
    try:
        make_environment(folder)
    except OSError as error:
        sys.exit(f"install: {error}; {folder} is not usable")
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    wanted = f"{PACKAGE}[{chosen.extras}]" if chosen.extras else PACKAGE
    pip = [str(programs / "python"), "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet"]
    done = subprocess.run([*pip, "--no-index", "--find-links", str(BUNDLE / "wheels"), wanted], check=False)
    if done.returncode:
        sys.exit(f"install: pip ended with {done.returncode}; {folder} is not usable")
    print(f"installed in {folder}. Try: {programs / 'mxgw-shell'} --demo")


if __name__ == "__main__":
    main()
