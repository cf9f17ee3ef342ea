"""Tables of types that nothing derives from the library's: the simulator's, which must not, and the documents'."""

import re

import pytest
from documents import text_of

from zb_mom_ww_mxgateway import LiveSession, Typed, from_mx_value, to_mx_value
from zb_mom_ww_mxgateway.client import GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.value_types import TYPE_NAMES, TYPES, DataType, TypeSpec, type_of_tag
from zb_mom_ww_mxgateway_shell.language.help_topics import TOPICS
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.plant import tag_file
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, coerce, default
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition
from zb_mom_ww_mxgateway_sim.rpc import galaxy_service
from zb_mom_ww_mxgateway_sim.wire.codec import decode_value, encode_value

NATIVE = 2
"""A type's number on the wire is the native one plus this."""

each_type = pytest.mark.parametrize("spec", [pytest.param(spec, id=name) for name, spec in TYPES.items()])
each_native = pytest.mark.parametrize("native", [pytest.param(each, id=each.name) for each in NativeType])


def section(document: str, heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text_of(document), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@each_native
@pytest.mark.parametrize("is_array", [False, True])
def test_the_library_knows_every_type_of_the_simulator(native: NativeType, is_array: bool) -> None:
    data_type = DataType(native + NATIVE)
    assert data_type.name == native.name
    assert galaxy_service._TYPE_NAMES[native].upper() == data_type.name.replace("_", "")
    assert native in tag_file._TYPES.values()
    message = pb.MxValue()
    encode_value(message, (default(native),) if is_array else default(native), native, is_array)
    assert message.data_type == data_type
    spec = type_of_tag(data_type, message.variant_type)
    assert spec is not None
    assert message.variant_type.removeprefix("VT_ARRAY|") == spec.wire.variant_type
    arm = message.array_value.WhichOneof("values") if is_array else message.WhichOneof("kind")
    assert arm == f"{spec.wire.arm}_value{'s' if is_array else ''}"
    back = from_mx_value(message)
    assert (back if isinstance(back, list) else [back]) == [default(native)]


@each_type
@pytest.mark.parametrize("is_array", [False, True])
def test_the_simulator_takes_every_type_of_the_library(spec: TypeSpec, is_array: bool) -> None:
    native = NativeType(spec.wire.data_type - NATIVE)
    value = spec.read(spec.example)
    held = coerce(decode_value(to_mx_value(Typed(spec.name, [value] if is_array else value))), native, array=is_array)
    assert held == ((value,) if is_array else value)
    # Where the tag's type does not tell, as of int64, a tag cannot be declared with it.
    assert tag_file._TYPES.get(spec.name) == (native if spec.tag_types else None)


@each_type
async def test_a_value_is_written_and_read_back(spec: TypeSpec) -> None:
    native = NativeType(spec.wire.data_type - NATIVE)
    async with (
        SimulatedGateway(tags=[TagDefinition("Types.Tag", native)], plaintext=True, write_complete_delay=0) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client,
        await LiveSession.open(client) as live,
    ):
        await live.ready()
        typed = Typed(spec.name, spec.read(spec.example))
        assert (await live.write("Types.Tag", typed)).outcome.value == "completed"
        (reading,) = await live.read(["Types.Tag"], fresh=True)
        assert reading.value == typed.sent
        assert type(reading.value) is spec.python_type


@each_type
def test_help_and_the_guide_show_how_each_type_is_typed(spec: TypeSpec) -> None:
    literal = f"{spec.name}:{spec.example}"
    assert literal in TOPICS["values"].text.split()
    assert f"`{literal}`" in section("docs/operating.md", "Values")


def test_the_python_guide_names_every_type() -> None:
    rows = dict(re.findall(r"^\| (.*?) \| (.*?) \|$", section("docs/python.md", "Values"), re.MULTILINE))
    named = next(text for cell, text in rows.items() if cell.startswith("`Typed("))
    assert tuple(re.findall(r"`(\w+)`", named)) == TYPE_NAMES
    for spec in TYPES.values():
        if spec.implied_by is not None:
            (text,) = (text for cell, text in rows.items() if f"`{spec.implied_by.__name__}`" in cell)
            assert text.startswith(spec.wire.data_type.name.capitalize())
