"""The page of a report in a real browser: what it asks for, what is cut off, what it draws, what it obeys.

It needs Chromium and its driver: on Debian the packages chromium and chromium-driver.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_browser import A4_WIDTH, CUT_ROWS, OVERFLOWING, POINTS, PRINTED_WIDTH, Browser, needs_browser
from shell_records import HOSTILE, acceptance, acceptance_record, hostile_entries, record, written

from zb_mom_ww_mxgateway_shell.evidence.report import write_report, write_reports

pytestmark = [needs_browser, pytest.mark.long]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of all kinds: of a run, for printing, of a hostile record, of one without an end, a summary."""
    folder = tmp_path_factory.mktemp("pages")
    plain = written(folder, acceptance_record())
    hostile = written(folder, record(hostile_entries(), exit_code=1), "hostile.jsonl")
    cut = written(folder, record(acceptance(), ends=False), "cut.jsonl")
    write_report(plain, folder / "plain.html")
    write_report(plain, folder / "paged.html", "pdf-ready")
    write_report(hostile, folder / "hostile.html")
    write_report(cut, folder / "cut.html")
    write_reports([plain, hostile, cut], folder / "summary.html")
    return {path.stem: path for path in folder.glob("*.html")}


def test_a_page_asks_for_nothing_and_obeys_nothing_of_the_record(browser: Browser, pages: dict[str, Path]) -> None:
    for page in pages.values():
        assert browser.opened(page) == {page.as_uri()}
        assert browser.complaints() == []
        assert browser.asked("return document.scripts.length + document.links.length + document.images.length") == 0
    browser.opened(pages["hostile"])
    title = browser.asked("return document.querySelector('h1').textContent")
    assert title == HOSTILE[0]
    # The style of the page applies, although a text tried to end it; and it is the only one that is let in.
    assert browser.asked("return getComputedStyle(document.querySelector('table')).tableLayout") == "fixed"
    browser.asked("document.body.innerHTML += '<i style=\"color: red\">x</i>'")
    assert any("Content Security Policy" in each for each in browser.complaints())


@pytest.mark.parametrize(("width", "media"), [(A4_WIDTH, "screen"), (PRINTED_WIDTH, "print")])
def test_nothing_is_cut_off_at_the_width_of_a4(
    browser: Browser, pages: dict[str, Path], width: int, media: str
) -> None:
    browser.shown(width=width, media=media)
    for page in pages.values():
        browser.opened(page)
        assert browser.asked(OVERFLOWING) == [], page.name
        assert browser.asked(CUT_ROWS) == 0


def test_each_part_begins_a_page_of_a4_where_it_is_for_printing(browser: Browser, pages: dict[str, Path]) -> None:
    browser.shown(width=A4_WIDTH, media="print")  # Whatever another test has looked at.
    counts = {}
    for name in ("plain", "paged"):
        browser.opened(pages[name])
        printed = browser.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        content = base64.b64decode(printed["data"])
        counts[name] = len(re.findall(rb"/Type\s*/Page\b", content))
        boxes = {
            tuple(round(float(each)) for each in found.split())
            for found in re.findall(rb"/MediaBox \[([^\]]*)", content)
        }
        assert {box[2:] for box in boxes} <= {(595, 842), (596, 842), (594, 842)}
    # Each part begins a page where the page is for printing first.
    parts = browser.asked("return document.querySelectorAll('section').length")
    assert counts["paged"] > max(parts, counts["plain"])
    assert browser.asked("return document.querySelectorAll('section > .strip').length") == parts


def test_the_drawings_have_exactly_the_points_of_the_record(browser: Browser, pages: dict[str, Path]) -> None:
    browser.opened(pages["plain"])
    series = [entry for entry in acceptance() if "points" in entry]
    drawn = browser.asked(POINTS)
    assert [len(each) for each in drawn] == [len(each["points"]) for each in series]
    points, marks = series[0]["points"], drawn[0]
    for point, (_, _, kind, title) in zip(points, marks, strict=True):
        mood = "stale" if point["stale"] else point["quality"]
        assert kind == f"point {mood}"
        value = "null" if point["value"] is None else str(point["value"])
        assert f": {value}, {point['quality']}" in title
    # The places are in proportion to times and values: each as far from the first as it has to be, to a tenth.
    numbers = [index for index, point in enumerate(points) if point["value"] is not None]
    first, last = numbers[0], numbers[-1]
    for index in numbers:
        part = index / last
        x, y = marks[index][:2]
        assert x == pytest.approx(marks[first][0] + part * (marks[last][0] - marks[first][0]), abs=0.3)
        # A triangle has its middle a little off the value.
        assert y == pytest.approx(marks[first][1] + part * (marks[last][1] - marks[first][1]), abs=0.5)
