"""The imports between our own modules: who imports whom, and where that goes round in a circle."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
PACKAGES = {
    short: f"zb_mom_ww_mxgateway{end}"
    for short, end in (
        ("library", ""),
        ("console", "_console"),
        ("cli", "_cli"),
        ("shell", "_shell"),
        ("simulator", "_sim"),
        ("testing", "_testing"),
    )
}
_SHORT = {package: short for short, package in PACKAGES.items()}

Graph = Mapping[str, frozenset[str]]


def files(package: str) -> list[Path]:
    """The files of a package, without the generated messages; with the stubs that say what a package exports."""
    paths = sorted((*(SRC / package).rglob("*.py"), *(SRC / package).rglob("*.pyi")))
    return [path for path in paths if "generated" not in path.parts]


@cache
def _imported(path: Path) -> tuple[tuple[str, str], ...]:
    """Every import of the file, wherever in it: the module, absolute, and the name taken from it or ``""``."""
    inside = path.relative_to(SRC).with_suffix("").parts
    found: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join((*inside[: len(inside) - node.level], *filter(None, [node.module])))
            found += ((base, alias.name) for alias in node.names)
    return tuple(found)


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, and ``package.name`` for a name of a package."""
    for module, name in _imported(path):
        yield module
        if name:
            yield f"{module}.{name}"


def module_name(path: Path) -> str:
    """The dotted name of a file; a package's is that of its ``__init__``."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(path: Path, known: frozenset[str]) -> Iterator[str]:
    """The modules of ours that the file imports. ``from package import module`` means the module alone."""
    for module, name in _imported(path):
        target = f"{module}.{name}" if f"{module}.{name}" in known else module
        if target in known:
            yield target


@cache
def module_graph() -> Graph:
    """Each module of ours, and the modules of ours that it imports: in functions and for type checking, too."""
    paths = [path for package in PACKAGES.values() for path in files(package)]
    generated = {module_name(path) for path in (SRC / PACKAGES["library"] / "generated").glob("*.py")}
    known = generated.union(map(module_name, paths))
    graph: dict[str, frozenset[str]] = {}
    for path in paths:
        module = module_name(path)
        graph[module] = graph.get(module, frozenset()).union(_targets(path, known)) - {module}
    return graph


def place(module: str) -> str:
    """The room or root module that a module is in, as ``package.room``; the short package name for its ``__init__``."""
    package, _, rest = module.partition(".")
    return ".".join(filter(None, (_SHORT[package], rest.partition(".")[0])))


def place_graph() -> Graph:
    """The rooms and root modules, and what each imports, without what stays inside a room."""
    graph: dict[str, set[str]] = {}
    for module, targets in module_graph().items():
        of = graph.setdefault(place(module), set())
        of |= {place(target) for target in targets} - {place(module)}
    return {of: frozenset(targets) for of, targets in graph.items()}


def circles(graph: Graph) -> set[frozenset[str]]:
    """The largest sets of nodes that all lead to each other."""
    reached = {node: _reached(graph, node) for node in graph}
    return {
        frozenset(other for other in seen if node in reached.get(other, ()))
        for node, seen in reached.items()
        if node in seen
    }


def _reached(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    open_ends: list[Iterable[str]] = [graph[start]]
    while open_ends:
        new = set(open_ends.pop()) - seen
        seen |= new
        open_ends += [graph.get(node, ()) for node in new]
    return seen
