"""What may import what, and who may look into a message."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from import_graph import PACKAGES, SRC, Graph, circles, files as modules, imports, module_graph, place_graph

LIBRARY, CONSOLE, CLI, SHELL, SIM, TESTING = PACKAGES.values()
GENERATED = f"{LIBRARY}.generated"
CONTRACT = f"{LIBRARY}.contract"

TABLE = tomllib.loads(Path(__file__).with_name("arrows.toml").read_text(encoding="utf-8"))
BETWEEN: dict[str, list[str]] = TABLE.pop("between")
APART: dict[str, list[str]] = TABLE.pop("apart")


def top(module: str) -> str:
    return module.partition(".")[0]


def rooms(package: str) -> set[str]:
    """The names of its sub-packages."""
    return {path.parent.name for path in (SRC / PACKAGES[package]).glob("*/__init__.py")}


def declared() -> Graph:
    """The arrows of the table, inside the packages and between their rooms."""
    inside = {
        f"{package}.{place}": {f"{package}.{target}" for target in targets}
        for package, places in TABLE.items()
        for place, targets in places.items()
    }
    for place, targets in inside.items():
        package = place.partition(".")[0]
        for target in (*BETWEEN.get(package, ()), *BETWEEN.get(place, ())):
            targets.update([target] if "." in target else [target, *(f"{target}.{name}" for name in TABLE[target])])
    return {place: frozenset(targets) for place, targets in inside.items()}


def test_the_table_names_every_room_and_root_module_and_no_other() -> None:
    places = {place for place in place_graph() if "." in place} | {"library.generated"}
    assert set(declared()) == places
    assert {target for targets in declared().values() for target in targets} <= places | set(PACKAGES)


def test_the_table_has_no_circle() -> None:
    assert circles(declared()) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_follow_the_table(package: str) -> None:
    # A package's own __init__ offers what is in it, and so may import all of it.
    strange = {
        f"{place} imports {target}"
        for place, targets in place_graph().items()
        if place.startswith(f"{package}.")
        for target in targets - declared()[place]
    }
    assert strange == set()


def siblings(room: str, graph: Graph) -> set[str]:
    """Where a module in that room imports another one of it; its ``__init__`` may."""
    return {
        f"{module} imports {target}"
        for module, targets in graph.items()
        for target in targets
        if module.startswith(f"{room}.") and target.startswith(f"{room}.")
    }


@pytest.mark.parametrize(("package", "room"), [(package, room) for package in APART for room in APART[package]])
def test_the_modules_of_some_rooms_know_nothing_of_each_other(package: str, room: str) -> None:
    assert room in rooms(package)
    assert siblings(f"{PACKAGES[package]}.{room}", module_graph()) == set()


def test_an_import_of_a_sibling_is_seen() -> None:
    room = {"p.r": frozenset({"p.r.a"}), "p.r.a": frozenset({"p.r", "p.s.b"}), "p.r.c": frozenset({"p.r.a"})}
    assert siblings("p.r", room) == {"p.r.c imports p.r.a"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(module_graph()) == set()


@pytest.mark.parametrize(
    ("package", "room"), [(package, room) for package in PACKAGES for room in sorted(rooms(package) - {"generated"})]
)
def test_a_room_says_which_rooms_it_may_import(package: str, room: str) -> None:
    text = ast.get_docstring(ast.parse((SRC / PACKAGES[package] / room / "__init__.py").read_text(encoding="utf-8")))
    assert text is not None
    said = re.search(r"May import ([^.]+)\.", text)
    assert said is not None, text
    assert set(re.findall(r"``(\w+)``", said[1])) == set(TABLE[package][room]) & rooms(package)
    assert ("no other room" in said[1]) == (not set(TABLE[package][room]) & rooms(package))


def test_a_circle_is_seen() -> None:
    assert circles({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b")}) == {frozenset("bc")}
    assert circles({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()}) == set()


def test_every_package_is_looked_at() -> None:
    assert {path.name for path in SRC.iterdir() if path.is_dir()} >= {LIBRARY, CONSOLE, CLI, SHELL, SIM, TESTING}
    assert all(len(modules(package)) > 3 for package in (LIBRARY, CONSOLE, CLI, SHELL, SIM, TESTING))


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        (
            LIBRARY,
            {
                *("grpc", "google", "platformdirs", "cryptography", "filelock", "grpc_tools"),
                # The types of what a recording is read into and of telemetry, for type checkers alone.
                *("pandas", "polars", "pyarrow", "opentelemetry"),
            },
        ),
        # keyring is no dependency: profiles use it where it is installed.
        (CONSOLE, {LIBRARY, "click", "keyring", "wcwidth"}),
        (CLI, {LIBRARY, CONSOLE, "click"}),
        (SHELL, {LIBRARY, CONSOLE, SIM, "click", "platformdirs", "prompt_toolkit", "ptpython", "pygments"}),
        (SIM, {LIBRARY, "grpc", "grpc_health", "grpc_reflection", "google", "platformdirs", "cryptography", "click"}),
        # pytest-asyncio is no dependency: the fixtures for async tests use it where it is installed.
        (TESTING, {LIBRARY, SIM, "pytest", "pytest_asyncio"}),
    ],
)
def test_a_package_imports_only_packages_below_it(package: str, allowed: set[str]) -> None:
    foreign = {
        f"{path.relative_to(SRC)}: {name}"
        for path in modules(package)
        for name in imports(path)
        if top(name) not in {package, *allowed, *sys.stdlib_module_names}
    }
    assert foreign == set()


def test_only_comparing_contracts_needs_the_protoc_compiler() -> None:
    # It is not among what the library is installed with.
    users = {path.name for path in modules(LIBRARY) if any(top(name) == "grpc_tools" for name in imports(path))}
    assert users == {"descriptors.py"}


def test_the_simulator_shares_only_the_messages_and_their_contract_with_the_library() -> None:
    # A codec of both ends would cancel its own mistakes in every test.
    for path in modules(SIM):
        for name in imports(path):
            if top(name) == LIBRARY and name not in (LIBRARY, f"{LIBRARY}.version", f"{LIBRARY}.version.__version__"):
                assert name.startswith((GENERATED, CONTRACT)), f"{path.name} imports {name}"
            # ``from zb_mom_ww_mxgateway import …`` names its submodules only.
            assert name != f"{LIBRARY}.__version__"


def test_the_shell_knows_the_simulator_only_in_its_demo() -> None:
    users = {path.name for path in modules(SHELL) if any(top(name) == SIM for name in imports(path))}
    assert users == {"demo.py"}


def test_only_the_terminal_part_of_the_shell_needs_a_terminal() -> None:
    terminal = SRC / SHELL / "terminal"
    for path in modules(SHELL):
        needed = {top(name) for name in imports(path)} & {"prompt_toolkit", "ptpython", "pygments"}
        assert not needed or path.is_relative_to(terminal), f"{path.name} imports {', '.join(needed)}"


def test_front_ends_know_no_messages_and_no_grpc() -> None:
    for package in (CONSOLE, CLI, SHELL):
        for path in modules(package):
            found = [name for name in imports(path) if top(name) in ("grpc", "google") or name.startswith(GENERATED)]
            assert found == [], path.name


# Only wire/ looks into messages, so that a contract that turns out different changes one place. The others
# may name a message's type, make an empty one, and hand messages on.

# What wire/ itself stands on, or what knows nothing of calls: these do not even name messages.
PLAIN = {"__init__", "auth", "errors", "events", "handles", "options", "status", "subscription", "tls", "values"}

# What gives a message when called.
_GIVES_A_MESSAGE = {"unary", "invoke", "send", "_run"}


def outside_wire() -> list[Path]:
    return [path for path in modules(LIBRARY) if "wire" not in path.relative_to(SRC / LIBRARY).parts]


def message_modules(tree: ast.Module) -> set[str]:
    """The names under which generated modules go in a file."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == GENERATED
        for alias in node.names
    }


