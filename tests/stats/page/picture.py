"""Takes the picture of /stats for the README, with made-up numbers:

python -m tests.stats.page.picture docs/images/stats.png
"""

import sys
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser import chromium, look
from tests.stats.page.page_server import ADMIN_KEY, PageServer


def take_picture(file: Path, *, width: int = 1200, height: int = 1140, dark: bool = False) -> None:
    """A PNG of the page's upper part, in CSS pixels."""
    with PageServer() as server, chromium() as browser:
        look(browser, width=width, height=height, dark=dark)
        browser.get(server.url)
        browser.find_element(By.ID, "key").send_keys(ADMIN_KEY, Keys.ENTER)
        WebDriverWait(browser, 10).until(lambda _: browser.find_element(By.ID, "board").is_displayed())
        file.parent.mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(file))


if __name__ == "__main__":
    take_picture(Path(sys.argv[1]))
