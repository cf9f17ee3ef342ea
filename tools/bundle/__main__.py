"""Build the zip for machines without a network: ``make bundle`` runs this.

The zip has this package and all that it needs as wheels, for each supported Python on 64-bit x86 Windows and Linux; an
installer that uses nothing else; the guides and examples; a bill of materials; the digest of every file.
"""

import argparse
import os
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import sbom
from digests import SUMS, digests_of
from wheels import Target, collect, complete_extras

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_PYTHON = "Programming Language :: Python :: 3."
PYTHONS = tuple(each.rpartition(" ")[2] for each in PROJECT["classifiers"] if each.startswith(_PYTHON))
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
INSTALLER = ("install.py", "install.sh", "install.cmd", "digests.py", "READ-ME-FIRST.txt")
GUIDES = ("README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "docs", "examples")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=ROOT / "build" / "bundle", help="where the zip is written")
    options.add_argument("--pythons", default=",".join(PYTHONS), help="versions of Python, such as 3.11,3.12")
    options.add_argument("--systems", default="windows,linux", help="windows, linux, or both")
    options.add_argument("--extras", default="", help="extras to include, such as parquet,mqtt")
    chosen = options.parse_args()
    extras = tuple(filter(None, (each.strip() for each in chosen.extras.split(","))))
    for unknown in sorted(set(extras) - set(EXTRAS)):
        options.error(f"no extra {unknown}; there are {', '.join(EXTRAS)}")
    targets = [Target(python, system) for python in chosen.pythons.split(",") for system in chosen.systems.split(",")]
    zipped = build(chosen.folder, targets, extras)
    print(f"{zipped}: {zipped.stat().st_size / 1e6:.1f} MB")


def build(folder: Path, targets: list[Target], extras: tuple[str, ...]) -> Path:
    """Write the zip, and return its path. The same sources and wheels give the same bytes."""
    content = folder / "content"
    wheels = content / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    own = _own_wheel(wheels)
    needed = {own, *collect(own, extras, targets, wheels, ROOT / ".ci" / "constraints.txt")}
    for old in set(wheels.iterdir()) - needed:
        old.unlink()

    version = own.name.split("-")[1]
    name = f"mxgw-{version}-x86_64"
    files: dict[str, bytes] = {f"wheels/{each.name}": each.read_bytes() for each in needed}
    for each in INSTALLER:
        files[each] = _with_line_ends(each, (Path(__file__).parent / each).read_bytes())
    files["targets.txt"] = "".join(f"{each}\n" for each in targets).encode()
    files["extras.txt"] = "".join(f"{each}\n" for each in sorted(complete_extras(EXTRAS, needed))).encode()
    for path in _tracked(*GUIDES):
        files[path.as_posix()] = (ROOT / path).read_bytes()
    files["sbom.cdx.json"] = sbom.document(PROJECT["name"], version, sorted(needed)).encode()
    files[SUMS] = digests_of(files).encode()

    zipped = folder / f"{name}.zip"
    unfinished = zipped.with_suffix(".part")
    made = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", 315_532_800)))[:6]
    with zipfile.ZipFile(unfinished, "w") as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", made)
            entry.create_system = 3
            entry.external_attr = (0o755 if path.endswith(".sh") else 0o644) << 16
            archive.writestr(entry, data, zipfile.ZIP_STORED if path.endswith(".whl") else zipfile.ZIP_DEFLATED)
    unfinished.replace(zipped)
    return zipped


def _own_wheel(folder: Path) -> Path:
    """Build the wheel of this package, from the files as they are now."""
    for old in folder.glob("zb_mom_ww_mxaccess_gateway_client-*"):
        old.unlink()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    (own,) = folder.glob("zb_mom_ww_mxaccess_gateway_client-*.whl")
    return own


def _tracked(*paths: str) -> list[Path]:
    """Return the files below these paths, without what a build or a run has left there."""
    found = [ROOT / path for path in paths]
    files = [file for path in found for file in ([path] if path.is_file() else path.rglob("*"))]
    return [file.relative_to(ROOT) for file in files if file.is_file() and "__pycache__" not in file.parts]


def _with_line_ends(name: str, data: bytes) -> bytes:
    """Return a text with the ends of lines that its system wants."""
    data = data.replace(b"\r\n", b"\n")
    return data.replace(b"\n", b"\r\n") if name.endswith((".cmd", ".txt")) else data


if __name__ == "__main__":
    main()
