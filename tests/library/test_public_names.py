"""The public names of the classes that a program uses are those that the guide names."""

import re

import pytest
from documents import text_of

from zb_mom_ww_mxgateway import Galaxy, GatewayClient, LiveSession, Session
from zb_mom_ww_mxgateway.sync import SyncSession

GUIDE = text_of("docs/python.md")


def named_in_the_guide(cls: type) -> set[str]:
    """The names in the first column of the tables of a class."""
    tables = re.findall(
        rf"^\| (?:call|attribute) of `{cls.__name__}` \|.*\n\|---\|---\|\n((?:\|.*\n)+)", GUIDE, re.MULTILINE
    )
    columns = [row.split("|")[1] for table in tables for row in table.splitlines()]
    return {name for column in columns for name in re.findall(r"`(\w+)[^`]*`", column)}


@pytest.mark.parametrize("cls", [GatewayClient, Session, LiveSession, Galaxy, SyncSession])
def test_the_guide_names_every_public_name_and_no_other(cls: type) -> None:
    assert named_in_the_guide(cls) == {name for name in dir(cls) if not name.startswith("_")}


@pytest.mark.parametrize("cls", [GatewayClient, Session, LiveSession, Galaxy, SyncSession])
def test_every_public_name_has_a_docstring(cls: type) -> None:
    assert [name for name in dir(cls) if not name.startswith("_") and not getattr(cls, name).__doc__] == []


async def test_what_an_instance_has_is_what_its_class_shows(client: GatewayClient) -> None:
    async with await LiveSession.open(client) as live:
        for instance in (client, client.galaxy, live, live.session):
            shown = {name for name in vars(instance) if not name.startswith("_")}
            assert shown <= set(dir(type(instance))), instance


async def test_a_forwarded_method_is_the_one_of_the_part(client: GatewayClient) -> None:
    async with await LiveSession.open(client) as live:
        for whole in (live, live.session):
            for name in dir(type(whole)):
                if not name.startswith("_") and callable(shown := getattr(type(whole), name)):
                    assert getattr(whole, name).__name__ == shown.__name__ == name
