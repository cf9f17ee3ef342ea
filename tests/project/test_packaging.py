"""What the package says of itself, and what continuous integration installs."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"


def test_a_plain_install_has_what_every_extra_of_ours_needs() -> None:
    plain = set(PROJECT["dependencies"])
    extras = PROJECT["optional-dependencies"]
    assert set(extras) == {"shell", "sim", "keyring", "parquet", "otel", "nats", "mqtt", "mcp", "dev", "docs"}
    assert set(extras["shell"]) <= plain
    assert set(extras["sim"]) <= plain
    assert set(PROJECT["scripts"]) == {"mxgw-py", "mxgw-shell", "mxgw-sim"}


def test_an_extra_adds_nothing_to_a_plain_install() -> None:
    plain = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert plain == {
        "click",
        "cryptography",
        "filelock",
        "grpcio",
        "grpcio-health-checking",
        "grpcio-reflection",
        "platformdirs",
        "prompt-toolkit",
        "protobuf",
        "ptpython",
        "pygments",
        "wcwidth",
    }


def test_the_metadata_names_pythons_and_links() -> None:
    for minor in (11, 12, 13, 14):
        assert f"Programming Language :: Python :: 3.{minor}" in PROJECT["classifiers"]
    assert all(url.startswith("https://") for url in PROJECT["urls"].values())


def test_links_of_the_readme_work_where_there_is_no_repository() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", readme)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-") for line in
                re.findall(r"^#+ (.+)$", readme, re.MULTILINE)}  # fmt: skip
    assert {link[1:] for link in links if link.startswith("#")} <= headings


def test_continuous_integration_installs_pinned_versions_of_everything_that_is_needed() -> None:
    pins = {}
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pins[canonicalize_name(name)] = version
    extras = PROJECT["optional-dependencies"]
    needed_for_tests = [Requirement(text) for text in [*PROJECT["dependencies"], *extras["dev"]]]
    own = next(needed for needed in needed_for_tests if needed.name == PROJECT["name"])
    needed_for_tests += [Requirement(text) for extra in own.extras for text in extras[extra]]
    for needed in needed_for_tests:
        if needed is own:
            continue
        text = str(needed)
        assert needed.specifier.contains(pins[canonicalize_name(needed.name)]), text
    assert "PIP_CONSTRAINT" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
