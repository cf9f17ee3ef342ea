"""The galaxy's alarms: raised and cleared by the plant or by hand, acknowledged, and reported to listeners."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import PlantObject, tag_key
from zb_mom_ww_mxgateway_sim.plant.point_store import Point, PointStore, TagReading
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource

GALAXY = "ZB"
_IN_ALARM = ".InAlarm"
_REFERENCE = re.compile(r"[^!.\s][^!.]*!(?:[^!.]+\.){2,}[^!.]+")
_GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")


class ProviderMode(IntEnum):
    """Source of alarms: the alarm manager, or in its absence the subtags of the alarms."""

    ALARMMGR = 1
    SUBTAG = 2


class TransitionKind(IntEnum):
    """Transitions of an alarm."""

    RAISE = 1
    ACKNOWLEDGE = 2
    CLEAR = 3
    RETRIGGER = 4


@dataclass(frozen=True, slots=True)
class Alarm:
    """The state of one alarm. ``tag`` is the prefix of its subtags (``Plant.Tank1.Level.Hi``). Times are UTC ns."""

    reference: str
    source: str
    tag: str
    type_name: str = "UserAlarm"
    severity: int = 500
    category: str = "Process"
    description: str = ""
    active: bool = False
    acked: bool = True
    raised_ns: int = 0
    changed_ns: int = 0
    operator: str = ""
    comment: str = ""
    current: TagReading | None = None
    limit: TagReading | None = None

    @property
    def guid(self) -> UUID:
        """GUID of the alarm, equal in every run."""
        return uuid5(NAMESPACE_URL, f"mxaccess-alarm:{tag_key(self.reference)}")


@dataclass(frozen=True, slots=True)
class AlarmProvider:
    """The source of alarms, and since when (UTC ns)."""

    mode: ProviderMode
    degraded: bool
    reason: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of an alarm, and the alarm after it."""

    kind: TransitionKind
    alarm: Alarm
    time_ns: int
    provider: AlarmProvider


AlarmListener = Callable[[Transition | AlarmProvider], None]


class BadReference(ValueError):
    """The text is neither ``Galaxy!Area.Object.Alarm`` nor a GUID."""


class NoAckSubtag(Exception):
    """In subtag mode an alarm is acknowledged by a subtag, and that of this alarm is unknown."""


