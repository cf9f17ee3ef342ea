"""A headless Chromium, for tests of pages: on Debian the packages chromium and chromium-driver."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="no browser: install chromium and chromium-driver (on Debian, the packages of those names)",
)

# A4, and A4 without the margins of the page, in CSS pixels.
A4_WIDTH, PRINTED_WIDTH = 794, 688

OVERFLOWING = """
const wide = [...document.querySelectorAll('body, body *:not(svg *)')].filter(
  each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0 && getComputedStyle(each).display !== 'inline'
).map(each => [each.tagName, each.className, each.textContent.slice(0, 60), each.scrollWidth, each.clientWidth]);
const page = document.documentElement;
if (page.scrollWidth > window.innerWidth) wide.push(['page', '', '', page.scrollWidth, window.innerWidth]);
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.viewBox.baseVal;
  for (const text of svg.querySelectorAll('text')) {
    const box = text.getBBox();
    if (box.x < -1 || box.x + box.width > frame.width + 1 || box.y < -1 || box.y + box.height > frame.height + 1)
      wide.push(['text', svg.id, text.textContent, box.x, box.x + box.width]);
  }
}
return wide;
"""
CUT_ROWS = """
return [...document.querySelectorAll('tbody, tr, figure, .warning')].filter(
  each => getComputedStyle(each).breakInside !== 'avoid').length;
"""
POINTS = """
return [...document.querySelectorAll('svg')].map(svg => [...svg.querySelectorAll('.point')].map(each => {
  const box = each.lastElementChild.getBBox();
  return [box.x + box.width / 2, box.y + box.height / 2, each.className.baseVal, each.firstElementChild.textContent];
}));
"""


class Browser:
    """One headless browser, which reports what it asks for."""

    def __init__(self, folder: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"):
            options.add_argument(f"--{flag}")
        for flag in ("disable-background-networking", "disable-component-update", f"user-data-dir={folder}"):
            options.add_argument(f"--{flag}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        # Both paths are given: Selenium looks for nothing, and loads nothing.
        service = webdriver.ChromeService(str(DRIVER), env={"SE_OFFLINE": "true", "HOME": str(folder)})
        self.driver = webdriver.Chrome(options=options, service=service)

    def opened(self, page: Path) -> set[str]:
        """Open a page; return the addresses that it asked for, which the browser's own pages do not count among."""
        self.driver.get_log("performance")
        self.driver.get(page.as_uri())
        events = [json.loads(each["message"])["message"] for each in self.driver.get_log("performance")]
        sent = [each["params"] for each in events if each["method"] == "Network.requestWillBeSent"]
        assert self.driver.current_url == page.as_uri()
        return {each["request"]["url"] for each in sent if not each["documentURL"].startswith("chrome:")}

    def shown(self, *, width: int, media: str) -> None:
        """Show the page at a width, as on a screen or on paper."""
        size = {"width": width, "height": 1123, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})

    def asked(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def complaints(self) -> list[str]:
        """What the console says, of the pages since the last time."""
        return [each["message"] for each in self.driver.get_log("browser")]
