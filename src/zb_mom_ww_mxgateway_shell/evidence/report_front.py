"""The front of a report: what was tested, by whom and with what, and who signs it."""

from collections.abc import Iterator, Mapping
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.evidence.report_document import (
    Caution,
    FactsBlock,
    Paragraph,
    ReportBlock,
    TableBlock,
    TableCell,
    TableLine,
)
from zb_mom_ww_mxgateway_shell.evidence.report_model import ReportVerdict, RunReport
from zb_mom_ww_mxgateway_shell.evidence.report_text import ReportClock, list_of, mapping_of, text_of

_UNKNOWN = "unknown: the record does not say"
_SIGNED = (
    ("author", "I wrote this test; it tests what it names."),
    ("tester", "I carried out this test; the record shows what happened."),
    ("witness", "I was present, and saw what the record shows."),
    ("reviewer", "I checked the record, its deviations and open points."),
    ("client", "I accept the result, with the open points named here."),
)
"""Who signs a report, and what the signature means."""
_SHOWN_OF_GATEWAY = frozenset({"certificate", "endpoint", "name", "plaintext"})
_WORDS = {ReportVerdict.SKIPPED: "incomplete", ReportVerdict.DONE: "nothing was compared"}
"""Words for the verdict of a run, where that of a step says something else."""
_TITLE_FIELDS = ("title", "number", "site")


def title_of(report: RunReport) -> str:
    """Return the title of the test, else the names of its files."""
    return text_of(report.about.get("title")) or files_of(report) or report.source


def files_of(report: RunReport) -> str:
    """Return the names of the first files of a run."""
    named = [text_of(mapping_of(each).get("name")) for each in list_of(report.begin.get("files"))]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def strip_of(report: RunReport) -> str:
    """Return what identifies a report on each of its pages."""
    number, site = text_of(report.about.get("number")), text_of(report.about.get("site"))
    parts = [f"No. {number}" if number else "", site, f"run {run_of(report)}"]
    return " · ".join(each for each in parts if each)


def run_of(report: RunReport) -> str:
    """Return the id of the run."""
    return text_of(report.begin.get("run")) or "unknown"


def verdict_text(report: RunReport) -> str:
    """Return the verdict of a run in words, with the counts of its steps."""
    parts = [
        counted(number, "step") + f" {verdict.value}"
        for verdict in (
            ReportVerdict.PASSED,
            ReportVerdict.OBSERVED,
            ReportVerdict.FAILED,
            ReportVerdict.ERROR,
            ReportVerdict.SKIPPED,
            ReportVerdict.DONE,
        )
        if (number := report.count(verdict))
    ]
    steps = f": {', '.join(parts)}" if parts else ""
    word = _WORDS.get(report.verdict, report.verdict.value)
    return f"{word.upper()}{steps}"


def warnings(report: RunReport) -> Iterator[ReportBlock]:
    """Yield what a reader must know before anything else."""
    if report.problems:
        is_whole = bool(report.end)
        title = "This record is not as it was written" if is_whole else "This record is incomplete"
        yield Caution(title, (*report.problems, "It proves nothing about the run as a whole."), is_large=True)
    if doubled := same_people(report.about):
        yield Caution("Tester, author and witness should be different people", tuple(doubled))
    code = report.end.get("exit_code")
    if report.end and code != 0:
        broken = text_of(report.end.get("broken_off"))
        yield Caution(f"The run ended with exit code {text_of(code)}", (broken,) if broken else ())
    if problem := text_of(report.end.get("journal_problem")):
        yield Caution("The record has no lines of the journal", (problem,))
    if left := list_of(report.end.get("left_changed")):
        yield Caution(f"Left changed in the plant: {counted(len(left), 'tag')}", ("They are listed below.",))


