"""Findings of lint, each told once: the same mistake of a line that is included for many rows is one mistake."""

from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

from zb_mom_ww_mxgateway_shell.scripts.loader import LintFinding

_MOST_OF_A_LINE = 5
"""Different mistakes of one place, in different rows, that are told one by one."""
_MOST_NAMED = 10
"""Rows that are named."""


def grouped(findings: Iterable[LintFinding]) -> list[LintFinding]:
    """Return the findings, the same one of several includes of a file once, and only the first few of one place."""
    same: dict[tuple[Hashable, str], list[LintFinding]] = {}
    for finding in findings:
        same.setdefault((_place_of(finding), str(finding.problem)), []).append(finding)
    at_one_place: dict[Hashable, list[list[LintFinding]]] = {}
    for (place, _), group in same.items():
        at_one_place.setdefault(place, []).append(group)
    told = []
    for groups in at_one_place.values():
        first, rest = groups[:_MOST_OF_A_LINE], groups[_MOST_OF_A_LINE:]
        told += [_together(group, "the same") for group in first]
        if rest:
            told[-1] = _together([told[-1], *(each for group in rest for each in group)], "a mistake here, too")
    return told


def _place_of(finding: LintFinding) -> Hashable:
    where, problem = finding.statement, finding.problem
    if where.source is None:
        return id(problem)
    # The same file, however an include spells its name.
    return Path(where.source).resolve(), where.line, getattr(problem, "start", 0), finding.is_warning


def _together(group: Sequence[LintFinding], what: str) -> LintFinding:
    """Return the first finding, with a note about the places of the others."""
    first, *others = group
    places = [place for place in dict.fromkeys(each.statement.origin for each in others) if place]
    if shown := ", ".join(places[:_MOST_NAMED]):
        left = len(places) - _MOST_NAMED
        first.problem.add_note(f"{what}: {shown}{f' and {left} more' if left > 0 else ''}")
    return first._replace(also=(*first.also, *(each.statement for each in others)))
