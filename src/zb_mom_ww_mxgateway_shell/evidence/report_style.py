"""The style sheet of a report: A4, readable in black and white, words and shapes where others use colour."""

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
html { background: #fff; color: #000; font: 10pt/1.4 "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
body { margin: 0 auto; padding: 8mm 6mm; max-width: 192mm; overflow-wrap: anywhere; }
h1 { font-size: 20pt; line-height: 1.15; margin: 2mm 0 3mm; }
h2 { font-size: 13pt; margin: 0 0 3mm; padding-bottom: 1mm; border-bottom: 1.5pt solid #000; }
h3 { font-size: 10.5pt; margin: 5mm 0 1.5mm; }
h3 .details { font-weight: normal; font-size: 8.5pt; color: #333; }
p { margin: 0 0 2mm; }
section { margin-top: 9mm; }
.strip { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 4mm; font-size: 8pt; color: #333;
  margin: 0 0 1.5mm; }
header > .strip { border-bottom: 0.5pt solid #000; padding-bottom: 1mm; }
.verdict { font-size: 14pt; font-weight: bold; padding: 2mm 3mm; border: 1.5pt solid #000; display: inline-block;
  margin-bottom: 4mm; }
.verdict.failed, .verdict.error, .verdict.invalid { border: 3pt double #000; background: #eee; }
.verdict.observed, .verdict.skipped { border-style: dashed; }
.mark { font-weight: bold; white-space: normal; }
.mark.done, .mark.skipped { font-weight: normal; }
.mark.failed, .mark.error, .mark.invalid { text-transform: uppercase; border: 1.5pt solid #000; padding: 0 1mm; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; margin: 0 0 4mm; font-size: 8pt;
  line-height: 1.3; }
th, td { border: 0.5pt solid #777; padding: 0.9mm 1.2mm; text-align: left; vertical-align: top; }
thead th { border-bottom: 1.2pt solid #000; background: #f0f0f0; }
table.facts { font-size: 9pt; }
table.facts th { font-weight: normal; color: #333; background: #f7f7f7; }
tr.below td { border-top: 0.5pt dotted #777; padding-left: 5mm; }
tbody.out > tr > td { border-left: 3pt solid #000; border-right: 3pt solid #000; }
tbody.out > tr > td:not(:first-child) { border-left-width: 0.5pt; }
tbody.out > tr > td:not(:last-child) { border-right-width: 0.5pt; }
table.form td { height: 15mm; }
.empty { font-style: italic; }
.warning { border: 1.5pt solid #000; border-left-width: 5pt; padding: 2mm 3mm; margin: 0 0 4mm; }
.warning p { margin: 0; }
.warning.large { border: 4pt double #000; font-size: 13pt; }
.warning.large strong { font-size: 18pt; text-transform: uppercase; }
figure { margin: 0 0 4mm; }
figcaption { font-size: 8pt; }
svg.trend { display: block; width: 100%; height: auto; font-size: 10px; font-family: inherit; }
svg .frame { fill: none; stroke: #777; stroke-width: 0.7; }
svg .hatch { stroke: #888; stroke-width: 1.2; }
svg .tick { stroke: #000; stroke-width: 0.8; fill: none; }
svg text { fill: #000; }
svg .written text { paint-order: stroke; stroke: #fff; stroke-width: 3px; }
svg .gap text { font-style: italic; paint-order: stroke; stroke: #fff; stroke-width: 3px; }
svg .limit path { stroke: #000; stroke-width: 0.9; stroke-dasharray: 9 4; fill: none; }
svg .written path { stroke: #000; stroke-width: 1; stroke-dasharray: 2 2; fill: none; }
svg .written .arrow { fill: #000; stroke: none; }
svg .sure { stroke: #14508c; stroke-width: 1.6; fill: none; }
svg .doubtful { stroke: #14508c; stroke-width: 1.1; stroke-dasharray: 3 3; fill: none; }
svg .point circle { fill: #14508c; stroke: #14508c; }
svg .point.stale circle, svg .point.uncertain path { fill: #fff; stroke: #000; stroke-width: 1.1; }
svg .point.bad path { stroke: #000; stroke-width: 1.4; fill: none; }
body.paged { width: 210mm; max-width: none; padding: 12mm 15mm; }
thead { display: table-header-group; }
h2, h3 { break-after: avoid; }
tr, tbody, figure, .warning, .verdict { break-inside: avoid; }
@page { size: A4 portrait; margin: 17mm 14mm 16mm;
  @top-left { content: "RUNNING"; font: 7.5pt Arial, sans-serif; width: 100%; }
  @bottom-right { content: "page " counter(page) " of " counter(pages); font: 7.5pt Arial, sans-serif; } }
@media print {
  body, body.paged { max-width: none; width: auto; padding: 0; }
  section.page, body.paged section { break-before: page; margin-top: 0; }
}
"""


def style_of(running: str) -> str:
    """Return the style sheet; `running` is what each printed page has at its top, as text inside quotes."""
    widths = "\n".join(f".w{width} {{ width: {width}%; }}" for width in range(4, 81))
    return f"{_STYLE.replace('RUNNING', running)}{widths}\n"
