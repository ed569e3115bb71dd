"""The page /stats in a browser, before a stand-in for the gateway."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browser import chromium, complaints, look, requested_urls
from tests.stats.page.page_reading import eventually, sign_in
from tests.stats.page.page_server import PageServer

QUICK_REFRESH = "{ const wait = setTimeout; setTimeout = (what, time) => wait(what, time / 20); }"
"""Runs before the page's own scripts: what it does every 10 seconds it does every half second."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    with chromium() as started:
        started.execute_cdp_cmd("Page.enable", {})
        started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK_REFRESH})
        yield started


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer() as started:
        yield started


@pytest.fixture
def page(browser: Chrome, server: PageServer) -> Iterator[Chrome]:
    """The page as it opens. Whatever a test does there, no script may fail and no other host be asked."""
    look(browser, width=1200, height=900)
    requested_urls(browser), complaints(browser)
    browser.get(server.url)
    yield browser
    host = urlsplit(server.url).netloc
    assert {urlsplit(url).netloc for url in requested_urls(browser)} <= {host, ""}
    assert [said for said in complaints(browser) if "Failed to load resource" not in said] == []
    browser.get("about:blank")


@pytest.fixture
def board(page: Chrome) -> Chrome:
    """The page with an admin's numbers."""
    sign_in(page)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    return page
