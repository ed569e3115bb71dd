"""GET /v1/stats for admins, the page /stats that shows it, and /metrics for Prometheus."""

import ipaddress

from balancing.admission import check_admin, wrong_key
from balancing.endpoints.endpoint import Endpoint, Question
from balancing.gateway import Gateway
from balancing.replies import Reply, json_reply
from translators.errors import RequestError

USUAL_HOURS = 24
MOST_HOURS = 720


async def statistics(gateway: Gateway, question: Question) -> Reply:
    """Raises WireError: 403, 400 for a wrong number of hours, 404 and 503 where there are none."""
    check_admin(question.asker)
    return json_reply(await gateway.reports.statistics(hours_in(question.query.get("hours", str(USUAL_HOURS)))))


def hours_in(text: str) -> int:
    hours = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= hours <= MOST_HOURS:
        raise RequestError(f"`hours` must be a whole number from 1 to {MOST_HOURS}.", param="hours")
    return hours


async def page(gateway: Gateway, question: Question) -> Reply:
    """The page has nothing in it that anybody may not know; it asks for the key that opens the rest."""
    headers, body = gateway.reports.page()
    return Reply(200, headers, body)


async def metrics(gateway: Gateway, question: Question) -> Reply:
    """For admins, and for this machine, but not for whatever website a browser there shows. Raises WireError: 401,
    403."""
    is_here = ipaddress.ip_address(question.ip.partition("%")[0]).is_loopback
    if question.is_of_website or not is_here:
        if question.client is None:
            raise wrong_key(missing=True)
        check_admin(question.client)
    headers, body = gateway.reports.metrics()
    return Reply(200, headers, body)


STATISTICS = Endpoint("GET", "/v1/stats", statistics)
STATISTICS_PAGE = Endpoint("GET", "/stats", page, is_public=True)
METRICS = Endpoint("GET", "/metrics", metrics, is_public=True)
