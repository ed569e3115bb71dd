"""What tests do and see on the page /stats."""

from collections.abc import Callable

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.stats.page.page_server import ADMIN_KEY


def sign_in(page: Chrome, key: str = ADMIN_KEY) -> None:
    page.find_element(By.ID, "key").send_keys(key, Keys.ENTER)


def eventually(page: Chrome, happens: Callable[[], object]) -> None:
    """Wait for it. What the page draws anew while it is being read is read again."""
    waiting = WebDriverWait(page, 10, poll_frequency=0.05, ignored_exceptions=[StaleElementReferenceException])
    waiting.until(lambda _: happens())


def text(page: Chrome, selector: str) -> str:
    """What the page has there, shown or not."""
    return str(page.find_element(By.CSS_SELECTOR, selector).get_property("textContent"))


def rows(page: Chrome, table: str) -> list[list[str]]:
    """A table's cells as they are read."""
    return page.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(row => "
        "[...row.cells].map(cell => cell.textContent))",
        table,
    )


def numbers(page: Chrome, table: str, field: str) -> list[float | None]:
    """A table's raw numbers, from top to bottom."""
    values = page.execute_script(
        "return [...document.querySelectorAll(`#${arguments[0]} [data-field=${arguments[1]}]`)].map(cell => "
        "cell.dataset.value)",
        table,
        field,
    )
    return [float(value) if value else None for value in values]


def choose(page: Chrome, value: str) -> None:
    page.execute_script("arguments[0].click()", page.find_element(By.CSS_SELECTOR, f"input[value='{value}']"))
