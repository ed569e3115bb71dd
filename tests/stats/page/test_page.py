"""The page /stats, as people and browsers see it."""

import json
import time

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from stats.page import load_page
from tests.stats.page.demo_statistics import demo_statistics
from tests.stats.page.page_reading import choose, eventually, numbers, rows, sign_in, text
from tests.stats.page.page_server import ADMIN_KEY, USER_KEY, PageServer


def stored(page: Chrome) -> str:
    """Everything that the page has left in the browser."""
    return page.execute_script(
        "return JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, location.href])"
    )


def test_page_asks_for_a_key_first(page: Chrome, server: PageServer) -> None:
    """A form with a field for a password; nothing is asked of the gateway without a key."""
    field = page.find_element(By.ID, "key")
    assert field.is_displayed()
    assert (field.get_attribute("type"), field.get_attribute("autocomplete")) == ("password", "off")
    assert not page.find_element(By.ID, "board").is_displayed()
    assert server.stats_requests() == []


def test_key_is_sent_as_a_header_and_kept_for_the_tab_only(board: Chrome, server: PageServer) -> None:
    """In no address, cookie or lasting store; a reload does not ask for it again."""
    assert server.stats_requests()[0] == ("/v1/stats?hours=24", f"Bearer {ADMIN_KEY}")
    session, lasting, cookie, address = json.loads(stored(board))
    assert list(session.values()) == [ADMIN_KEY]
    assert (lasting, cookie, address) == ({}, "", server.url)
    board.refresh()
    eventually(board, lambda: board.find_element(By.ID, "board").is_displayed())
    assert not [path for path, _ in server.requests if ADMIN_KEY in path]


@pytest.mark.parametrize("prefix", ["", "/gateway", "/a/b"])
@pytest.mark.parametrize("end", ["", "/", "//", "/?a=b/#c/"])
def test_numbers_are_asked_for_where_the_page_is(page: Chrome, server: PageServer, prefix: str, end: str) -> None:
    """Below a prefix too, and whatever stands behind the address."""
    page.get(server.url.removesuffix("/stats") + f"{prefix}/stats{end}")
    sign_in(page)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    assert {path for path, _ in server.stats_requests()} == {f"{prefix}/v1/stats?hours=24"}


@pytest.mark.parametrize(
    ("key", "says"), [("sk-wrong", "does not know this key"), (USER_KEY, "not an admin's"), ("schlüssel", "ASCII")]
)
def test_key_that_is_refused_is_told_of_and_asked_for_again(page: Chrome, key: str, says: str) -> None:
    """A wrong key, one that is not an admin's, one that cannot be a header."""
    sign_in(page, key)
    eventually(page, lambda: says in text(page, "#problem"))
    assert page.find_element(By.ID, "problem").is_displayed()
    assert page.switch_to.active_element == page.find_element(By.ID, "key")
    assert key not in stored(page)
    sign_in(page)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    assert not page.find_element(By.ID, "problem").is_displayed()


def test_key_can_be_forgotten(board: Chrome, server: PageServer) -> None:
    """Nothing of it stays, and nothing more is asked."""
    board.find_element(By.ID, "forget").click()
    assert board.find_element(By.ID, "key").is_displayed()
    assert not board.find_element(By.ID, "board").is_displayed()
    assert ADMIN_KEY not in stored(board)
    asked = len(server.stats_requests())
    time.sleep(1)
    assert len(server.stats_requests()) == asked


def test_key_that_is_no_admins_any_longer_shows_nothing_more(board: Chrome, server: PageServer) -> None:
    """The next refresh finds out."""
    server.error = (403, b'{"error": {"message": "no"}}')
    eventually(board, lambda: "not an admin's" in text(board, "#problem"))
    assert not board.find_element(By.ID, "board").is_displayed()
    assert ADMIN_KEY not in stored(board)


def test_totals_equal_the_answer(board: Chrome) -> None:
    """Each of them to the last digit, with commas between thousands."""
    totals = demo_statistics(24)["totals"]
    for name, number in totals.items():
        assert text(board, f"[data-total={name}]") == f"{number:,}", name
    assert text(board, "[data-total=success_rate]") == "98.8 %"
    assert int(totals["succeeded"] / totals["requests"] * 1000) == 988


def test_models_equal_the_answer(board: Chrome) -> None:
    """One row for a provider and model, with what three lists of the answer say of it."""
    answer = demo_statistics(24)
    names = [f"{each['provider']} / {each['model']}" for each in answer["channel_model_success_rates"]]
    assert [row[0] for row in rows(board, "models")] == names
    for name in ("channel_model_success_rates", "latencies", "tokens"):
        by_name = {(each["provider"], each["model"]): each for each in answer[name]}
        order = [by_name[each["provider"], each["model"]] for each in answer["channel_model_success_rates"]]
        for field in order[0].keys() - {"provider", "model"}:
            assert numbers(board, "models", field) == [each[field] for each in order]
    first = rows(board, "models")[0]
    assert first[3:5] == ["820 ms", "1.89 s"]


