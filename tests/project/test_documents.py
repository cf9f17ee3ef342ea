"""The documents for people name what is there: links, paths, and names of the code."""

import ast
import importlib.util
import keyword
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from documents import GUIDES, OTHERS, ROOT, text_of
from import_graph import PACKAGES

SRC = ROOT / "src"
PROSE = [*GUIDES, *OTHERS]
NAMED_IN = ["docs/architecture.md", "CONTRIBUTING.md", *(name for name in GUIDES if name.startswith("docs/decisions/"))]
"""Documents about the code: every path and name in them exists."""


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(name: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_blocks(text_of(name)), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PROSE)
def test_every_link_leads_somewhere(name: str) -> None:
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(text_of(name))):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        is_ours = target.is_file() and target.is_relative_to(ROOT)
        if not is_ours or (anchor and anchor not in anchors(target.relative_to(ROOT).as_posix())):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("name", PROSE)
def test_no_reference_of_a_link_is_undefined(name: str) -> None:
    """``[text][name]`` and ``[name]: …`` would be passed over by the test above."""
    assert re.findall(r"\]\[[^\]]|^\[[^\]]+\]: ", without_blocks(text_of(name)), re.MULTILINE) == []


def test_every_guide_is_in_the_index() -> None:
    index, decisions = text_of("docs/README.md"), text_of("docs/decisions/README.md")
    for guide in GUIDES:
        path = Path(guide)
        if path.name != "README.md" and path.parts[0] == "docs":
            assert f"({path.name})" in (decisions if path.parent.name == "decisions" else index), guide


@pytest.mark.parametrize("name", [name for name in PROSE if name != "CHANGELOG.md"])
def test_the_files_that_a_document_names_are_there(name: str) -> None:
    named = re.findall(r"`((?:docs|examples|proto|src|tests)/[^` ]*|[A-Z]+\.md)`", text_of(name))
    assert [each for each in named if not (ROOT / each).exists() and not (ROOT / name).with_name(each).exists()] == []


def test_the_source_distribution_has_the_documents() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))
    included = set(project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    assert {Path(name).parts[0] for name in PROSE} <= included
    assert ".pre-commit-config.yaml" in included


# Names in the documents about the code.


@cache
def definitions() -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Every name that ``src`` defines, and the members of each class, inherited ones included."""
    names: set[str] = set()
    members: dict[str, set[str]] = {}
    bases: dict[str, set[str]] = {}
    for path in SRC.rglob("*.py"):
        if "generated" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names |= defined_in(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                members.setdefault(node.name, set()).update(defined_in(node))
                bases.setdefault(node.name, set()).update(ast.unparse(base).split("[")[0] for base in node.bases)
    for _ in range(4):  # as deep as classes inherit here
        for name, inherited in bases.items():
            for base in inherited:
                members[name] |= members.get(base.rpartition(".")[2], set())
    return frozenset(names), {name: frozenset(found) for name, found in members.items()}


def defined_in(tree: ast.AST) -> set[str]:
    """Classes, functions, parameters, and what is assigned to, attributes of ``self`` included."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.id if isinstance(node, ast.Name) else node.attr)
    return names


def is_there(name: str) -> bool:
    """Whether a name in back-ticks is a path, a room, a name of the code, or a module of others."""
    if "/" in name or name.endswith((".py", ".md", ".toml")):
        packages = [path for path in SRC.iterdir() if path.is_dir()]
        return any((folder / name).exists() for folder in (ROOT, SRC, *packages))
    names, members = definitions()
    *owner, last = name.removesuffix("()").split(".")
    if not owner:
        rooms = {path.name for path in SRC.glob("*/*") if path.is_dir()} | {path.name for path in SRC.iterdir()}
        return last in names | rooms or importlib.util.find_spec(last) is not None
    if owner[-1] in members:
        return last in members[owner[-1]]
    if owner[0] in names:
        return last in names
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


ELSEWHERE = {
    *("sh", "text", "mxs", "toml", ".mxs", ".venv", "build/docs", "utils", "helpers"),
    *("codespell", "ruff"),
    *("OnWriteComplete", "DeprecationWarning"),
    *keyword.kwlist,
    *tomllib.loads(text_of("pyproject.toml"))["project"]["scripts"],
}
"""Words of other languages than the code's: fences, files that are made, tools, the contract, Python, the terminal."""


@pytest.mark.parametrize("name", NAMED_IN)
def test_every_path_and_name_in_a_document_about_the_code_exists(name: str) -> None:
    named = re.findall(r"`([A-Za-z_.][\w./-]*(?:\(\))?)`", without_blocks(text_of(name)))
    assert [each for each in named if each not in ELSEWHERE and not is_there(each)] == []


def rooms_of(package: str) -> list[str]:
    """The rooms of a package on the page of the architecture, from above."""
    page = text_of("docs/architecture.md")
    heading = f"| sub-package of `{package}` |"
    assert heading in page, package
    table = page[page.index(heading) :].partition("\n\n")[0]
    return re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)


# The package of the pytest plugin has no rooms.
@pytest.mark.parametrize(("name", "package"), [each for each in PACKAGES.items() if each[0] != "testing"])
def test_every_room_is_on_the_page_of_the_architecture_above_those_that_import_it(name: str, package: str) -> None:
    rooms = {path.parent.name for path in (SRC / package).glob("*/__init__.py")} - {"generated"}
    described = rooms_of(package)
    assert set(described) == rooms
    arrows = tomllib.loads(text_of("tests/project/arrows.toml"))[name]
    for number, room in enumerate(described):
        assert {other for other in arrows[room] if other in rooms} <= set(described[:number]), room


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("transport/calls.py", True),
        ("src/zb_mom_ww_mxgateway/values.py", True),
        ("transport/no_such_module.py", False),
        ("ClientOptions.call_timeout", True),
        ("ClientOptions.no_such_option", False),
        ("LiveSession.caught_up", True),
        ("NoSuchClass", False),
        ("wire", True),
        ("grpc.aio", True),
        ("grpc.no_such_module", False),
    ],
)
def test_a_name_that_is_not_there_is_found(name: str, there: bool) -> None:
    assert is_there(name) is there