class AlarmBook:
    """All alarms that are active or unacknowledged."""

    def __init__(self, hierarchy: Hierarchy, points: PointStore, clock: TimeSource) -> None:
        self._points = points
        self._clock = clock
        self._alarms: dict[str, Alarm] = {}
        self._of_plant: dict[str, Alarm] = {}
        self._acknowledgeable = True
        # For each subscription the alarms (by ``tag_key``) whose acknowledge subtags its watch list names.
        self.ack_targets: dict[object, frozenset[str]] = {}
        self.listeners: dict[AlarmListener, None] = {}
        self.provider: AlarmProvider = AlarmProvider(ProviderMode.ALARMMGR, False, "", clock.now())
        self.adopt(hierarchy)

    def adopt(self, hierarchy: Hierarchy) -> None:
        """Follow the alarms of all objects; those that are followed stay as they are."""
        for plant_object in hierarchy:
            if plant_object.template.has_alarm:
                self._adopt(hierarchy, plant_object)

    @property
    def all(self) -> list[Alarm]:
        """Active and unacknowledged alarms, in the order in which they were raised."""
        return list(self._alarms.values())

    @property
    def active(self) -> list[Alarm]:
        """Active alarms, in the order in which they were raised."""
        return [alarm for alarm in self._alarms.values() if alarm.active]

    def find(self, text: str) -> Alarm | None:
        """Return the alarm of a reference or GUID, if it is active or unacknowledged. Raise BadReference."""
        guid = _GUID.fullmatch(text.strip())
        if guid is not None:
            wanted = UUID(guid[1])
            return next((alarm for alarm in self._alarms.values() if alarm.guid == wanted), None)
        check_reference(text)
        return self._alarms.get(tag_key(text))

    def of_tag(self, reference: str) -> Alarm | None:
        """Return the alarm of a tag, whose limit and severity are tags, too; None for an alarm raised by hand."""
        return self._of_plant.get(tag_key(reference))

    def raise_alarm(
        self,
        reference: str,
        *,
        severity: int = 500,
        type_name: str = "UserAlarm",
        category: str = "Process",
        description: str = "",
        value: Value = None,
        limit: Value = None,
    ) -> None:
        """Raise an alarm by hand, or one of the plant's own by its subtag. Raise BadReference."""
        check_reference(reference)
        own = self._of_plant.get(tag_key(reference))
        if own is not None:
            self._points.set(own.tag + _IN_ALARM, True, status.GOOD, None, (status.OK,))
            return
        tag = reference.partition("!")[2]
        source = tag.rpartition(".")[0]
        now = self._clock.now()
        alarm = Alarm(reference, source, tag, type_name, severity, category, description)
        self._raise(replace(alarm, current=_reading(value, now), limit=_reading(limit, now)))

    def clear_alarm(self, reference: str) -> None:
        """Clear an alarm if it is active. An alarm of the plant's own follows the process again."""
        own = self._of_plant.get(tag_key(reference))
        point = self._points.find(own.tag + _IN_ALARM) if own is not None else None
        if point is not None:
            point.update(False, self._clock.now())
            point.forced = False
        else:
            self._clear(tag_key(reference))

    def acknowledge(self, alarm: Alarm, operator: str, comment: str) -> None:
        """Acknowledge an alarm; do nothing if it is acknowledged. Raise NoAckSubtag."""
        folded = tag_key(alarm.reference)
        known = self._acknowledgeable or any(folded in targets for targets in self.ack_targets.values())
        if self.provider.mode is ProviderMode.SUBTAG and not known:
            raise NoAckSubtag(f"alarms come from subtags now, and no acknowledge subtag of {alarm.reference} is known")
        if not alarm.acked:
            self._set_acknowledged(alarm, operator, comment)

    def _set_acknowledged(self, alarm: Alarm, operator: str, comment: str) -> None:
        folded = tag_key(alarm.reference)
        done = replace(alarm, acked=True, operator=operator, comment=comment, changed_ns=self._clock.now())
        if done.active:
            self._alarms[folded] = done
        else:
            del self._alarms[folded]
        self._subtag(alarm, ".Acked", True)
        self._subtag(alarm, ".AckMsg", comment)
        self._notify(TransitionKind.ACKNOWLEDGE, done)

    def fail_provider(self, reason: str, *, acknowledgeable: bool) -> None:
        """Take the alarms from subtags. ``acknowledgeable``: the names of the acknowledge subtags are known."""
        self._acknowledgeable = acknowledgeable
        self._switch(AlarmProvider(ProviderMode.SUBTAG, True, reason, self._clock.now()))

    def restore_provider(self, reason: str) -> None:
        """Take the alarms from the alarm manager again."""
        self._acknowledgeable = True
        self._switch(AlarmProvider(ProviderMode.ALARMMGR, False, reason, self._clock.now()))

    def _switch(self, provider: AlarmProvider) -> None:
        self.provider = provider
        for listener in list(self.listeners):
            listener(provider)

    def _adopt(self, hierarchy: Hierarchy, plant_object: PlantObject) -> None:
        """Follow the alarms of one object of the plant."""
        for attribute in plant_object.template.attributes:
            if not attribute.alarm or not attribute.name.endswith(_IN_ALARM):
                continue
            tag = f"{plant_object.tag_name}.{attribute.name.removesuffix(_IN_ALARM)}"
            area = _area(hierarchy, plant_object)
            path = tag if tag.startswith(f"{area}.") else f"{area}.{tag}"
            kind = tag.rpartition(".")[2]
            description = _description(plant_object, attribute.name.removesuffix(_IN_ALARM).rpartition(".")[0], kind)
            alarm = Alarm(f"{GALAXY}!{path}", plant_object.tag_name, tag, f"{kind}Limit", description=description)
            if tag_key(alarm.reference) in self._of_plant:
                continue
            self._of_plant[tag_key(alarm.reference)] = alarm
            self._follow(alarm)

    def _follow(self, alarm: Alarm) -> None:
        in_alarm, acked, message = (self._points.find(alarm.tag + end) for end in (_IN_ALARM, ".Acked", ".AckMsg"))

        def changed(point: Point) -> None:
            if point.value:
                current, limit, priority = (
                    self._points.find(name)
                    for name in (alarm.tag.rpartition(".")[0], f"{alarm.tag}.Limit", f"{alarm.tag}.Priority")
                )
                severity = priority.value if priority and isinstance(priority.value, int) else alarm.severity
                self._raise(
                    replace(
                        alarm,
                        severity=severity,
                        current=current.reading if current else None,
                        limit=limit.reading if limit else None,
                    )
                )
            else:
                self._clear(tag_key(alarm.reference))

        def written(value: Value) -> None:
            # Without an alarm client an operator acknowledges an alarm by writing its comment.
            if message is not None:
                message.update(value, self._clock.now())
            waiting = self._alarms.get(tag_key(alarm.reference))
            if waiting is not None and not waiting.acked:
                self._set_acknowledged(waiting, "", str(value))

        def acknowledged(point: Point) -> None:
            waiting = self._alarms.get(tag_key(alarm.reference))
            if waiting is None or waiting.acked == point.value:
                return
            if point.value:
                self._set_acknowledged(waiting, "", "")
            else:
                # An acknowledgement that is taken back raises no transition: only a new snapshot shows it.
                self._alarms[tag_key(alarm.reference)] = replace(waiting, acked=False)

        if in_alarm is not None and acked is not None and message is not None:
            for point in (in_alarm, acked, message):
                self._points.keep(point)
            in_alarm.listeners[changed] = None
            acked.listeners[acknowledged] = None
            message.on_write = written
            if in_alarm.value:
                changed(in_alarm)

    def _raise(self, alarm: Alarm) -> None:
        folded = tag_key(alarm.reference)
        old = self._alarms.get(folded)
        if old is not None and old.active:
            return
        now = self._clock.now()
        raised = replace(alarm, active=True, acked=False, raised_ns=old.raised_ns if old else now, changed_ns=now)
        self._alarms[folded] = raised
        self._subtag(alarm, ".Acked", False)
        # A retrigger: the alarm came back before it was acknowledged.
        self._notify(TransitionKind.RETRIGGER if old else TransitionKind.RAISE, raised)

    def _clear(self, folded: str) -> None:
        alarm = self._alarms.get(folded)
        if alarm is None or not alarm.active:
            return
        cleared = replace(alarm, active=False, changed_ns=self._clock.now())
        if cleared.acked:
            del self._alarms[folded]
        else:
            self._alarms[folded] = cleared
        self._notify(TransitionKind.CLEAR, cleared)

    def _subtag(self, alarm: Alarm, end: str, value: Value) -> None:
        point = self._points.find(alarm.tag + end)
        if point is not None:
            self._points.keep(point)
            point.update(value, self._clock.now())

    def _notify(self, kind: TransitionKind, alarm: Alarm) -> None:
        transition = Transition(kind, alarm, alarm.changed_ns, self.provider)
        for listener in list(self.listeners):
            listener(transition)