@pytest.mark.parametrize(
    ("name", "subject", "fields"),
    [
        ("channel_success_rates", "provider", ("total_requests", "success_rate")),
        ("model_request_counts", "model", ("count",)),
        ("endpoint_request_counts", "endpoint", ("count",)),
        ("ip_request_counts", "ip", ("count",)),
    ],
)
def test_counts_equal_the_answer(board: Chrome, name: str, subject: str, fields: tuple[str, ...]) -> None:
    """Each list in its order."""
    answer = demo_statistics(24)[name]
    assert [row[0] for row in rows(board, name)] == [each[subject] for each in answer]
    for field in fields:
        assert numbers(board, name, field) == [each[field] for each in answer]


def test_errors_and_cooldowns_are_listed(board: Chrome) -> None:
    """Every error with its status, or none; every cooldown with why and how long."""
    answer = demo_statistics(24)
    shown = rows(board, "last_errors")
    assert [row[2] for row in shown] == [error["error"] for error in answer["last_errors"]]
    assert [row[3] for row in shown] == [str(error["status"] or "–") for error in answer["last_errors"]]
    cooldowns = [entry.text for entry in board.find_elements(By.CSS_SELECTOR, "#cooldowns li")]
    assert len(cooldowns) == len(answer["cooldowns"])
    for shown_as, cooldown in zip(cooldowns, answer["cooldowns"], strict=True):
        assert cooldown["what"] in shown_as
        assert cooldown["why"] in shown_as


def test_cooldowns_count_down_to_their_end(board: Chrome, server: PageServer) -> None:
    """Between two answers the page counts on its own."""
    cooldown = {"what": "it", "provider": "one", "model": "", "key": "", "region": "", "why": "timeout"}
    server.statistics = lambda hours: (
        demo_statistics(hours) | {"cooldowns": [cooldown | {"seconds_left": 3725.0}, cooldown | {"seconds_left": 1.5}]}
    )
    eventually(board, lambda: text(board, "#cooldowns .left").startswith("1:02:0"))
    server.stop()
    eventually(board, lambda: board.find_elements(By.CSS_SELECTOR, "#cooldowns .left")[1].text == "over")
    hours, minutes, seconds = (int(part) for part in text(board, "#cooldowns .left").split(":"))
    assert 3600 < hours * 3600 + minutes * 60 + seconds <= 3724


@pytest.mark.parametrize("measure", ["requests", "success", "first", "total", "tokens"])
def test_plot_shows_the_numbers_of_the_timeline(board: Chrome, measure: str) -> None:
    """Under the pointer and in the table, for one bucket and provider; a curve or column for each."""
    answer = demo_statistics(24)
    point = next(each for each in answer["timeline"] if each["provider"] == "openrouter")
    begin = answer["timeline"][0]["time"]
    index = sum(
        1 for moment in sorted({each["time"] for each in answer["timeline"]}) if begin <= moment < point["time"]
    )
    shown = {
        "requests": f"{point['requests']:,}",
        "success": f"{int(point['succeeded'] / point['requests'] * 1000) / 10:.1f} %",
        "first": f"{point['first_output_p50_ms'] / 1000:.2f} s",
        "total": f"{point['total_p95_ms'] / 1000:.2f} s",
        "tokens": f"{point['tokens']:,}",
    }[measure]
    choose(board, measure)
    board.execute_script("document.getElementById('plot-details').open = true")
    eventually(board, lambda: rows(board, "timeline"))
    titles = [title.text for title in board.find_elements(By.CSS_SELECTOR, "#timeline th")]
    assert rows(board, "timeline")[index][titles.index("openrouter / deepseek/deepseek-r1")] == shown
    plot = board.find_element(By.ID, "plot")
    plot.send_keys(Keys.HOME, *[Keys.ARROW_RIGHT] * index)
    assert shown in text(board, "#tooltip")
    drawn = board.find_elements(By.CSS_SELECTOR, "#plot path")
    assert len(drawn) == len(titles) - 1
    assert [path for path in drawn[:6] if not path.get_attribute("d")] == []


def test_pointer_tells_what_it_is_at(board: Chrome) -> None:
    """The bucket under it; none beside the plot."""
    box = board.find_element(By.ID, "plot").rect
    board.execute_script("document.getElementById('plot').scrollIntoView()")
    top = board.execute_script("return document.getElementById('plot').getBoundingClientRect().top")
    for right, is_told in ((10, True), (box["width"] - 10, False)):
        where = {"type": "mouseMoved", "x": box["x"] + box["width"] - right, "y": top + 100}
        board.execute_cdp_cmd("Input.dispatchMouseEvent", where)
        assert board.find_element(By.ID, "tooltip").is_displayed() == is_told
        if is_told:
            assert text(board, "#tooltip").startswith("12 Mar, 16:00")


