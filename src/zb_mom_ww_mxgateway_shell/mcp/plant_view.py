"""The part of a plant that may be seen: tags that match globs, their values, changes and alarms."""

from bisect import bisect_left
from collections.abc import Sequence
from operator import or_
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.alarms import AlarmFacts
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.status import first_failed
from zb_mom_ww_mxgateway.tag_names import array_names, tag_key
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_form
from zb_mom_ww_mxgateway_console.render.forms import redacted
from zb_mom_ww_mxgateway_shell.diagnosis.why import explain
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.alarm_states import alarms_read
from zb_mom_ww_mxgateway_shell.feeds.items import FIRST_VALUE_TIMEOUT
from zb_mom_ww_mxgateway_shell.feeds.readings import read_once
from zb_mom_ww_mxgateway_shell.galaxy.lookup import locate
from zb_mom_ww_mxgateway_shell.output.readings import Readings
from zb_mom_ww_mxgateway_shell.output.tag_history import TagHistory, newest_entries
from zb_mom_ww_mxgateway_shell.output.tag_texts import number_fields

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.context import Context

MOST_TAGS = 200
"""Tags of one answer, and of one read."""
MOST_FOLLOWED = 500
"""Tags whose changes are kept."""
_MOST_SEEN = 200_000
"""Tags of one glob that are looked through by name."""
_GALAXY_SECONDS = 60.0
_MOST_CHANGES = 1_000


