"""What is wrong with the names that includes give to the lines of their files."""

from collections.abc import Iterator

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.variables import names_in
from zb_mom_ww_mxgateway_shell.scripts.loader import Block, LintFinding
from zb_mom_ww_mxgateway_shell.state.context import Context


def name_findings(block: Block, context: Context) -> Iterator[LintFinding]:
    """Yield what is wrong with names of ``with`` and of columns: unused ones, and ones that ``--var`` gives, too."""
    columns: object = None
    for item in (*block.body, *block.ending):
        if not isinstance(item, Block):
            continue
        # The rows of one include share their columns.
        if item.head is not None and (not item.columns or item.columns is not columns):
            yield from _of_include(item, context)
        columns = item.columns
        yield from name_findings(item, context)


def _of_include(block: Block, context: Context) -> Iterator[LintFinding]:
    assert block.head is not None
    include = block.head._replace(origin="")  # The mistake is that of no row.
    places = {name: (include, given.word.mistake("")) for name, given in block.names.words.items()}
    places |= block.columns
    if not places:
        return
    used: set[str] = set()
    for text in (*(each.text for each in block.statements() if each is not block.head), *context.aliases.values()):
        used |= names_in(text)
    for name, (statement, place) in places.items():
        if name in context.given_names:
            yield LintFinding(
                statement, _at(place, f"{name} is given by --var, too: leave one of them out, so that one value holds")
            )
        elif name not in used:
            yield LintFinding(statement, _at(place, f"nothing in {block.path} is called ${name}"), is_warning=True)


def _at(place: InputError, message: str) -> InputError:
    return InputError(message, place.start, place.end)
