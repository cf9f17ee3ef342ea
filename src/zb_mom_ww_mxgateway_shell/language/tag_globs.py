"""Tags, or globs of tags, as an argument that is known without the galaxy."""

from collections.abc import Sequence

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Suggestion
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import TAG, full_address
from zb_mom_ww_mxgateway_shell.language.tokens import Token


class TagOrGlob(ArgumentType):
    """A tag, or a glob of tags; a leading dot means the focused object."""

    name = "tag|glob"

    def parse(self, word: Token, context: Scope) -> TagGlob:
        try:
            return TagGlob(full_address(word, context))
        except MxGatewayArgumentError as error:
            raise word.mistake(str(error)) from None

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return TAG.suggestions(prefix, context)
