"""Objects and attributes of the galaxy, from messages."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayCommandError
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.models.galaxy import DeployEvent, GalaxyAttribute, GalaxyObject, GalaxyTag, ObjectTags
from zb_mom_ww_mxgateway.times import moment_of
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.wire.values import nanoseconds_of

# Native data types are those of DataType less 2.
_NATIVE_OFFSET = 2
_DATA_TYPES = {each.value: each for each in DataType}


class ChildrenPage(NamedTuple):
    objects: list[GalaxyObject]
    has_children: list[bool]
    next_page_token: str
    cache_sequence: int


class DiscoverPage(NamedTuple):
    objects: Iterator[GalaxyObject]
    """Made one by one, when taken: a page may hold a hundred thousand attributes."""
    tags: Iterator[ObjectTags]
    """The objects of the page in their short form, also made when taken."""
    object_count: int
    next_page_token: str
    total_object_count: int


def galaxy_answers(reply: pb.TestConnectionReply) -> bool:
    """Whether the gateway reaches the galaxy's database."""
    return reply.ok


def last_deploy_time(reply: pb.GetLastDeployTimeReply) -> int | None:
    """Return nanoseconds since the Unix epoch; None if nothing was ever deployed."""
    return nanoseconds_of(reply.time_of_last_deploy) if reply.HasField("time_of_last_deploy") else None


def discover_request(page_size: int, page_token: str, **filters: Any) -> pb.DiscoverHierarchyRequest:
    """Return the request; filters that are None are left out."""
    depth = filters.pop("max_depth", None)
    request = pb.DiscoverHierarchyRequest(page_size=page_size, page_token=page_token, **_given(filters))
    if depth is not None:
        request.max_depth.value = depth
    return request


def browse_request(page_size: int, page_token: str, **filters: Any) -> pb.BrowseChildrenRequest:
    """Return the request; filters that are None are left out."""
    return pb.BrowseChildrenRequest(page_size=page_size, page_token=page_token, **_given(filters))


def _given(filters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


def children_page(reply: pb.BrowseChildrenReply) -> ChildrenPage:
    """Return a page of children; raise MxGatewayCommandError if the reply's lists differ in length."""
    if len(reply.child_has_children) not in (0, len(reply.children)):
        raise MxGatewayCommandError(
            f"the gateway's reply contradicts itself: {len(reply.child_has_children)} marks for "
            f"{len(reply.children)} children",
            call="browse",
            reply=reply,
        )
    # Without marks any child may have children; browsing it tells.
    has_children = list(reply.child_has_children) or [True] * len(reply.children)
    objects = [_object(child) for child in reply.children]
    return ChildrenPage(objects, has_children, reply.next_page_token, reply.cache_sequence)


def deploy_event(message: pb.DeployEvent) -> DeployEvent:
    return DeployEvent(
        sequence=message.sequence,
        observed_at=moment_of(nanoseconds_of(message.observed_at)),
        time_of_last_deploy=moment_of(nanoseconds_of(message.time_of_last_deploy)),
        object_count=message.object_count,
        attribute_count=message.attribute_count,
    )


def discover_page(reply: pb.DiscoverHierarchyReply) -> DiscoverPage:
    objects, tags = map(_object, reply.objects), map(_object_tags, reply.objects)
    return DiscoverPage(objects, tags, len(reply.objects), reply.next_page_token, reply.total_object_count)


def _object(message: pb.GalaxyObject) -> GalaxyObject:
    return GalaxyObject(
        gobject_id=message.gobject_id,
        tag_name=message.tag_name,
        contained_name=message.contained_name,
        browse_name=message.browse_name,
        parent_gobject_id=message.parent_gobject_id,
        is_area=message.is_area,
        category_id=message.category_id,
        hosted_by_gobject_id=message.hosted_by_gobject_id,
        template_chain=tuple(message.template_chain),
        attributes=tuple(_attribute(attribute) for attribute in message.attributes),
    )


def _object_tags(message: pb.GalaxyObject) -> ObjectTags:
    # In one expression without calls of ours: of each of a million tags, every step counts.
    tags = tuple(
        GalaxyTag(
            attribute.full_tag_reference,
            _DATA_TYPES.get(number := attribute.mx_data_type + _NATIVE_OFFSET, number),
            attribute.data_type_name,
            attribute.is_array,
            attribute.security_classification,
        )
        for attribute in message.attributes
    )
    return ObjectTags(message.tag_name, message.is_area, tuple(message.template_chain), tags)


def _attribute(message: pb.GalaxyAttribute) -> GalaxyAttribute:
    return GalaxyAttribute(
        attribute_name=message.attribute_name,
        full_tag_reference=message.full_tag_reference,
        data_type=_data_type(message.mx_data_type + _NATIVE_OFFSET),
        data_type_name=message.data_type_name,
        is_array=message.is_array,
        array_dimension=message.array_dimension if message.array_dimension_present else None,
        category=message.mx_attribute_category,
        security_classification=message.security_classification,
        is_historized=message.is_historized,
        is_alarm=message.is_alarm,
    )


def _data_type(number: int) -> DataType | int:
    # MXAccess's own number made ours: no contract numbers these.
    return _DATA_TYPES.get(number, number)
