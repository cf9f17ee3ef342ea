"""Find the wheels that a package needs on another machine than this one.

pip chooses the file of a wheel for another platform, but judges conditions such as ``platform_system == "Windows"`` by
the machine that it runs on. So the requirements are followed here, and pip only fetches.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

_SYSTEMS = {
    "windows": (("win_amd64",), {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}),
    "linux": (
        (*(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 24, 17)), "manylinux2014_x86_64"),
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A Python on a system: ``3.11``, ``windows`` or ``linux``; always 64-bit x86."""

    python: str
    system: str

    def __str__(self) -> str:
        return f"{self.python} {self.system}"

    @property
    def environment(self) -> dict[str, str]:
        """What conditions of requirements ask for."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "platform_machine": "AMD64" if self.system == "windows" else "x86_64",
            "platform_release": "",
            "platform_version": "",
            **_SYSTEMS[self.system][1],
        }

    @property
    def pip_options(self) -> list[str]:
        """What tells pip to fetch for this target."""
        short = self.python.replace(".", "")
        options = ["--only-binary=:all:", "--implementation", "cp", "--python-version", self.python]
        for abi in (f"cp{short}", "abi3", "none"):
            options += ["--abi", abi]
        for platform in (*_SYSTEMS[self.system][0], "any"):
            options += ["--platform", platform]
        return options


def collect(own: Path, extras: tuple[str, ...], targets: list[Target], folder: Path, constraints: Path) -> set[Path]:
    """Fetch into the folder what the wheel `own` needs for all targets; return the paths."""
    needed: set[Path] = set()
    for target in targets:
        needed |= _collect_for(own, extras, target, folder, constraints)
    return needed


def _collect_for(own: Path, extras: tuple[str, ...], target: Target, folder: Path, constraints: Path) -> set[Path]:
    found: dict[str, Path] = {}
    asked: set[tuple[str, str]] = set()
    wanted = requirements(own, extras, target)
    while wanted:
        missing = [each for each in wanted if canonicalize_name(each.name) not in found]
        if missing:
            found |= _fetched(missing, target, folder, constraints)
        further: list[Requirement] = []
        for each in wanted:
            name = canonicalize_name(each.name)
            version = parse_wheel_filename(found[name].name)[1]
            if not each.specifier.contains(version, prereleases=True):
                raise SystemExit(f"{target}: {found[name].name} does not satisfy {each}")
            for extra in ("", *each.extras):
                if (name, extra) not in asked:
                    asked.add((name, extra))
                    further += requirements(found[name], (extra,) if extra else (), target)
        wanted = further
    return set(found.values())


def metadata_of(wheel: Path) -> Message:
    """Return what a wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(archive.read(path).decode("utf-8"))


def requirements(wheel: Path, extras: tuple[str, ...], target: Target) -> list[Requirement]:
    """Return what a wheel needs on a target, for itself and for these of its extras."""
    found: list[Requirement] = []
    for text in metadata_of(wheel).get_all("Requires-Dist") or ():
        needed = Requirement(text)
        environments = [{**target.environment, "extra": extra} for extra in ("", *extras)]
        if needed.marker is None or any(needed.marker.evaluate(each) for each in environments):
            found.append(needed)
    return found


def complete_extras(extras: Mapping[str, Sequence[str]], wheels: Iterable[Path]) -> list[str]:
    """Return those of the extras, given with their requirements, of which every package is among the wheels."""
    found = {parse_wheel_filename(each.name)[0] for each in wheels}
    return [
        name for name, texts in extras.items() if {canonicalize_name(Requirement(each).name) for each in texts} <= found
    ]


def _fetched(wanted: list[Requirement], target: Target, folder: Path, constraints: Path) -> dict[str, Path]:
    """Fetch these packages, without what they need themselves, and return the wheel of each."""
    texts = sorted({f"{each.name}{each.specifier}" for each in wanted})
    with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += [*target.pip_options, "--constraint", str(constraints), "--dest", fresh, *texts]
        subprocess.run(command, check=True)
        found: dict[str, Path] = {}
        for wheel in Path(fresh).iterdir():
            found[parse_wheel_filename(wheel.name)[0]] = wheel.replace(folder / wheel.name)
    return found
