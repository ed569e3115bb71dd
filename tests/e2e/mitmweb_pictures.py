"""Takes the pictures of the views in mitmweb for the README:

python -m tests.e2e.mitmweb_pictures docs/images

The flow's marker is a coloured circle, which needs a font that has one (Debian's fonts-noto-color-emoji).
"""

import base64
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

from tests.browser import chromium, look
from tests.e2e.conftest import gateways
from tests.e2e.mitmweb_page import Mitmweb, MitmwebPage
from tests.e2e.test_mitmweb import SHOWN
from tests.e2e.umbrella_story import ask, story_config
from tests.e2e.upstream import Upstream

WIDTH, HEIGHT, LIST_WIDTH = 1180, 925, 460
"""The window and the list of flows in it, in CSS pixels: beside the list is room for a whole line of the views."""
MOST_HEIGHT = 680
SCALE = 1.5
"""Pixels of the picture to a CSS pixel."""
WHOLE_WINDOW = "chat"
PICTURES = {
    WHOLE_WINDOW: ("Request", "Chat"),
    "chat-answer": ("Response", "Chat"),
    "client-side": ("Request", "Client side"),
    "provider-side": ("Response", "Provider side"),
    "attempts": ("Response", "Attempts"),
    "translation": ("Request", "Translation"),
}
"""Names of files → side and view. One is of the whole window, the others of the flow's pane."""


def take_pictures(directory: Path) -> None:
    """A PNG of each view."""
    directory.mkdir(parents=True, exist_ok=True)
    upstream = Upstream()
    with TemporaryDirectory() as scratch, gateways(Path(scratch), Path(scratch, "ca")) as start, chromium() as browser:
        mitmweb = Mitmweb(start, story_config(upstream))
        ask(mitmweb.gateway.base_url)
        look(browser, width=WIDTH, height=HEIGHT)
        page = MitmwebPage(browser, mitmweb)
        page.open_flow()
        splitter = browser.find_element(By.CSS_SELECTOR, ".splitter")
        ActionChains(browser).drag_and_drop_by_offset(splitter, LIST_WIDTH - splitter.rect["x"], 0).perform()
        for name, (side, view) in PICTURES.items():
            page.choose_side(side)
            page.choose_view(view)
            page.wait_for_text(*SHOWN[side, view])
            picture = whole_window(page) if name == WHOLE_WINDOW else pane(page)
            (directory / f"{name}.png").write_bytes(picture)
    upstream.close()


def whole_window(page: MitmwebPage) -> bytes:
    return cut_out(page, {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})


def pane(page: MitmwebPage) -> bytes:
    """The flow's side of the window, down to the end of the view or to where a picture gets too long."""
    rect, view = page.pane.rect, page.pane.find_element(By.TAG_NAME, "pre").rect
    bottom = min(view["y"] + view["height"] + 10, rect["y"] + MOST_HEIGHT)
    return cut_out(page, {**rect, "height": bottom - rect["y"]})


def cut_out(page: MitmwebPage, clip: dict[str, float]) -> bytes:
    asked = {"format": "png", "clip": {**clip, "scale": SCALE}}
    return base64.b64decode(page.browser.execute_cdp_cmd("Page.captureScreenshot", asked)["data"])


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]))
