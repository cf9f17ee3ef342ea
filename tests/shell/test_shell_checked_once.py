"""A value that is typed is checked once: as the line is read, not again on its way to the wire."""

from typing import Any

import pytest
from shell_lines import SIMULATED, follow, run

from zb_mom_ww_mxgateway import values
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, INT_ARRAY, STRING = (f"TestChildObject.{name}" for name in ("TestInt", "TestIntArray", "TestString"))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        (INT, "5", 5),
        (INT, "int32:5", 5),
        (INT, "5 --verify", 5),
        (INT_ARRAY, "[1, 2]", [1, 2]),
        (STRING, '"a b"', "a b"),
    ],
)
async def test_a_written_value_is_checked_once(
    tag: str, text: str, value: object, is_known: bool, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXGATEWAY_API_KEY", gateway.api_key)
    context = Context(all_commands(), interactive=False)
    try:
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "demo", terms=SIMULATED)
        if is_known:
            await run(context, f"read {tag}", follow)
            await run(context, f"watch {tag} --count 1", follow)
        checked: list[Any] = []
        check = values._normal

        def noted(value: Any, type_: Any) -> Any:
            checked.append(value)
            return check(value, type_)

        monkeypatch.setattr(values, "_normal", noted)
        result = await run(context, f"write {tag} {text}", follow)
    finally:
        await context.disconnect()
    assert isinstance(result, TextResult)
    assert result.fields["outcome"] == "completed"
    assert checked == [value]
