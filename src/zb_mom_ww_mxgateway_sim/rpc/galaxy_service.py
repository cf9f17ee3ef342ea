"""The rpcs of GalaxyRepository."""

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from fnmatch import translate

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb, galaxy_repository_pb2_grpc as rpc
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey, KeyScope
from zb_mom_ww_mxgateway_sim.plant.deployment import Deployment
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import Attribute, PlantObject, tag_key
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import CallPipeline, Context
from zb_mom_ww_mxgateway_sim.rpc.galaxy_view import GalaxyView
from zb_mom_ww_mxgateway_sim.rpc.paging import PagedRequest, binding_of, page
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import InvalidRequest, ObjectNotFound
from zb_mom_ww_mxgateway_sim.wire.codec import timestamp

_TYPE_NAMES = {
    NativeType.BOOLEAN: "Boolean",
    NativeType.INTEGER: "Integer",
    NativeType.FLOAT: "Float",
    NativeType.DOUBLE: "Double",
    NativeType.STRING: "String",
    NativeType.TIME: "Time",
    NativeType.ELAPSED_TIME: "ElapsedTime",
}


class GalaxyService(rpc.GalaxyRepositoryServicer):
    """Connection test, browsing, discovery and deployments of the galaxy."""

    def __init__(self, pipeline: CallPipeline, hierarchy: Hierarchy, deployment: Deployment, clock: TimeSource) -> None:
        self._pipeline = pipeline
        self._hierarchy = hierarchy
        self._deployment = deployment
        self._clock = clock
        self._views: dict[tuple[frozenset[str] | None, str], GalaxyView] = {}
        # The last list and what it is of: its pages are mostly asked for one after another.
        self._listed: tuple[tuple[str, int], list[PlantObject]] = (("", 0), [])

    async def TestConnection(self, request: pb.TestConnectionRequest, context: Context) -> pb.TestConnectionReply:
        async def answer(key: GatewayKey) -> pb.TestConnectionReply:
            return pb.TestConnectionReply(ok=self._deployment.reachable)

        return await self._pipeline.unary("TestConnection", request, context, KeyScope.METADATA_READ, answer)

    async def GetLastDeployTime(
        self, request: pb.GetLastDeployTimeRequest, context: Context
    ) -> pb.GetLastDeployTimeReply:
        async def answer(key: GatewayKey) -> pb.GetLastDeployTimeReply:
            reply = pb.GetLastDeployTimeReply()
            if self._deployment.time_ns is not None:
                timestamp(self._deployment.time_ns, reply.time_of_last_deploy)
            return reply

        return await self._pipeline.unary("GetLastDeployTime", request, context, KeyScope.METADATA_READ, answer)

    async def DiscoverHierarchy(
        self, request: pb.DiscoverHierarchyRequest, context: Context
    ) -> pb.DiscoverHierarchyReply:
        async def answer(key: GatewayKey) -> pb.DiscoverHierarchyReply:
            return await self._discover(request, self._view(key))

        return await self._pipeline.unary("DiscoverHierarchy", request, context, KeyScope.METADATA_READ, answer)

    async def _discover(self, request: pb.DiscoverHierarchyRequest, view: GalaxyView) -> pb.DiscoverHierarchyReply:
        depth = request.max_depth.value if request.HasField("max_depth") else None
        if depth is not None and depth < 0:
            raise InvalidRequest(f"max_depth {depth} is negative")
        arm = request.WhichOneof("root")
        root = self._start(arm, getattr(request, arm)) if arm else None
        view.require(root)
        wanted = binding_of(request, self._cache(view)), self._hierarchy.changes
        if self._listed[0] != wanted:
            matches = _matcher(request)
            walk = self._hierarchy.walk(root, depth)
            self._listed = wanted, [each for each in walk if view.shows(each) and matches(each)]
        found = self._listed[1]
        objects, _, token = await page(request, self._cache(view), found, _encoder(request, view))
        return pb.DiscoverHierarchyReply(objects=objects, next_page_token=token, total_object_count=len(found))

    async def BrowseChildren(self, request: pb.BrowseChildrenRequest, context: Context) -> pb.BrowseChildrenReply:
        async def answer(key: GatewayKey) -> pb.BrowseChildrenReply:
            return await self._browse(request, self._view(key))

        return await self._pipeline.unary("BrowseChildren", request, context, KeyScope.METADATA_READ, answer)

    async def _browse(self, request: pb.BrowseChildrenRequest, view: GalaxyView) -> pb.BrowseChildrenReply:
        arm = request.WhichOneof("parent")
        parent = self._start(arm, getattr(request, arm)) if arm else None
        view.require(parent)
        matches = _matcher(request)
        found = [plant_object for plant_object in view.children(parent) if matches(plant_object)]
        children, shown, token = await page(request, self._cache(view), found, _encoder(request, view))
        return pb.BrowseChildrenReply(
            children=children,
            next_page_token=token,
            child_has_children=[bool(view.children(child)) for child in shown],
            total_child_count=len(found),
            cache_sequence=self._deployment.sequence,
        )

    def _view(self, key: GatewayKey) -> GalaxyView:
        wanted = key.subtrees, self._deployment.cache
        view = self._views.get(wanted)
        if view is None:
            self._views = {each: of_now for each, of_now in self._views.items() if each[1] == wanted[1]}
            view = self._views[wanted] = GalaxyView(self._hierarchy, key)
        return view

    def _cache(self, view: GalaxyView) -> str:
        return f"{self._deployment.cache} {view.name}"

    async def WatchDeployEvents(self, request: pb.WatchDeployEventsRequest, context: Context) -> None:
        async def deployments(key: GatewayKey) -> AsyncGenerator[pb.DeployEvent, None]:
            async with aclosing(self._deployment.watch()) as sequences:
                async for sequence in sequences:
                    event = pb.DeployEvent(
                        sequence=sequence,
                        object_count=len(self._hierarchy),
                        attribute_count=self._hierarchy.attribute_count,
                    )
                    timestamp(self._clock.now(), event.observed_at)
                    if self._deployment.time_ns is not None:
                        timestamp(self._deployment.time_ns, event.time_of_last_deploy)
                    yield event

        await self._pipeline.stream("WatchDeployEvents", request, context, KeyScope.METADATA_READ, deployments)

    def _start(self, arm: str, wanted: int | str) -> PlantObject | None:
        """Return the object that a root or parent names; None for id 0, the galaxy itself. Raise ObjectNotFound."""
        if isinstance(wanted, int):
            found = self._hierarchy.by_id(wanted)
            if wanted == 0:
                return None
        elif arm.endswith("tag_name"):
            found = self._hierarchy.by_tag_name(wanted)
        else:
            found = self._hierarchy.by_contained_path(wanted)
        if found is None:
            raise ObjectNotFound(f"the galaxy has no object {wanted}")
        return found