def same_people(about: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each person who is named in two roles that should be different people's."""
    roles: dict[str, list[str]] = {}
    for role in ("author", "tester", "witness"):
        if name := text_of(about.get(role)).strip():
            roles.setdefault(" ".join(name.casefold().split()), []).append(role)
    return [
        f"{text_of(about.get(named[0])).strip()} is named as {' and as '.join(named)}."
        for named in roles.values()
        if len(named) > 1
    ]


def title_block(report: RunReport, clock: ReportClock) -> FactsBlock:
    """Return what identifies the run: title, number, site, plant, times, people of the system."""
    about, begin = report.about, report.begin
    user = "@".join(each for each in (text_of(begin.get("user")), text_of(begin.get("host"))) if each)
    pairs: list[tuple[str, TableCell]] = [
        ("Title", title_of(report)),
        ("Number", text_of(about.get("number")) or _UNKNOWN),
        ("Site", text_of(about.get("site")) or _UNKNOWN),
        ("Plant and gateway", tuple(gateway_line(each) for each in report.gateways) or _UNKNOWN),
        ("Run", run_of(report)),
        ("Began", clock.full(begin.get("at")) or _UNKNOWN),
        ("Ended", clock.full(report.end.get("at")) or "unknown: the record has no end"),
        ("Times", f"all times are {clock.zone}"),
        ("User of the system", user or _UNKNOWN),
        ("Operator", tuple(_operators(report, clock)) or _UNKNOWN),
    ]
    known = {*_TITLE_FIELDS, "operator", "scope"} | {role for role, _ in _SIGNED}
    known |= {f"{role}_date" for role, _ in _SIGNED}
    pairs += [(name.replace("_", " ").capitalize(), text_of(text)) for name, text in about.items() if name not in known]
    return FactsBlock(pairs)


def _operators(report: RunReport, clock: ReportClock) -> Iterator[str]:
    """Yield the operator that was named, and the users who logged in during the run."""
    if named := text_of(report.begin.get("operator") or report.about.get("operator")):
        yield named
    for name, at in report.logins:
        yield f"{name}, logged in {clock.short(at)}"


def gateway_line(entry: Mapping[str, Any]) -> str:
    """Return one gateway of a run: its name, address and galaxy."""
    gateway, galaxy = mapping_of(entry.get("gateway")), mapping_of(entry.get("galaxy"))
    name, endpoint = text_of(gateway.get("name")), text_of(gateway.get("endpoint"))
    text = f"{name} at {endpoint}" if name and endpoint else name or endpoint or "unknown gateway"
    return f"{text}, galaxy {text_of(galaxy['name'])}" if galaxy.get("name") else text


def scope(report: RunReport) -> list[ReportBlock]:
    """Return what was tested: files, steps, requirements."""
    steps = sum(step.is_step for step in report.steps)
    names = [each.name for each in report.requirements]
    blocks: list[ReportBlock] = []
    if said := text_of(report.about.get("scope")):
        blocks.append(Paragraph(said))
    pairs: list[tuple[str, TableCell]] = [
        ("Steps", counted(steps, "step")),
        ("Requirements", ", ".join(names) or "no step names one"),
        ("Reason given", text_of(report.begin.get("reason")) or "none"),
        ("Tags opened with --arm", text_of(report.begin.get("arm")) or "none"),
    ]
    pairs += [("First contact", _first_contact(each)) for each in report.first_contacts]
    return [*blocks, FactsBlock(pairs)]


def _first_contact(entry: Mapping[str, Any]) -> TableCell:
    took = f" in {text_of(entry['seconds'])} s" if entry.get("seconds") is not None else ""
    missing = [mapping_of(each) for each in list_of(entry.get("missing"))]
    lines = [f"{text_of(entry.get('tags'))} tags{took}"]
    return (*lines, *(f"missing: {text_of(each.get('tag'))}: {text_of(each.get('reason'))}" for each in missing))


def prerequisites(report: RunReport, clock: ReportClock) -> list[ReportBlock]:
    """Return versions, hashes and the time of the deployment: what the result depends on."""
    begin = report.begin
    tool, contract, limits = (mapping_of(begin.get(name)) for name in ("tool", "contract", "limits"))
    pairs: list[tuple[str, TableCell]] = [
        ("Program", " ".join(text_of(tool.get(name)) for name in ("name", "version")).strip() or _UNKNOWN),
        ("Python and system", ", ".join(text_of(tool[name]) for name in ("python", "platform") if tool.get(name))),
        ("Contract", _hashed(contract) or _UNKNOWN),
        ("Limits", _hashed(limits) or "none"),
        ("Names given", tuple(f"{name} = {text_of(each)}" for name, each in mapping_of(begin.get("names")).items())),
        ("Seed", text_of(begin.get("seed"))),
        ("Arguments", text_of(begin.get("arguments"))),
    ]
    for entry in report.gateways:
        gateway, galaxy = mapping_of(entry.get("gateway")), mapping_of(entry.get("galaxy"))
        deployed = clock.full(galaxy.get("deployed_at")) or "unknown"
        counts = text_of({name: each for name, each in galaxy.items() if name not in ("name", "deployed_at")})
        certificate = text_of(gateway.get("certificate"))
        if not certificate:
            certificate = "none: plaintext" if gateway.get("plaintext") else "not remembered: checked otherwise"
        others = {name: each for name, each in gateway.items() if name not in _SHOWN_OF_GATEWAY}
        lines = (
            text_of({name.replace("_", " "): each for name, each in others.items()}),
            f"certificate {certificate}",
            f"galaxy deployed {deployed}" + (f"; {counts}" if counts else ""),
        )
        pairs.append((gateway_line(entry), lines))
    rows = [TableLine([text_of(each.get(name)) for name in ("name", "bytes", "sha256")]) for each in report.files]
    return [
        FactsBlock([pair for pair in pairs if pair[1]]),
        TableBlock(("File that was read", "Bytes", "SHA-256"), (25, 8, 67), rows, "The record names no file."),
    ]


def signatures(about: Mapping[str, Any]) -> list[ReportBlock]:
    """Return the lines to sign on: author, tester, witness, reviewer and client, each with date and meaning."""
    rows = [
        TableLine([role.capitalize(), text_of(about.get(role)), meaning, text_of(about.get(f"{role}_date")), ""])
        for role, meaning in _SIGNED
    ]
    return [
        Paragraph("A signature means what its line says, on the date that the signer writes there."),
        TableBlock(
            ("Role", "Name", "Meaning of the signature", "Date", "Signature"), (10, 22, 30, 14, 24), rows, is_form=True
        ),
    ]


def _hashed(form: Mapping[str, Any]) -> str:
    name, digest = text_of(form.get("name") or form.get("file")), text_of(form.get("sha256"))
    return ", ".join(each for each in (name, f"SHA-256 {digest}" if digest else "") if each)
