"""Commands for the galaxy: its objects and deployments. They need no session."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway_cli.options import NOT_NEGATIVE, POSITIVE, end_options, not_blank, sendable
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient

# The limit of the gateway.
_PAGE = click.IntRange(1, 5000)


def _place(context: click.Context, parameter: click.Parameter, text: str | None) -> int | str | None:
    """Parse an object: its id or its tag name; a click callback."""
    not_blank(context, parameter, text)
    if text is None or not (text.isascii() and text.isdigit()):
        return text
    number: int = POSITIVE(text, parameter, context)
    return number


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the filters of objects, which must all match; the command gets `filters`, by the library's names."""
    options = [
        click.option("--category", type=NOT_NEGATIVE, multiple=True, metavar="ID", help="13 is an area; repeatable."),
        click.option(
            "--template",
            multiple=True,
            callback=not_blank,
            metavar="NAME",
            help="Derived from it; repeatable.",
        ),
        click.option(
            "--glob",
            default="",
            callback=sendable,
            metavar="PATTERN",
            help="Pattern of the whole tag name, in any case: Tank*.",
        ),
        click.option("--alarm-bearing", is_flag=True, help="With an alarm attribute."),
        click.option("--historized", is_flag=True, help="With a historized attribute."),
        click.option("--attributes", is_flag=True, help="With their attributes."),
        click.option("--page-size", type=_PAGE, default=500, metavar="N", show_default=True),
    ]

    @functools.wraps(function)
    def with_filters(
        category: Sequence[int],
        template: Sequence[str],
        glob: str,
        alarm_bearing: bool,
        historized: bool,
        attributes: bool,
        page_size: int,
        **arguments: Any,
    ) -> Any:
        filters = {
            "category_ids": category,
            "template_chain_contains": template,
            "tag_name_glob": glob,
            "alarm_bearing_only": alarm_bearing,
            "historized_only": historized,
            "include_attributes": attributes,
            "page_size": page_size,
        }
        return function(filters=filters, **arguments)

    decorated: Callable[..., Any] = with_filters
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


_OBJECT = """\b
JSON: one object an object: attributes (null without --attributes),
browse_name, category_id, contained_name, gobject_id, hosted_by_gobject_id,
is_area, parent_gobject_id (0 at the top), tag_name, template_chain"""
_ATTRIBUTE = """
Each attribute: array_dimension, attribute_name, category, data_type,
data_type_name, full_tag_reference, is_alarm, is_array, is_historized,
security_classification."""


@click.command(epilog=f"{_OBJECT},\nhas_children.{_ATTRIBUTE}")
@click.option("--parent", callback=_place, metavar="TAG|ID", help="The object to look into [the top].")
@filter_options
@gateway_options
def galaxy_browse(runner: Runner, parent: int | str | None, filters: dict[str, Any]) -> None:
    """Print the children of an object, areas first."""

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_console.render.galaxy_forms import OBJECT_COLUMNS, object_form, print_object

        runner.report.list_of((*OBJECT_COLUMNS, "has_children"))
        for node in await client.galaxy.browse(parent, **filters):
            form = object_form(node.object, filters["include_attributes"]) | {"has_children": node.has_children}
            print_object(runner.report, form)
            if runner.report.reader_gone:
                return

    runner.run(action)


@click.command(
    epilog=f"""{_OBJECT}.{_ATTRIBUTE}

\b
Objects are printed as their page comes. A redeploy between two pages is an
error: what was printed belongs to the former galaxy."""
)
@click.option("--root", callback=_place, metavar="TAG|ID", help="Only what is below this object [all].")
@click.option("--max-depth", type=NOT_NEGATIVE, metavar="N", help="At most N levels below the root.")
@filter_options
@gateway_options
def galaxy_discover(runner: Runner, root: int | str | None, max_depth: int | None, filters: dict[str, Any]) -> None:
    """Print every object of the galaxy, or of a part of it."""

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_console.render.galaxy_forms import OBJECT_COLUMNS, object_form, print_object

        runner.report.list_of(OBJECT_COLUMNS)
        async for item in client.galaxy.discover(root=root, max_depth=max_depth, **filters):
            print_object(runner.report, object_form(item, filters["include_attributes"]))
            if runner.report.reader_gone:
                return

    runner.run(action)


@click.command(
    epilog="""\b
The first is the present state.

\b
JSON: one object an event: attribute_count, object_count, observed_at,
sequence, time_of_last_deploy"""
)
@end_options("--max-events", "events")
@gateway_options
def galaxy_deploy_events(runner: Runner, most: int | None, duration: float | None) -> None:
    """Print the galaxy's deployment, and each later one."""

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_cli.commands.streaming import Rendering, print_stream, stream_broke
        from zb_mom_ww_mxgateway_console.render.galaxy_forms import DEPLOY_COLUMNS, deploy_form, deploy_text

        ended = stream_broke(client.options.endpoint, "watch_deploy_events")
        stream = client.galaxy.watch_deploy_events()
        await print_stream(
            stream, runner.report, Rendering(deploy_form, deploy_text, DEPLOY_COLUMNS), ended, most, duration
        )

    runner.run(action, is_endless=True)
