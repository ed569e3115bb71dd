"""A headless Chromium, for tests that see a page as people do.

Debian's packages `chromium` and `chromium-driver` are needed. Without them these tests are skipped and say so; with
CI=true they fail instead. The browser reaches nothing but this machine.

    @pytest.fixture(scope="module")
    def browser() -> Iterator[Chrome]:
        with chromium() as started:
            yield started

    def test_page_has_a_title(browser: Chrome) -> None:
        browser.get("http://127.0.0.1:8080/")
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

MISSING = "no browser here: install Debian's packages chromium and chromium-driver to run this test"
REQUIRED = os.environ.get("CI") == "true"

ARGUMENTS = (
    "--headless=new",
    "--disable-dev-shm-usage",  # containers have a small /dev/shm
    "--disable-background-networking",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--hide-scrollbars",
    "--lang=en-GB",
)


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser of its own, without a history and in UTC; it ends with the context. What it requests is recorded."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        if REQUIRED:
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    options = ChromeOptions()
    options.binary_location = program
    for argument in ARGUMENTS:
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's sandbox refuses to be run by root
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    browser = Chrome(options=options, service=ChromeService(driver, env={**os.environ, "TZ": "UTC"}))
    try:
        yield browser
    finally:
        browser.quit()


def look(browser: Chrome, *, width: int, height: int, dark: bool = False) -> None:
    """Give the page a size in CSS pixels, and a person who prefers light or dark colours.

    Up to 500 pixels of width it is a phone: Chromium makes no window narrower than that.
    """
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width <= 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def requested_urls(browser: Chrome) -> list[str]:
    """What the pages have asked for since the last call, also what was refused or not found."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]


def complaints(browser: Chrome) -> list[str]:
    """What the browser's console has had to say since the last call: script errors, what a policy refused."""
    return [entry["message"] for entry in browser.get_log("browser")]
