"""The zip for machines without a network: what it collects, promises and refuses. ``make test-bundle`` installs one."""

import json
import platform
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools" / "bundle"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import one of the tools, which are not installed."""
    monkeypatch.syspath_prepend(TOOLS)

    def load(name: str) -> ModuleType:
        monkeypatch.delitem(sys.modules, name, raising=False)
        module = __import__(name)
        monkeypatch.delitem(sys.modules, name)
        return module

    return load


def wheel(folder: Path, name: str, *needs: str, licence: str = "License-Expression: MIT") -> Path:
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", licence]
        lines += [f"Requires-Dist: {each}" for each in needs]
        archive.writestr(f"{path.stem}.dist-info/METADATA", "\n".join(lines) + "\n\n")
    return path


def test_what_is_needed_depends_on_the_other_machine_and_not_on_this_one(
    tool: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    wheels = tool("wheels")
    own = wheel(
        tmp_path,
        "own",
        "plain>=1",
        'colours; platform_system == "Windows"',
        'terminals; sys_platform != "win32"',
        'backport; python_version < "3.12"',
        'tables>=2; extra == "parquet"',
    )

    def names(python: str, system: str, *extras: str) -> list[str]:
        return [each.name for each in wheels.requirements(own, extras, wheels.Target(python, system))]

    assert names("3.11", "windows") == ["plain", "colours", "backport"]
    assert names("3.14", "windows") == ["plain", "colours"]
    assert names("3.14", "linux") == ["plain", "terminals"]
    assert names("3.12", "linux", "parquet") == ["plain", "terminals", "tables"]


def test_requirements_of_requirements_are_followed_with_their_extras(
    tool: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tool("wheels")
    own = wheel(tmp_path, "own", "first[more]")
    first = wheel(tmp_path, "first", 'second; extra == "more"', 'third; extra == "others"', "own")
    second = wheel(tmp_path, "second", "first")
    offered = {"first": first, "second": second, "own": own}
    monkeypatch.setattr(wheels, "_fetched", lambda wanted, *rest: {each.name: offered[each.name] for each in wanted})
    found = wheels.collect(own, (), [wheels.Target("3.11", "linux")], tmp_path, tmp_path)
    assert found == {own, first, second}


def test_the_bill_of_materials_names_every_wheel_with_licence_and_digest(
    tool: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    wheels = [
        wheel(tmp_path, "own"),
        wheel(tmp_path, "classified", licence="Classifier: License :: OSI Approved :: BSD License"),
        wheel(tmp_path, "silent", licence="Summary: nothing"),
    ]
    made = json.loads(tool("sbom").document("own", "1.0", wheels))
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.5", 1)
    assert made["metadata"]["component"]["purl"] == "pkg:pypi/own@1.0"
    licences = {each["name"]: each["licenses"] for each in made["components"]}
    assert licences == {
        "classified": [{"license": {"name": "BSD License"}}],
        "silent": [{"license": {"name": "not stated by the package"}}],
    }
    assert all(len(each["hashes"][0]["content"]) == 64 for each in made["components"])
    references = [each["bom-ref"] for each in made["components"]]
    assert len(set(references)) == len(references)


@pytest.fixture
def bundle(tool: Callable[[str], ModuleType], tmp_path: Path) -> Path:
    """A bundle whose one wheel cannot be installed: no test here gets so far."""
    folder = tmp_path / "mxgw-1.0-x86_64"
    (folder / "wheels").mkdir(parents=True)
    wheel(folder / "wheels", "own")
    for name in ("install.py", "install.sh", "digests.py"):
        shutil.copy(TOOLS / name, folder)
    (folder / "targets.txt").write_text(f"{sys.version_info[0]}.{sys.version_info[1]} linux\n3.99 windows\n")
    (folder / "extras.txt").write_text("mqtt\nshell\n")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "SHA256SUMS").write_text(tool("digests").digests_of(files))
    return folder


def refusal(bundle: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(bundle / "install.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr.strip().removeprefix("install: ")


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the bundle here is for this Linux"
)
class TestWhatTheInstallerRefuses:
    def test_a_file_that_changed_or_is_missing(self, bundle: Path, tmp_path: Path) -> None:
        (damaged,) = (bundle / "wheels").iterdir()
        damaged.write_bytes(damaged.read_bytes() + b"x")
        assert refusal(bundle, str(tmp_path / "to")) == f"wheels/{damaged.name} is not the file that was bundled"
        damaged.unlink()
        assert refusal(bundle, str(tmp_path / "to")).startswith(f"wheels/{damaged.name} cannot be read: ")
        assert not (tmp_path / "to").exists()

    def test_a_wheel_that_somebody_put_there(self, bundle: Path, tmp_path: Path) -> None:
        added = wheel(bundle / "wheels", "added")
        assert refusal(bundle, str(tmp_path / "to")) == f"wheels/{added.name} is not part of the bundle"

    def test_a_folder_that_holds_something_else(self, bundle: Path, tmp_path: Path) -> None:
        (tmp_path / "to").mkdir()
        # As the environment of another program has it.
        (tmp_path / "to" / "pyvenv.cfg").touch()
        assert refusal(bundle, str(tmp_path / "to")).endswith("to holds something else than mxgw: name another folder")
        assert refusal(bundle, str(tmp_path / "to" / "pyvenv.cfg")).endswith("name another folder")
        assert [path.name for path in (tmp_path / "to").iterdir()] == ["pyvenv.cfg"]

    def test_an_extra_that_it_does_not_have(self, bundle: Path, tmp_path: Path) -> None:
        working = tmp_path / "to"
        working.mkdir()
        (working / "mxgw-bundle.txt").touch()
        said = refusal(bundle, str(working), "--extras", "mqtt, parquet")
        assert said == "this bundle has no extra parquet; it has mqtt, shell"
        # What is installed stays as it is.
        assert [path.name for path in working.iterdir()] == ["mxgw-bundle.txt"]

    def test_a_folder_that_cannot_be_made(self, bundle: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        said = refusal(bundle, str(tmp_path / "file" / "to"))
        assert said.startswith("[Errno ")
        assert said.endswith("to is not usable")

    def test_a_bundle_that_is_not_whole(self, bundle: Path) -> None:
        (bundle / "targets.txt").unlink()
        assert "targets.txt cannot be read: " in refusal(bundle)

    def test_a_python_that_it_has_no_wheels_for(self, bundle: Path) -> None:
        (bundle / "targets.txt").write_text("3.98 linux\n3.99 linux\n3.11 windows\n")
        assert refusal(bundle).endswith("the bundle has wheels for CPython 3.98, 3.99")
        (bundle / "targets.txt").write_text("3.11 windows\n")
        assert refusal(bundle) == "this bundle has no wheels for Linux"

    def test_no_python_at_all(self, bundle: Path, tmp_path: Path) -> None:
        assert found_by_shell(bundle, tmp_path, PYTHON="/no/python") == (
            1, "install: PYTHON=/no/python is no Python 3.11 or later",
        )  # fmt: skip
        code, said = found_by_shell(bundle, tmp_path)
        assert (code, said.partition(";")[0]) == (1, "install: no Python was found that targets.txt lists")

    def test_a_later_python_beside_one_that_it_has_wheels_for(self, bundle: Path, tmp_path: Path) -> None:
        for name, version in (("python3.14", "3.99"), ("python3.12", "3.98"), ("python3", "3.98")):
            program = tmp_path / name
            program.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then echo {version}; else echo {name} >&2; fi\n')
            program.chmod(0o755)
        (bundle / "targets.txt").write_text("3.98 linux\n3.99 windows\n")
        assert found_by_shell(bundle, tmp_path) == (0, "python3.12")


def found_by_shell(bundle: Path, programs: Path, **surroundings: str) -> tuple[int, str]:
    """The exit code of install.sh and what it says, with the programs of this folder and those of every system."""
    for name in ("grep", "dirname"):
        path = shutil.which(name)
        assert path is not None
        if not (programs / name).exists():
            (programs / name).symlink_to(path)
    done = subprocess.run(
        ["/bin/sh", str(bundle / "install.sh")],
        env={"PATH": str(programs), **surroundings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr.strip()


def test_a_parenthesis_in_an_argument_ends_nothing_in_the_installer_for_windows() -> None:
    depth = 0
    for line in (TOOLS / "install.cmd").read_text(encoding="ascii").splitlines():
        if not line.startswith("rem "):
            assert "%*" not in line or depth == 0, line
            depth += line.count("(") - line.count(")")
    assert depth == 0


def test_what_was_interrupted_is_made_anew(
    tool: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = tool("install")
    folder = tmp_path / "to"

    def interrupted(self: venv.EnvBuilder, path: Path) -> None:
        (path / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(venv.EnvBuilder, "create", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            install.make_environment(folder)
        assert {path.name for path in folder.iterdir()} == {"half", install.MARK}

    def without_pip(self: venv.EnvBuilder, path: Path) -> None:
        assert not (path / "half").exists()
        raise subprocess.CalledProcessError(1, "python", output=b"python: No module named ensurepip\n")

    monkeypatch.setattr(venv.EnvBuilder, "create", without_pip)
    with pytest.raises(OSError, match=r"No module named ensurepip \(on Debian and Ubuntu, install python3-venv\)$"):
        install.make_environment(folder)


def test_the_extras_of_a_bundle_are_those_whose_packages_it_has(
    tool: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    offered = {"shell": ["prompt_toolkit>=3", "wcwidth"], "mqtt": ["paho-mqtt>=2.1"], "nats": ["nats-py"]}
    wheels = [wheel(tmp_path, name) for name in ("paho-mqtt", "prompt_toolkit", "wcwidth", "pygments")]
    assert tool("wheels").complete_extras(offered, wheels) == ["shell", "mqtt"]


def test_another_machine_is_refused(tool: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    install = tool("install")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    monkeypatch.setattr(install.platform, "system", lambda: "Windows")
    monkeypatch.setattr(install.platform, "python_implementation", lambda: "CPython")
    for machine, fits in (("AMD64", True), ("x86_64", True), ("ARM64", False), ("x86", False)):
        monkeypatch.setattr(install.platform, "machine", lambda machine=machine: machine)
        assert (install.unfit(f"{here} windows\n") == "") is fits, machine
    monkeypatch.setattr(install.struct, "calcsize", lambda code: 4)
    assert "32-bit" in install.unfit(f"{here} windows\n")