def check_reference(text: str) -> None:
    """Raise BadReference unless the text is ``Galaxy!Area.Object.Alarm``."""
    if not _REFERENCE.fullmatch(text):
        raise BadReference(f"{text!r} is neither Galaxy!Area.Object.Alarm nor a GUID")


def matching(alarms: Iterable[Alarm], prefix: str) -> list[Alarm]:
    """Return the alarms whose references begin with ``prefix``, in any letter case."""
    folded = tag_key(prefix)
    return [alarm for alarm in alarms if tag_key(alarm.reference).startswith(folded)]


def _area(hierarchy: Hierarchy, plant_object: PlantObject) -> str:
    step: PlantObject | None = plant_object
    while step is not None and not step.is_area:
        step = hierarchy.by_id(step.parent_id)
    return step.tag_name if step is not None else plant_object.tag_name


def _description(plant_object: PlantObject, attribute: str, kind: str) -> str:
    """Return what is in alarm: the description of the attribute, or of its object, and their names."""
    by_name = plant_object.template.by_name
    found = by_name.get(tag_key(f"{attribute}.Description")) or by_name.get("shortdesc")
    name = f"{plant_object.tag_name}.{attribute} {kind}"
    return f"{plant_object.initial_value(found)}: {name}" if found else name


def _reading(value: Value, now: int) -> TagReading | None:
    types = {bool: NativeType.BOOLEAN, int: NativeType.INTEGER, float: NativeType.DOUBLE, str: NativeType.STRING}
    tag_type = types.get(type(value))
    return None if tag_type is None else TagReading(value, tag_type, False, status.GOOD, now)