class PlantView:
    """Answers about what matches the globs; what does not is refused in the same words whether it exists or not.

    Every answer is JSON. A mistake in a question is a ShellError; the library's errors pass through.
    """

    def __init__(self, context: "Context", globs: Sequence[TagGlob] | None) -> None:
        """Without `globs` everything is shown. Raise ShellError unless the context is read-only."""
        if not context.read_only:
            raise ShellError("a view is made of a read-only context")
        self._context = context
        self._globs = globs
        self._state: tuple[object, ...] = ()
        self._is_cut = False
        self._keys: list[str] = []
        self._tags: dict[str, str] = {}

    @property
    def _shown(self) -> str:
        return ", ".join(each.text for each in self._globs or ())

    def _sees(self, tag: str) -> bool:
        return self._globs is None or any(each.matches(tag) for each in self._globs)

    def _sees_alarm(self, alarm: AlarmFacts) -> bool:
        """Return whether the tag of an alarm is shown.

        A reference is ``Galaxy!Area.Object.Alarm``, and the area is no part of a tag. Where the object is unknown, the
        name with the area and that without it must both be shown.
        """
        path = alarm.reference.partition("!")[2]
        source, key = f".{tag_key(alarm.source_object)}.", f".{tag_key(path)}"
        if alarm.source_object and source in key:
            return self._sees(path[key.index(source) :])
        return bool(path) and self._sees(path) and self._sees(path.partition(".")[2])

    async def _refusal(self, tag: str) -> str:
        """Return why nothing is told of a tag; empty where it is shown.

        A tag may have other names than the galaxy's own, which must be shown, too.
        """
        if not self._sees(tag):
            return f"not shown here; what is shown: {self._shown}"
        if self._globs is None or any(name in self._tags for name in array_names(tag_key(tag))):
            return ""
        connected = self._context.connected
        place = await connected.brief_galaxy.answer(lambda: locate(connected.client, tag))
        attribute = place.attribute
        if attribute is None or not self._sees(attribute.full_tag_reference):
            return "the galaxy has no such tag"
        return ""

    async def _check(self, tag: str) -> None:
        if refusal := await self._refusal(tag):
            raise ShellError(f"{tag}: {refusal}")

    async def _read_names(self) -> None:
        """Know the tags of the galaxy that are shown; raise ShellError where it cannot be read."""
        catalogue = self._context.connected.catalogue
        catalogue.start(self._context.connected.client)
        if not await catalogue.loaded(_GALAXY_SECONDS):
            why = str(catalogue.error) if catalogue.error else f"not read within {_GALAXY_SECONDS:g} s"
            raise ShellError(f"the names of the galaxy's tags are unknown: {why}")
        state = (catalogue.deployed_at, catalogue.objects, len(catalogue))
        if self._state != state:
            found: dict[str, str] = {}
            is_cut = False
            for pattern in ("*",) if self._globs is None else (each.text for each in self._globs):
                tags = await catalogue.matching(pattern, _MOST_SEEN)
                is_cut |= len(tags) == _MOST_SEEN
                found |= {tag_key(tag): tag for tag in tags}
            self._state, self._keys, self._tags, self._is_cut = state, sorted(found), found, is_cut

    async def browse(self, below: str = "") -> dict[str, Any]:
        """Return the next names below an area, object or tag; at the top without one. Tags have their type."""
        prefix = f"{tag_key(below)}." if below else ""
        nodes: dict[str, dict[str, Any]] = {}
        catalogue = self._context.connected.catalogue
        await self._read_names()
        for key in self._keys[bisect_left(self._keys, prefix) :]:
            if not key.startswith(prefix):
                break
            tag = self._tags[key]
            rest = tag[len(prefix) :]
            first, dot, _ = rest.partition(".")
            name = tag[: len(prefix)] + first
            node = nodes.setdefault(tag_key(name), {"name": name, "type": None, "below": 0})
            if dot:
                node["below"] += 1
            else:
                kind = catalogue.kind_of(tag)
                node["type"] = kind.type_name if kind else None
        return self._of_names(sorted(nodes.values(), key=lambda node: tag_key(node["name"])), "nodes")

    async def find(self, glob: str) -> dict[str, Any]:
        """Return tags by a glob (``*``, ``?``) in any letter case; text without one may be anywhere in the name."""
        wanted = None
        if glob.strip("*"):
            wanted = TagGlob(glob if any(mark in glob for mark in "*?") else f"*{glob}*")
        await self._read_names()
        return self._of_names([self._tags[key] for key in self._keys if wanted is None or wanted.matches(key)], "tags")

    def _of_names(self, found: Sequence[Any], name: str) -> dict[str, Any]:
        """Return what was found among the names; `incomplete` where there are more than are looked through."""
        return _most(found, name) | {"incomplete": self._is_cut}

    async def read(self, tags: Sequence[str]) -> dict[str, Any]:
        """Return the values of tags with quality, age and source time; a tag that is not shown has an error."""
        if not 0 < len(tags) <= MOST_TAGS:
            raise ShellError(f"{len(tags)} tags: 1 to {MOST_TAGS} can be read at once")
        refusals = {tag: await self._refusal(tag) for tag in tags}
        shown = [(tag, self._context.find_item(tag)) for tag, refusal in refusals.items() if not refusal]
        found = {reading.tag: reading for reading in await read_once(self._context, shown)}
        facts = await self._context.connected.facts.of(list(found), for_a_person=True)
        readings = Readings(list(found.values()), [facts[tag] for tag in found])
        numbers = [number_fields(facts[tag]) for tag in found]
        forms = dict(zip(found, map(or_, readings.form(), numbers), strict=True))
        answers = []
        for tag in tags:
            if tag in forms:
                answers.append(forms[tag] | {"tag": tag})
            else:
                answers.append({"tag": tag, "error": refusals[tag]})
        return {"readings": redacted(answers)}

    async def history(self, tag: str, last_seconds: float | None = None, count: int = 100) -> dict[str, Any]:
        """Return the changes of a tag since it was first asked for here, which begins to follow it.

        They may be old where the gateway does not answer: then a change may be missing.
        """
        await self._check(tag)
        if not 0 < count <= _MOST_CHANGES:
            raise ShellError(f"count is {count}: 1 to {_MOST_CHANGES}")
        live = self._context.live_session
        item = self._context.find_item(tag)
        if item is None or not item.advised:
            if sum(each.advised for each in live.session.handles.items.values()) >= MOST_FOLLOWED:
                raise ShellError(f"{MOST_FOLLOWED} tags are followed already, and no more are")
            (item,) = await live.subscribe_tags([tag], await self._context.server_for(None))
            value = await live.first_value(item, timeout=FIRST_VALUE_TIMEOUT)
            if failed := first_failed(value.statuses):
                return {"tag": tag, "error": str(failed), "samples": []}
        is_sure = await live.caught_up()
        seen = self._context.connected.history.of(item.key)
        entries = newest_entries(seen, last_seconds, count)
        return dict(redacted(TagHistory(item.tag, seen, entries).form() | {"may_be_old": not is_sure}))

    async def alarms(self) -> dict[str, Any]:
        """Return the alarms that are active or not acknowledged, the most severe first, and whether the list is old."""
        feed = await alarms_read(self._context)
        # Where the gateway does not answer, a broken stream of alarms may not have shown yet.
        is_sure = await self._context.live_session.caught_up()
        shown = [each for each in feed.alarms.values() if self._globs is None or self._sees_alarm(each)]
        shown.sort(key=lambda each: (each.severity, each.reference))
        answer = _most([alarm_form(each) for each in shown], "alarms")
        return answer | {"may_be_old": not is_sure or feed.lost_at is not None or not feed.is_complete}

    async def why(self, tag: str) -> dict[str, Any]:
        """Return what is wrong with a tag, from the connection to the plant, step by step."""
        # Of a tag that is not there an explanation would name similar ones, shown here or not.
        await self._read_names()
        await self._check(tag)
        spelled = self._context.connected.catalogue.spelled(tag)
        # What is said of alarms counts those of the whole galaxy, and names the tag that inhibits them.
        of_alarms = self._globs is None
        form = (await explain(self._context, spelled, self._context.find_item(tag), of_alarms=of_alarms)).form()
        # What to type in the shell is of no use here.
        return dict(redacted({key: value for key, value in form.items() if key != "try"}))


def _most(found: Sequence[Any], name: str) -> dict[str, Any]:
    return {name: redacted(list(found[:MOST_TAGS])), "total": len(found), "left_out": max(0, len(found) - MOST_TAGS)}


def why_not(error: Exception) -> str:
    """Return the reason why a question has no answer, in one line."""
    return str(error) if isinstance(error, ShellError | MxGatewayError | ValueError) else f"internal error: {error!r}"