def _matcher(request: PagedRequest) -> Callable[[PlantObject], bool]:
    """Return a function that tells whether an object passes all filters of the request."""
    categories = frozenset(request.category_ids)
    templates = [tag_key(text) for text in request.template_chain_contains]
    glob = re.compile(translate(request.tag_name_glob), re.IGNORECASE) if request.tag_name_glob else None

    def matches(plant_object: PlantObject) -> bool:
        template = plant_object.template
        return (
            (not categories or template.category in categories)
            and (glob is None or glob.fullmatch(plant_object.tag_name) is not None)
            and (not request.alarm_bearing_only or template.has_alarm)
            and (not request.historized_only or template.has_history)
            and (not templates or _has_template(template.chain, templates))
        )

    return matches


def _has_template(chain: tuple[str, ...], wanted: Iterable[str]) -> bool:
    folded = [tag_key(name) for name in chain]
    return any(text in name for text in wanted for name in folded)


def _encoder(request: PagedRequest, view: GalaxyView) -> Callable[[PlantObject], pb.GalaxyObject]:
    """Return a function that encodes an object for this request and view."""
    with_attributes = not request.HasField("include_attributes") or request.include_attributes

    def encode(plant_object: PlantObject) -> pb.GalaxyObject:
        message = pb.GalaxyObject(
            gobject_id=plant_object.gobject_id,
            tag_name=plant_object.tag_name,
            contained_name=plant_object.contained_name,
            browse_name=plant_object.browse_name,
            parent_gobject_id=plant_object.parent_id,
            is_area=plant_object.is_area,
            category_id=plant_object.template.category,
            hosted_by_gobject_id=plant_object.parent_id,
            template_chain=plant_object.template.chain,
        )
        if with_attributes:
            message.attributes.extend(
                _attribute(plant_object, attribute) for attribute in view.attributes(plant_object)
            )
        return message

    return encode


def _attribute(plant_object: PlantObject, attribute: Attribute) -> pb.GalaxyAttribute:
    return pb.GalaxyAttribute(
        attribute_name=attribute.name,
        full_tag_reference=f"{plant_object.tag_name}.{attribute.name}",
        mx_data_type=attribute.type,
        data_type_name=_TYPE_NAMES[attribute.type],
        is_array=attribute.is_array,
        array_dimension=attribute.array_length or 0,
        array_dimension_present=attribute.is_array,
        mx_attribute_category=attribute.category,
        security_classification=attribute.security,
        is_historized=attribute.historized,
        is_alarm=attribute.alarm,
    )
