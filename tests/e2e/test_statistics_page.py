"""The page /stats of a real gateway, in a browser, after requests to the demo's providers."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import openai
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browser import chromium, complaints, look, requested_urls
from tests.e2e.conftest import gateways
from tests.e2e.gateway_process import ROOT, GatewayProcess
from tests.stats.page.page_reading import eventually, numbers, rows, sign_in, text

ADMIN_KEY = "sk-demo-admin"
USER_KEY = "sk-demo"


def make_traffic(gateway: GatewayProcess) -> None:
    """Whole and streamed chats by several engines, other endpoints, a model that nobody has."""
    with openai.OpenAI(base_url=gateway.base_url, api_key=USER_KEY, max_retries=0) as client:
        for model, times in (("gpt-demo", 4), ("claude-demo", 3), ("gemini-demo", 2)):
            for number in range(times):
                asked = client.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": "Count to 3"}], stream=number % 2 == 1
                )
                assert list(asked) if isinstance(asked, openai.Stream) else asked.choices
        client.embeddings.create(model="embedding-demo", input="a b c")
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="nobody-has-it", messages=[{"role": "user", "content": "x"}])


def statistics(gateway: GatewayProcess) -> dict:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    return httpx2.get(f"{gateway.base_url}/stats?hours=24", headers=headers, timeout=30).json()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[GatewayProcess]:
    with gateways(tmp_path_factory.mktemp("page"), confdir) as start:
        gateway = start(None, demo=True)
        make_traffic(gateway)
        deadline = time.monotonic() + 20
        while statistics(gateway)["totals"]["requests"] < 11:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield gateway


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Chrome, gateway: GatewayProcess) -> Iterator[Chrome]:
    """As it opens. Whatever happens, no other host is asked, and nothing in it fails."""
    look(browser, width=1200, height=900)
    requested_urls(browser), complaints(browser)
    browser.get(f"{gateway.url}/stats")
    yield browser
    asked = requested_urls(browser)
    assert f"{gateway.url}/stats" in asked
    assert {urlsplit(url).netloc for url in asked} <= {urlsplit(gateway.url).netloc, ""}
    assert not [url for url in asked if "sk-" in url]
    assert [said for said in complaints(browser) if "Failed to load resource" not in said] == []
    browser.execute_script("sessionStorage.clear()")  # The next test opens the same page in the same tab.
    browser.get("about:blank")


def test_the_page_shows_what_the_statistics_say(page, gateway):
    """Totals, and each number of each table; requests that nobody served have a row of their own."""
    sign_in(page, ADMIN_KEY)
    eventually(page, lambda: text(page, "[data-total=requests]") == "11")
    report = statistics(gateway)
    for name, number in report["totals"].items():
        assert text(page, f"[data-total={name}]") == f"{number:,}", name
    served = [(each["provider"], each["model"]) for each in report["channel_model_success_rates"]]
    assert len(served) == 4
    assert [row[0] for row in rows(page, "models")] == [*(" / ".join(names) for names in served), "nobody"]
    for name in ("channel_model_success_rates", "latencies", "tokens"):
        by_server = {(each["provider"], each["model"]): each for each in report[name]}
        for field in report[name][0].keys() - {"provider", "model"}:
            expected = [by_server.get(server, {}).get(field) for server in (*served, (None, None))]
            assert numbers(page, "models", field) == expected, field
    asked = {each["model"]: each["count"] for each in report["model_request_counts"]}
    assert asked == {"gpt-demo": 4, "claude-demo": 3, "gemini-demo": 2, "embedding-demo": 1}
    for subject in ("model", "endpoint", "ip"):
        table = f"{subject}_request_counts"
        assert [row[0] for row in rows(page, table)] == [each[subject] for each in report[table]]
        assert numbers(page, table, "count") == [each["count"] for each in report[table]]
    assert page.find_elements(By.CSS_SELECTOR, "#plot path")


@pytest.mark.parametrize(("key", "says"), [("sk-wrong", "does not know this key"), (USER_KEY, "not an admin's")])
def test_a_wrong_key_is_told_of(page, key, says):
    """In words, and it is asked for again; no number is shown."""
    sign_in(page, key)
    eventually(page, lambda: says in text(page, "#problem"))
    assert page.find_element(By.ID, "problem").is_displayed()
    assert page.find_element(By.ID, "key").is_displayed()
    assert not page.find_element(By.ID, "board").is_displayed()


def test_a_slash_at_the_end_of_the_address_does_no_harm(page, gateway):
    """The gateway answers there, too."""
    page.get(f"{gateway.url}/stats/")
    sign_in(page, ADMIN_KEY)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())


def test_new_requests_appear_by_themselves(page, gateway):
    """Nobody has to reload the page."""
    sign_in(page, ADMIN_KEY)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    before = statistics(gateway)["totals"]["requests"]
    make_traffic(gateway)
    deadline = time.monotonic() + 40
    while text(page, "[data-total=requests]") != str(before + 11):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_picture_in_the_readme_is_there():
    """A PNG, and the README shows it."""
    picture = ROOT / "docs" / "images" / "stats.png"
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert "(docs/images/stats.png)" in (ROOT / "README.md").read_text()
