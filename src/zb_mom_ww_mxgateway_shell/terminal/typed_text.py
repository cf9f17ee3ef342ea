"""Display of the text being typed: escapes for invisible characters, stars for an API key."""

from bisect import bisect_right

from prompt_toolkit.formatted_text.utils import fragment_list_to_text
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from zb_mom_ww_mxgateway.redaction import masked
from zb_mom_ww_mxgateway_console.text.terminal_text import escaped


class SafeTextProcessor(Processor):
    """Display form of a line; the line itself is unchanged."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        fragments = explode_text_fragments(transformation_input.fragments)
        text = fragment_list_to_text(fragments)
        hidden = masked(text)
        if escaped(hidden) == text:
            return Transformation(transformation_input.fragments)
        starts, shown = [0], []
        for (style, *_), character in zip(fragments, hidden, strict=False):
            shown.append((style, escaped(character)))
            starts.append(starts[-1] + len(shown[-1][1]))
        last = len(starts) - 1

        def to_display(position: int) -> int:
            return starts[position] if position <= last else starts[last] + position - last

        def to_source(position: int) -> int:
            return bisect_right(starts, position) - 1 if position < starts[last] else last + position - starts[last]

        return Transformation([*shown], source_to_display=to_display, display_to_source=to_source)