def test_legend_hides_and_shows(board: Chrome) -> None:
    """One series less in the plot, and again; the button says which it is, and keeps it over a refresh."""
    columns = len(board.find_elements(By.CSS_SELECTOR, "#plot path"))
    button = board.find_element(By.CSS_SELECTOR, "#legend button")
    button.click()
    assert len(board.find_elements(By.CSS_SELECTOR, "#plot path")) == columns - 1
    assert button.get_attribute("aria-pressed") == "false"
    time.sleep(1)
    assert button.get_attribute("aria-pressed") == "false"
    assert len(board.find_elements(By.CSS_SELECTOR, "#plot path")) == columns - 1
    button.click()
    assert len(board.find_elements(By.CSS_SELECTOR, "#plot path")) == columns


@pytest.mark.parametrize("hours", [1, 168, 720])
def test_range_can_be_chosen(board: Chrome, server: PageServer, hours: int) -> None:
    """The gateway is asked for it at once, and its numbers are shown."""
    choose(board, str(hours))
    expected = demo_statistics(hours)["totals"]["requests"]
    eventually(board, lambda: text(board, "[data-total=requests]") == f"{expected:,}")
    assert server.stats_requests()[-1][0] == f"/v1/stats?hours={hours}"
    assert board.find_elements(By.CSS_SELECTOR, "#plot path")


def test_numbers_follow_the_gateway(board: Chrome, server: PageServer) -> None:
    """Nobody has to reload the page."""
    changed = demo_statistics(24)
    changed["totals"]["requests"] = 123456789
    changed["lost_rows"] = 12
    server.statistics = lambda hours: changed
    eventually(board, lambda: text(board, "[data-total=requests]") == "123,456,789")
    assert board.find_element(By.ID, "lost").text.startswith("12 rows could not be written")


def test_hidden_tab_asks_nothing(board: Chrome, server: PageServer) -> None:
    """And asks at once when it is looked at again."""
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    board.execute_script(hide % "true" + tell)
    asked = len(server.stats_requests())
    time.sleep(1.5)
    assert len(server.stats_requests()) == asked
    board.execute_script(hide % "false" + tell)
    eventually(board, lambda: len(server.stats_requests()) > asked)


def test_gateway_that_goes_and_comes_back(board: Chrome, server: PageServer) -> None:
    """The page says so, keeps the numbers it has, and goes on by itself."""
    requests = text(board, "[data-total=requests]")
    server.stop()
    eventually(board, lambda: "does not answer" in text(board, "#problem"))
    assert text(board, "#freshness").startswith("Not live: numbers of ")
    assert text(board, "[data-total=requests]") == requests
    server.start()
    eventually(board, lambda: text(board, "#freshness").startswith("Live"))
    assert not board.find_element(By.ID, "problem").is_displayed()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error": {"message": "Statistics are switched off."}}', "503: Statistics are switched off."),
        (b"<html>not ours", "503: Service Unavailable"),
    ],
)
def test_error_of_the_gateway_is_told_in_its_words(page: Chrome, server: PageServer, body: bytes, says: str) -> None:
    """Also when there were no numbers before; the key is not at fault and is kept."""
    server.error = (503, body)
    sign_in(page)
    eventually(page, lambda: says in text(page, "#problem"))
    server.error = None
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())


def test_empty_statistics_are_said_to_be_empty(page: Chrome, server: PageServer) -> None:
    """A gateway that has just begun."""
    full = demo_statistics(24)
    empty = {name: [] if isinstance(value, list) else value for name, value in full.items()}
    empty["totals"] = dict.fromkeys(full["totals"], 0)
    server.statistics = lambda hours: empty
    sign_in(page)
    eventually(page, lambda: page.find_element(By.ID, "board").is_displayed())
    assert text(page, "[data-total=requests]") == "0"
    assert text(page, "[data-total=success_rate]") == "–"
    assert "Nothing to show" in text(page, "#plot")
    assert rows(page, "models") == [["No requests in this range."]]
    assert text(page, "#cooldowns") == "None."


def test_page_below_a_prefix_asks_below_it(browser: Chrome, server: PageServer) -> None:
    """A reverse proxy may serve the gateway at /llm/."""
    browser.get(server.url.replace("/stats", "/llm/stats"))
    sign_in(browser)
    eventually(browser, lambda: server.stats_requests())
    assert server.stats_requests()[0][0] == "/llm/v1/stats?hours=24"


def test_page_is_one_document_under_a_strict_policy() -> None:
    """Styles and scripts are in it, allowed by their hashes; nothing may be loaded and no form sent."""
    page = load_page()
    document = page.body.decode()
    assert not [word for word in ("<script src", '<link rel="stylesheet', "@import", "url(") if word in document]
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "form-action 'none'" in policy