def fields_touched(source: str) -> list[str]:
    """Where a file reads, writes or fills fields of a message, as ``line: expression``."""
    tree = ast.parse(source)
    generated = message_modules(tree)

    def of_message_type(annotation: ast.expr | None) -> bool:
        return (
            isinstance(annotation, ast.Attribute)
            and isinstance(annotation.value, ast.Name)
            and annotation.value.id in generated
        )

    def gives_a_message(value: ast.expr | None) -> bool:
        call = value.value if isinstance(value, ast.Await) else value
        return (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and (call.func.attr in _GIVES_A_MESSAGE or of_message_type(call.func))
        )

    messages: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and of_message_type(node.annotation):
            messages.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if of_message_type(node.annotation) or gives_a_message(node.value):
                messages.add(node.target.id)
        elif isinstance(node, ast.Assign) and gives_a_message(node.value):
            messages.update(target.id for target in node.targets if isinstance(target, ast.Name))

    def is_message(value: ast.expr) -> bool:
        return (isinstance(value, ast.Name) and value.id in messages) or gives_a_message(value)

    touched = []
    for node in ast.walk(tree):
        filled = isinstance(node, ast.Call) and of_message_type(node.func) and bool(node.args or node.keywords)
        read = isinstance(node, ast.Attribute) and is_message(node.value)
        asked = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("getattr", "setattr", "hasattr")
            and is_message(node.args[0])
        )
        # A payload comes from wire/ but is a message all the same.
        unpacked = isinstance(node, ast.Attribute) and node.attr == "payload_of"
        if filled or read or asked or unpacked:
            touched.append(f"{node.lineno}: {ast.unparse(node)}")
    return touched


def test_plain_modules_know_no_messages() -> None:
    assert {path.stem for path in outside_wire()} >= PLAIN
    users = {path.stem for path in outside_wire() if any(name.startswith(GENERATED) for name in imports(path))}
    assert users & PLAIN == set()


@pytest.mark.parametrize("path", outside_wire(), ids=lambda path: path.stem)
def test_only_wire_looks_into_messages(path: Path) -> None:
    assert fields_touched(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "def f(request: pb.MxCommandRequest) -> str: return request.session_id",
        "def f(request: pb.MxCommandRequest) -> None: request.session_id = ''",
        "def f(reply: pb.MxCommandReply) -> bool: return reply.HasField('hresult')",
        "def f(reply: pb.MxCommandReply) -> object: return getattr(reply, 'hresult')",
        "request = pb.MxCommandRequest(session_id='x')",
        "async def f(): reply = await self._client.unary(RPC, request); return reply.ok",
        "async def f(): return (await self.invoke(request)).hresult",
        "message = pb.MxValue(); message.is_null = True",
        "def f(reply): return wire.payload_of(reply, 'register').server_handle",
    ],
)
def test_looking_into_a_message_is_seen(line: str) -> None:
    assert fields_touched(f"from {GENERATED} import mxaccess_gateway_pb2 as pb\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "request = pb.TestConnectionRequest()",
        "def f(request: pb.MxCommandRequest) -> str: return wire.kind_name(request)",
        "def f(event: MxEvent) -> int: return event.worker_sequence",
        "def f(info: SessionInfo) -> str: return info.session_id",
    ],
)
def test_handing_a_message_on_is_not(line: str) -> None:
    assert fields_touched(f"from {GENERATED} import mxaccess_gateway_pb2 as pb\n{line}\n") == []
