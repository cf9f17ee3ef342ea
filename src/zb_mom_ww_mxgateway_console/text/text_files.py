"""Characters of text files that editors have changed."""

import re

CURLY = re.compile("[\u2018-\u201f]")
"""Quotes that an editor replaced."""
LINE_END = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Characters that some program takes for a line end."""
_LINE_ENDS = {
    "\n": "a line feed",
    "\r": "a carriage return (CR)",
    "\v": "a vertical tab (VT)",
    "\f": "a form feed (FF)",
    "\x85": "a next-line mark (U+0085)",
    "\u2028": "a line separator (U+2028)",
    "\u2029": "a paragraph separator (U+2029)",
}


def describe_curly(quote: str) -> str:
    """Return what is wrong with a curly quote in a line."""
    straight = "'" if quote < "\u201c" else '"'
    return f"a curly quote, as an editor makes it: {straight} is meant, or put the text that has it in quotes"


def describe_line_end(character: str) -> str:
    """Return what is wrong with a line end within a line: an editor may show two lines."""
    what = _LINE_ENDS.get(character, f"a separator (U+{ord(character):04X})")
    return f"{what} within a line: it is no end of a line here; take it out, or end the line"
