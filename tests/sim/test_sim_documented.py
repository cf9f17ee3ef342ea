"""docs/simulator.md lists the simulator's public interface, and nothing else."""

import inspect
import re
from pathlib import Path

import pytest

import zb_mom_ww_mxgateway_sim as sim
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.__main__ import FAULT_FILE
from zb_mom_ww_mxgateway_sim.faults.schedule import ACTIONS
from zb_mom_ww_mxgateway_sim.plant.behavior import BEHAVIORS, usage
from zb_mom_ww_mxgateway_sim.plant.tag_file import COLUMNS, TAG_FILE

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def documented(heading: str, name: str = r"\w+") -> list[str]:
    """The names in the first column of the table under that heading."""
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [found for row in rows for found in re.findall(rf"`({name})`", row)]


def members(thing: object) -> list[str]:
    return sorted(name for name in dir(thing) if not name.startswith("_"))


async def test_the_options_of_a_gateway_are_documented() -> None:
    options = list(inspect.signature(SimulatedGateway.__init__).parameters)[1:]
    assert sorted(documented("Options of SimulatedGateway")) == sorted(options)


async def test_the_members_of_a_gateway_are_documented() -> None:
    assert sorted(documented("Members of SimulatedGateway")) == members(SimulatedGateway())


async def test_the_faults_of_a_gateway_are_documented() -> None:
    assert sorted(documented("Members of gateway.faults")) == members(SimulatedGateway().faults)


def test_the_lines_of_a_fault_file_are_documented_with_their_arguments() -> None:
    lines = [f"{action} {arguments}".rstrip() for action, arguments in ACTIONS.items()]
    assert sorted(documented("Lines of a fault file", "[^`]+")) == sorted(lines)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_lines_of_a_fault_file_are_in_the_help(action: str) -> None:
    assert re.search(rf"(?<![\w-]){action}(?![\w-])", FAULT_FILE)


def test_the_columns_of_a_tag_file_are_documented() -> None:
    assert documented("Columns of a tag file") == list(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS)
def test_the_columns_of_a_tag_file_are_in_the_help(column: str) -> None:
    assert f"  {column} " in TAG_FILE


def test_what_a_tag_can_do_is_documented_with_its_arguments() -> None:
    assert documented("What a tag does", r"\w+\([^`]+") == [usage(name) for name in BEHAVIORS]


@pytest.mark.parametrize("behavior", BEHAVIORS)
def test_what_a_tag_can_do_is_in_the_help(behavior: str) -> None:
    assert f"  {usage(behavior)} " in TAG_FILE


def test_the_names_of_the_package_are_documented() -> None:
    assert sorted([*documented("Other names"), "SimulatedGateway"]) == sorted(sim.__all__)


async def test_faults_are_not_attributes_of_the_gateway_itself() -> None:
    with pytest.raises(AttributeError):
        _ = SimulatedGateway().drop_streams  # type: ignore[attr-defined] # Its absence is what is tested.
