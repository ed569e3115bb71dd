"""mitmweb with the gateway in it, and what a person does on its page.

mitmweb = Mitmweb(start, config)
page = MitmwebPage(browser, mitmweb)     # after something was asked of mitmweb.gateway
page.open_flow()
page.choose_side("Response")
page.choose_view("Attempts")
page.wait_for_text("served")
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import text_to_be_present_in_element
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.gateway_process import MITMDUMP, GatewayProcess
from tests.e2e.upstream import dead_url

MITMWEB = MITMDUMP.with_name("mitmweb")
PASSWORD = "umbrella"
XSRF_TOKEN = "c0ffee"
"""In hexadecimal; the header has to say what the cookie says (Tornado, "Cross-site request forgery protection")."""
ROW = "tr.has-response"
PANE = ".flow-detail"


class Mitmweb:
    """A running mitmweb: the gateway's port is `gateway.port`, the page's is in `url`."""

    def __init__(self, start: Callable[..., GatewayProcess], config: dict[str, Any], *options: str) -> None:
        self.url = f"http://127.0.0.1:{urlsplit(dead_url()).port}"
        self.gateway = start(
            config,
            "--no-web-open-browser",
            *("--set", f"web_port={urlsplit(self.url).port}", "--set", f"web_password={PASSWORD}"),
            *options,
            program=MITMWEB,
        )
        self.gateway.wait_for_log("Web server listening")
        self._client = httpx2.Client(base_url=self.url, headers={"authorization": f"Bearer {PASSWORD}"}, timeout=20)

    def get(self, path: str) -> httpx2.Response:
        """What the page itself asks mitmweb for."""
        answer = self._client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer

    def command(self, name: str, *arguments: str) -> Any:
        """The value of a command of mitmproxy's, which the page's menus give."""
        headers = {"x-xsrftoken": XSRF_TOKEN, "cookie": f"_mitmproxy_xsrf={XSRF_TOKEN}"}
        answer = self._client.post(f"/commands/{name}", json={"arguments": arguments}, headers=headers).json()
        assert "error" not in answer, answer
        return answer["value"]


class MitmwebPage:
    """The page in a browser, with one flow in its list."""

    def __init__(self, browser: Chrome, mitmweb: Mitmweb) -> None:
        self.browser = browser
        self.mitmweb = mitmweb
        browser.get(f"{mitmweb.url}/?token={PASSWORD}")
        self._waited_for(By.CSS_SELECTOR, ROW)

    def cell(self, column: str) -> str:
        """What the list says of the flow."""
        return self.browser.find_element(By.CSS_SELECTOR, f"{ROW} {column}").text

    def open_flow(self) -> None:
        self.browser.find_element(By.CSS_SELECTOR, ROW).click()
        self._waited_for(By.CSS_SELECTOR, PANE)

    def choose_side(self, side: str) -> None:
        """Request, Response, Connection, Timing or Comment."""
        self.pane.find_element(By.LINK_TEXT, side).click()

    def choose_view(self, name: str) -> None:
        """By its name in the menu, where mitmweb writes all of them small."""
        self.pane.find_element(By.PARTIAL_LINK_TEXT, "View:").click()
        self._waited_for(By.LINK_TEXT, name.lower()).click()

    @property
    def pane(self) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, PANE)

    @property
    def view(self) -> tuple[str, str]:
        """The view's title, and what is chosen in its menu."""
        chosen = self.pane.find_element(By.PARTIAL_LINK_TEXT, "View:").text
        return self.pane.find_element(By.TAG_NAME, "h5").text, chosen.partition("View: ")[2]

    def wait_for_text(self, *texts: str) -> None:
        """Until the flow's pane shows all of them."""
        for text in texts:
            shown = text_to_be_present_in_element((By.CSS_SELECTOR, PANE), text)
            WebDriverWait(self.browser, 10).until(shown, f"The page does not show {text!r}.")

    def copy(self, item: str) -> str:
        """What the clipboard holds after a choice from the menu Export."""
        rights = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": self.mitmweb.url}
        self.browser.execute_cdp_cmd("Browser.grantPermissions", rights)
        self.browser.execute_async_script("navigator.clipboard.writeText('').then(arguments[0])")
        self._waited_for(By.PARTIAL_LINK_TEXT, "Export").click()
        self._waited_for(By.LINK_TEXT, item).click()
        read = "navigator.clipboard.readText().then(arguments[0])"
        copied: str = WebDriverWait(self.browser, 10).until(lambda browser: browser.execute_async_script(read))
        return copied

    @property
    def source(self) -> str:
        """The whole document as it is now."""
        text: str = self.browser.execute_script("return document.documentElement.outerHTML")
        return text

    def _waited_for(self, by: str, value: str) -> WebElement:
        return WebDriverWait(self.browser, 10).until(lambda browser: browser.find_element(by, value))
