"""The galaxy's objects and deployments as JSON and for a person."""

from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway_console.render.forms import safe, value_form
from zb_mom_ww_mxgateway_console.render.report import Report

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import DeployEvent, GalaxyAttribute, GalaxyObject


OBJECT_COLUMNS = (
    *("attributes", "browse_name", "category_id", "contained_name", "gobject_id", "hosted_by_gobject_id", "is_area"),
    *("parent_gobject_id", "tag_name", "template_chain"),
)
"""The keys of the form of an object."""


def object_form(item: "GalaxyObject", with_attributes: bool) -> dict[str, Any]:
    """Return the JSON form of an object; `attributes` is null if they were not requested."""
    return {
        "attributes": [_attribute_form(attribute) for attribute in item.attributes] if with_attributes else None,
        "browse_name": item.browse_name,
        "category_id": item.category_id,
        "contained_name": item.contained_name,
        "gobject_id": item.gobject_id,
        "hosted_by_gobject_id": item.hosted_by_gobject_id,
        "is_area": item.is_area,
        "parent_gobject_id": item.parent_gobject_id,
        "tag_name": item.tag_name,
        "template_chain": list(item.template_chain),
    }


def _attribute_form(attribute: "GalaxyAttribute") -> dict[str, Any]:
    return {
        "array_dimension": attribute.array_dimension,
        "attribute_name": attribute.attribute_name,
        "category": attribute.category,
        "data_type": name_of(attribute.data_type),
        "data_type_name": attribute.data_type_name,
        "full_tag_reference": attribute.full_tag_reference,
        "is_alarm": attribute.is_alarm,
        "is_array": attribute.is_array,
        "is_historized": attribute.is_historized,
        "security_classification": attribute.security_classification,
    }


def print_object(report: Report, form: dict[str, Any]) -> None:
    """Print one object: its form, or for a person a line with its attributes below."""
    if not report.is_for_people:
        report.line(form, "")
        return
    kind = "area" if form["is_area"] else "object"
    more = "  …" if form.get("has_children") else ""
    template = f"  {form['template_chain'][0]}" if form["template_chain"] else ""
    lines = [f"{form['gobject_id']:>7}  {kind:<6}  {form['tag_name']}{template}{more}"]
    lines += [f"{'':>17}{_attribute_text(attribute)}" for attribute in form["attributes"] or ()]
    report.lines([safe(line) for line in lines])


def _attribute_text(attribute: dict[str, Any]) -> str:
    array = f"[{attribute['array_dimension'] or ''}]" if attribute["is_array"] else ""
    marks = [name for name in ("alarm", "historized") if attribute[f"is_{name}"]]
    return "  ".join([attribute["full_tag_reference"], f"{attribute['data_type_name']}{array}", *marks])


DEPLOY_COLUMNS = ("attribute_count", "object_count", "observed_at", "sequence", "time_of_last_deploy")
"""The keys of the form of a deployment."""


def deploy_form(event: "DeployEvent") -> dict[str, Any]:
    """Return the JSON form of a deployment."""
    return {
        "attribute_count": event.attribute_count,
        "object_count": event.object_count,
        "observed_at": value_form(event.observed_at),
        "sequence": event.sequence,
        "time_of_last_deploy": value_form(event.time_of_last_deploy),
    }


def deploy_text(event: "DeployEvent") -> str:
    """Return a deployment for a person."""
    deployed = value_form(event.time_of_last_deploy) or "never"
    counts = f"{event.object_count} objects, {event.attribute_count} attributes"
    return f"{event.sequence:>4}  deployed {deployed}  {counts}"
