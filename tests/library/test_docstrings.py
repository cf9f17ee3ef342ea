"""The examples in the library's docstrings run as they are printed."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import zb_mom_ww_mxgateway
import zb_mom_ww_mxgateway.sync
import zb_mom_ww_mxgateway_sim
import zb_mom_ww_mxgateway_testing
from zb_mom_ww_mxgateway import GatewayClient, WriteGuard
from zb_mom_ww_mxgateway_sim import SimulatedGateway

PACKAGE = Path(zb_mom_ww_mxgateway.__path__[0])
# A literal block: what is indented under "For example".
BLOCK = re.compile(r"^For example::\n\n((?:[ ]{4}.*\n|\n)+)", re.MULTILINE)


def examples() -> Iterator[Any]:
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "For example::" not in text or "generated" in path.parts:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                for block in BLOCK.findall(f"{ast.get_docstring(node) or ''}\n"):
                    if re.search(r"\b(await|async) ", block):
                        name = getattr(node, "name", "module")
                        yield pytest.param(textwrap.dedent(block), id=f"{path.stem}-{name}")


EXAMPLES = list(examples())


def test_a_literal_block_has_a_lead() -> None:
    # pdoc shows the two colons as a paragraph where they are alone in a line.
    alone = [path.name for path in sorted(PACKAGE.rglob("*.py")) if re.search(r"^ *::$", path.read_text("utf-8"), re.M)]
    assert alone == []


PACKAGES = [zb_mom_ww_mxgateway, zb_mom_ww_mxgateway.sync, zb_mom_ww_mxgateway_sim, zb_mom_ww_mxgateway_testing]


@pytest.mark.parametrize("package", PACKAGES)
def test_what_the_api_reference_shows_has_a_docstring_and_no_private_base(package: ModuleType) -> None:
    missing, private = [], []
    for cls in [each for name in package.__all__ if inspect.isclass(each := getattr(package, name))]:
        private += [f"{cls.__name__}: {base.__name__}" for base in cls.__mro__ if base.__name__.startswith("_")]
        for name, member in vars(cls).items():
            shown = inspect.isroutine(member) or isinstance(member, property)
            if not name.startswith("_") and shown and not inspect.getdoc(member):
                missing.append(f"{cls.__name__}.{name}")
    assert (missing, private) == ([], [])
    # An alias has no docstring that pdoc could show.
    assert WriteGuard.__doc__


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("code", EXAMPLES)
async def test_an_example_runs(code: str, gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await client.open_session() as session:
        server = await session.register("examples")
        item = await session.add_item(server, "TestChildObject.TestInt")
        await session.advise(server, item)
        names = {name: getattr(zb_mom_ww_mxgateway, name) for name in zb_mom_ww_mxgateway.__all__}
        names |= {"client": client, "session": session, "server": server, "item": item}
        names |= {"key": gateway.api_key, "datetime": datetime, "UTC": UTC}
        program = compile(
            code.replace("localhost:5000", gateway.endpoint), "<example>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        result = eval(program, names)
        if inspect.iscoroutine(result):
            await result
