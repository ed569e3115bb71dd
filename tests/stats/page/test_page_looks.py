"""The page /stats on small screens, in the dark, for those who do not see it, and with hostile names in it."""

from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browser import look
from tests.stats.page.demo_statistics import demo_statistics
from tests.stats.page.page_reading import choose, eventually, sign_in, text
from tests.stats.page.page_server import PageServer

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"


def test_names_are_text(page: Chrome, server: PageServer) -> None:
    """Markup in every string that the statistics hold is shown and does nothing."""
    hostile = replaced(demo_statistics(24), HOSTILE)
    server.statistics = lambda hours: hostile
    sign_in(page)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    page.execute_script("document.getElementById('plot-details').open = true; pointAt(5)")
    for measure in ("success", "requests"):
        choose(page, measure)
    for table in ("models", "last_errors", "timeline", "channel_success_rates", "model_request_counts"):
        assert HOSTILE in text(page, f"#{table}")
    for other in ("#ip_request_counts", "#endpoint_request_counts", "#cooldowns", "#legend", "#tooltip"):
        assert HOSTILE in text(page, other)
    assert page.find_elements(By.TAG_NAME, "img") == []
    assert page.title == "uniapi · statistics"


def replaced(value: Any, name: str) -> Any:
    """The same with every string but the times replaced."""
    if isinstance(value, dict):
        return {key: each if key in ("time", "from", "to") else replaced(each, name) for key, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, name) for each in value]
    return name if isinstance(value, str) else value


@pytest.mark.parametrize("names", ["plain", "long"])
@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_page_never_scrolls_sideways(page: Chrome, server: PageServer, width: int, names: str) -> None:
    """From a small phone to a desktop, also with names that nobody would give."""
    if names == "long":
        long = replaced(demo_statistics(24), "unbroken" * 40)
        server.statistics = lambda hours: long
    look(page, width=width, height=800)
    sign_in(page)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    assert page.execute_script("return document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(page: Chrome, dark: bool) -> None:
    """4.5 to 1 or better, in light and in dark (WCAG 2.2, success criterion 1.4.3)."""
    look(page, width=1200, height=900, dark=dark)
    sign_in(page)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    surface = luminance(page, "#board .card", "backgroundColor")
    assert (surface < 0.1) == dark
    for selector in ("h2", "td", "th", ".quiet", "dt", "#cooldowns .left", "summary"):
        ratio = sorted((luminance(page, f"#board .card {selector}", "color"), surface))
        assert (ratio[1] + 0.05) / (ratio[0] + 0.05) >= 4.5, selector


def luminance(page: Chrome, selector: str, style: str) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]].match(/\\d+/g)"
    channels = [int(channel) / 255 for channel in page.execute_script(script, selector, style)[:3]]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_everything_has_a_name_for_those_who_do_not_see(board: Chrome) -> None:
    """Chromium's own accessibility tree: no control, table or region without one."""
    nodes = board.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = ("button", "textbox", "radio", "table", "region", "group", "radiogroup")
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in named]
    assert len(found) > 20
    assert [node for node in found if not node["name"]["value"]] == []
