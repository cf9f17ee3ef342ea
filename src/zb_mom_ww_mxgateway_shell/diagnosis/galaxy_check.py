"""What the galaxy says of a tag: whether it has it, who may write to it, and its alarms."""

import asyncio
from datetime import datetime

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.security_classes import SECURED_WRITE, VERIFIED_WRITE, VIEW_ONLY
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.diagnosis.findings import Findings, Verdict
from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import security_meaning, security_name
from zb_mom_ww_mxgateway_shell.diagnosis.visit import visited
from zb_mom_ww_mxgateway_shell.galaxy.lookup import Place, array_problem, attribute_of, attributes_below, locate
from zb_mom_ww_mxgateway_shell.galaxy.tag_index_storage import type_text
from zb_mom_ww_mxgateway_shell.state.arming_text import arming_text
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_GALAXY_SECONDS = 5.0
_ALARM_SECONDS = 3.0


class GalaxyCheck:
    """Looks a tag up and reports what it finds; every question to the gateway has its deadline."""

    def __init__(self, connected: GatewayConnection, tag: str, findings: Findings) -> None:
        self._connected = connected
        self._tag = tag
        self._found = findings.add
        self._last_deploy: datetime | None = None

    async def locate(self) -> Place | None:
        """Find the tag in the galaxy, and the time of the last deployment."""
        client = self._connected.client
        try:
            async with asyncio.timeout(_GALAXY_SECONDS):
                place = await locate(client, self._tag)
                self._last_deploy = await client.galaxy.last_deploy_time()
        except (MxGatewayError, TimeoutError) as error:
            reason = str(error) or f"no answer within {_GALAXY_SECONDS:g} s"
            self._found("galaxy", Verdict.UNKNOWN, f"cannot be checked: {reason}")
            return None
        return place

    def report_place(self, place: Place, *, has_value: bool) -> None:
        """Report whether the galaxy has the tag; `has_value` says whether it has a good value all the same."""
        last_deploy = self._last_deploy
        deployed = f"last deploy {date_and_time(last_deploy)}" if last_deploy else "never deployed"
        is_newer = self._connected.was_redeployed(last_deploy)
        if is_newer:
            deployed += ", after this connection was opened"
        if place.found is None or place.attribute is None:
            owner = place.path.rpartition(".")[0]
            if place.is_object and place.found is not None:
                example = next((a.full_tag_reference for a in place.found.attributes), "")
                why = f"{place.path} is an object, not a tag: name one of its attributes"
                tries = [f"browse {place.path}", *([f"why {example}"] if example else [])]
                self._found("galaxy", Verdict.BAD, f"{place.found.tag_name} is an object ({deployed})", why, *tries)
                return
            if place.found is None:
                missing = f"no object {owner or place.path}"
                hint = self._connected.catalogue.closest(place.path) or "; browse lists the objects"
                tries = ["browse", f"find *{place.path.rpartition('.')[2]}*"]
            elif parts := attributes_below(place.found, place.path[len(place.found.tag_name) + 1 :]):
                names = [each.full_tag_reference for each in parts]
                why = f"{place.path} has no value of its own, only attributes below it: name one of them"
                self._found(
                    "galaxy",
                    Verdict.BAD,
                    f"{counted(len(names), 'attribute')} below it ({deployed})",
                    why,
                    f"browse {place.path}",
                    f"why {names[0]}",
                )
                return
            else:
                missing = f"{place.found.tag_name} has no such attribute"
                hint = place.hint
                tries = [f"browse {place.found.tag_name}"]
            if has_value:
                self._found(
                    "galaxy",
                    Verdict.NOTE,
                    f"{missing}, yet it has a value: a key may be limited to a part of the galaxy; {deployed}",
                )
                return
            why = f"the galaxy has no {place.path} deployed{hint}"
            if is_newer:
                why += "; the last deployment may have removed it"
            self._found("galaxy", Verdict.BAD, f"{missing} ({deployed})", why, *tries)
            return
        attribute = place.attribute
        text = f"{type_text(attribute)} of {place.found.tag_name} ({' < '.join(place.found.template_chain)})"
        text += f"{', historized' * attribute.is_historized}{', alarm' * attribute.is_alarm}, {deployed}"
        if problem := array_problem(place):
            element = [f"watch {place.path}[1]"] if attribute.is_array else []
            self._found("galaxy", Verdict.BAD, text, problem, *element, f"watch {place.path}")
            return
        self._found("galaxy", Verdict.OK, text)

    def report_security(self, place: Place) -> None:
        """Report who may write to the tag, and whether this shell may now."""
        if place.attribute is None:
            return
        security = place.attribute.security_classification
        name = security_name(security)
        means = security_meaning(security) or "a classification unknown to this shell"
        if security in (SECURED_WRITE, VERIFIED_WRITE, VIEW_ONLY):
            tries = [] if security == VIEW_ONLY else ["login USER"]
            self._found("writes", Verdict.NOTE, f"{name}: {means}", f"nothing is wrong, but {means}", *tries)
        elif refusal := self._connected.arming.refusal(place.path):
            self._found("writes", Verdict.NOTE, f"{name}: {means}; not now: {refusal}")
        else:
            armed = "" if self._connected.arming.open_for_all else f"; {arming_text(self._connected.arming)}"
            self._found("writes", Verdict.OK, f"{name}: {means}{armed}")

    async def report_alarms(self, place: Place) -> None:
        """Report for an attribute with alarms whether they are inhibited, and whether the gateway serves any."""
        if place.found is None or place.attribute is None or not _concerns_alarms(place):
            return
        verdict = Verdict.BAD if place.attribute.is_alarm else Verdict.NOTE
        inhibit = attribute_of(place.found, "AlarmInhibit")
        if inhibit is not None and await self._is_on(inhibit.full_tag_reference):
            why = f"alarms of {place.found.tag_name} are inhibited: {inhibit.full_tag_reference} is true"
            self._found("alarms", verdict, "inhibited", why, f"write {inhibit.full_tag_reference} false")
            return
        try:
            async with asyncio.timeout(_ALARM_SECONDS), self._connected.client.query_active_alarms() as active:
                count = 0
                async for _ in active:
                    count += 1
        except (MxGatewayError, TimeoutError) as error:
            reason = str(error) or f"no answer within {_ALARM_SECONDS:g} s"
            self._found("alarms", Verdict.NOTE, f"the gateway serves none: {reason}")
            return
        self._found("alarms", Verdict.OK, f"not inhibited; {count} active in the galaxy")

    async def _is_on(self, tag: str) -> bool:
        try:
            return (await visited(self._connected, tag)).value is True
        except (MxGatewayError, TimeoutError):
            return False


def _concerns_alarms(place: Place) -> bool:
    """Return whether the attribute is an alarm, a part of one, or has one."""
    attributes = place.found.attributes if place.found else ()
    alarms = {tag_key(each.attribute_name).removesuffix(".inalarm") for each in attributes if each.is_alarm}
    name = tag_key(place.attribute.attribute_name) if place.attribute else ""
    return any(f"{name}.".startswith(f"{alarm}.") or alarm.startswith(f"{name}.") for alarm in alarms)
