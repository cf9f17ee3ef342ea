"""The plant as its owner moves it: tags are read and set, alarms raised and cleared, the process runs."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.plant import layout, status
from zb_mom_ww_mxgateway_sim.plant.alarms import AlarmBook
from zb_mom_ww_mxgateway_sim.plant.deployment import Deployment
from zb_mom_ww_mxgateway_sim.plant.generated_tags import add_generated
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.limit_alarms import LimitAlarms
from zb_mom_ww_mxgateway_sim.plant.point_store import Point, PointStore, TagReading
from zb_mom_ww_mxgateway_sim.plant.process import PlantProcess
from zb_mom_ww_mxgateway_sim.plant.reacting_tags import ReactingTags
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import TICK
from zb_mom_ww_mxgateway_sim.plant.signals import Signals
from zb_mom_ww_mxgateway_sim.plant.status import Status
from zb_mom_ww_mxgateway_sim.plant.tag_patterns import TagPattern, no_tag
from zb_mom_ww_mxgateway_sim.plant.tag_placement import add_tags
from zb_mom_ww_mxgateway_sim.plant.tag_types import Value, coerce
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition
from zb_mom_ww_mxgateway_sim.plant.write_refusals import WriteRefusals
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource, nanoseconds
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue


class SimulatedPlant:
    """A plant without clients: objects, tags with their values, alarms, deployments."""

    def __init__(
        self,
        clock: TimeSource,
        timers: TimerQueue,
        *,
        seed: int,
        tags: Iterable[TagDefinition],
        recorded_tags: Iterable[TagDefinition],
        generated_tags: int,
        generated_change_period: float,
        alarms: bool,
    ) -> None:
        """Build the plant, standing still. A recorded tag is added if there is none of its name.

        Raise TagError for a tag that is impossible or exists already.
        """
        self._timers = timers
        self.hierarchy: Hierarchy = Hierarchy()
        tags = list(tags)
        # A galaxy from a file stands alone: it may have objects of the same names.
        is_built_in = all(tag.exported is None for tag in tags)
        if is_built_in:
            layout.build(self.hierarchy)
        add_generated(self.hierarchy, generated_tags, generated_change_period)
        placed = add_tags(self.hierarchy, tags)
        add_tags(self.hierarchy, [tag for tag in recorded_tags if self.hierarchy.attribute(tag.name) is None])
        self.points: PointStore = PointStore(self.hierarchy, clock.now)
        self._signals = Signals(clock, seed)
        self._reacting_tags = ReactingTags(self.points, clock, timers)
        self._reacting_tags.add(placed.reacting)
        self.points.on_new = self._adopt
        self.points.on_seen = self._signals.refresh
        self.points.on_unset = self._resume
        self._process = PlantProcess(self.points, clock, seed) if is_built_in else None
        self.refusals: WriteRefusals = WriteRefusals()
        self._limit_alarms = LimitAlarms(self.points, clock)
        self._limit_alarms.add(placed.alarmed)
        self.deployment: Deployment = Deployment(clock)
        self.alarms: AlarmBook | None = AlarmBook(self.hierarchy, self.points, clock) if alarms else None
        """The alarms; None where they are disabled."""

    def run(self) -> None:
        """Move the process, the signals and what travels at every tick."""
        self._timers.every(TICK, self._tick)

    def _adopt(self, point: Point) -> None:
        self._signals.adopt(point)
        self._reacting_tags.adopt(point)

    def _resume(self, point: Point) -> None:
        self._signals.resume(point)
        self._reacting_tags.resume(point)
        self._limit_alarms.resume(point)

    def read(self, tag: str) -> TagReading:
        """Return the tag's current value. Raise KeyError if there is no such tag."""
        point = self.points.find(tag)
        if point is None:
            raise KeyError(tag)
        return point.reading

    def set(
        self, tag: str, value: object, quality: int, timestamp: datetime | None, statuses: Sequence[Status]
    ) -> None:
        """Set the tag from the plant's side. Raise KeyError or CoercionError."""
        time_ns = None if timestamp is None else nanoseconds(timestamp)
        self.points.set(tag, value, quality, time_ns, tuple(statuses))

    def set_message(self, tag: str, value: pb.MxValue, quality: int) -> None:
        """Set the tag to a message that is sent unchanged. Raise KeyError if there is no such tag."""
        message = pb.MxValue()
        message.CopyFrom(value)
        self.points.set(tag, None, quality, None, (status.OK,), message)

    def value_of(self, tag: str, text: str) -> Value:
        """Return the tag's value for a text, with ``|`` between elements of an array. Raise TagError, CoercionError."""
        found = self.hierarchy.attribute(tag)
        if found is None:
            raise TagError(no_tag(self.hierarchy, tag))
        _, attribute = found
        if attribute.is_array:
            return coerce(text.split("|") if text else (), attribute.type, array=True)
        return coerce(text, attribute.type, array=False)

    def refuse_writes(self, glob: str, outcome: Status) -> None:
        """Complete every write to these tags with this status, without an effect. Raise TagError if there is none."""
        self.check_glob(glob)
        self.refusals.refuse(glob, outcome)

    def allow_writes(self, glob: str | None) -> None:
        """Take writes to these tags, or to all, again. Raise TagError if there is none."""
        if glob is not None:
            self.check_glob(glob)
        self.refusals.allow(glob)

    def check_glob(self, glob: str) -> None:
        """Raise TagError if the galaxy has no such tag."""
        if not TagPattern(glob).has_tag(self.hierarchy):
            raise TagError(no_tag(self.hierarchy, glob))

    def redeploy(self, tags: Iterable[TagDefinition]) -> None:
        """Deploy the galaxy again with these tags in addition. Raise TagError."""
        placed = add_tags(self.hierarchy, tags)
        self._reacting_tags.add(placed.reacting)
        for tag in placed.reacting:
            # Others that were used before it existed may move it.
            self.points.find(tag.key)
        self._limit_alarms.add(placed.alarmed)
        if self.alarms is not None:
            self.alarms.adopt(self.hierarchy)
        self.deployment.redeploy()

    def alarm_book(self) -> AlarmBook:
        """Return the alarms. Raise ValueError where they are disabled."""
        if self.alarms is None:
            raise ValueError("alarms are disabled in this gateway")
        return self.alarms

    def _tick(self) -> None:
        if self._process is not None:
            self._process.step(TICK)
        self._signals.tick()
        self._reacting_tags.tick()
        self._limit_alarms.tick()
