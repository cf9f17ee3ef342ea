"""Objects, attributes and deployments of the galaxy."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from zb_mom_ww_mxgateway.value_types import DataType


@dataclass(frozen=True, slots=True)
class GalaxyAttribute:
    """One attribute of an object."""

    attribute_name: str
    full_tag_reference: str
    """Address to add as an item."""
    data_type: DataType | int
    data_type_name: str
    is_array: bool
    array_dimension: int | None
    """Length of an array, if the galaxy tells it."""
    category: int
    security_classification: int
    """Number of one of ``SECURITY_NAMES`` (``models.security_classes``)."""
    is_historized: bool
    is_alarm: bool


@dataclass(frozen=True, slots=True)
class GalaxyObject:
    """One object or area with its attributes."""

    gobject_id: int
    tag_name: str
    contained_name: str
    browse_name: str
    parent_gobject_id: int
    """0 at the root."""
    is_area: bool
    category_id: int
    hosted_by_gobject_id: int
    template_chain: tuple[str, ...]
    attributes: tuple[GalaxyAttribute, ...]


class GalaxyTag(NamedTuple):
    """Address, type and access of one attribute: what a list of tags needs. A tuple, because there may be millions."""

    full_tag_reference: str
    """Address to add as an item."""
    data_type: DataType | int
    data_type_name: str
    is_array: bool
    security_classification: int
    """Number of one of ``SECURITY_NAMES`` (``models.security_classes``)."""


class ObjectTags(NamedTuple):
    """One object or area with its tags."""

    tag_name: str
    is_area: bool
    template_chain: tuple[str, ...]
    attributes: tuple[GalaxyTag, ...]


@dataclass(frozen=True, slots=True)
class DeployEvent:
    """The deployed galaxy. Times are in UTC."""

    sequence: int
    """Number of the event since the gateway started."""
    observed_at: datetime | None
    time_of_last_deploy: datetime | None
    object_count: int
    attribute_count: int
