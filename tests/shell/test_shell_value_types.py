"""Each type of the library's table, from a line of the shell to the tag, and back into what the shell shows."""

import pytest
from shell_lines import SIMULATED, follow, run

from zb_mom_ww_mxgateway.value_types import TYPES, TypeSpec
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition


@pytest.mark.parametrize("spec", [pytest.param(spec, id=name) for name, spec in TYPES.items()])
async def test_a_value_is_written_verified_expected_and_shown(spec: TypeSpec) -> None:
    tag = TagDefinition("Types.Tag", NativeType(spec.wire.data_type - 2))
    async with SimulatedGateway(tags=[tag], plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        context = Context(all_commands(), interactive=False)
        try:
            await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "types", terms=SIMULATED)
            literal = f"{spec.name}:{spec.example}"
            written = await run(context, f"write Types.Tag {literal} --verify", follow)
            assert isinstance(written, TextResult)
            form = spec.to_json(spec.read(spec.example))
            shown = {name: written.fields[name] for name in ("outcome", "result", "value", "verified")}
            assert shown == {
                "outcome": "completed",
                "result": "verified",
                "value": form,
                "verified": {
                    "as_written": True,
                    "problem": None,
                    "quality": 192,
                    "source": "stream",
                    "tolerance": None,
                    "value": form,
                },
            }
            await run(context, f"expect Types.Tag = {literal}", follow)
            with pytest.raises(NotMet):
                await run(context, f"expect Types.Tag != {literal}", follow)
            await run(context, "capture held = Types.Tag", follow)
            assert (await run(context, "write Types.Tag $held --verify", follow)).form()["verified"]["as_written"]
        finally:
            await context.disconnect()
