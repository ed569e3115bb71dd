"""What the gateway tells of its past: the statistics, the page that shows them, and what Prometheus scrapes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stats.metrics import CONTENT_TYPE, Metrics
from stats.page import load_page
from stats.recorder import Statistics, StatisticsUnavailable
from translators.errors import WireError


class Reports:
    """One per gateway. `statistics` is None where DISABLE_DATABASE is set; `cooldowns` are those in force."""

    def __init__(
        self,
        statistics: Statistics | None,
        *,
        endpoints: Iterable[str],
        cooldowns: Callable[[], list[dict[str, Any]]],
    ) -> None:
        self._statistics = statistics
        self._cooldowns = cooldowns
        self._page = load_page()
        self._metrics = Metrics(
            endpoints=endpoints, cooldowns=cooldowns, lost_rows=lambda: statistics.lost if statistics else 0
        )

    def began(self, *, stream: bool) -> None:
        """A request is on. Each of these has its `ended`."""
        self._metrics.began(stream=stream)

    def ended(self, account: Mapping[str, Any]) -> None:
        """A request is over."""
        self._metrics.ended(stream=account["stream"])
        self.refused(account)

    def refused(self, account: Mapping[str, Any]) -> None:
        """A request is over that never was on."""
        self._metrics.observe(account)
        if self._statistics is not None:
            self._statistics.record(account)

    async def statistics(self, hours: float) -> dict[str, Any]:
        """What GET /v1/stats answers. Raises WireError: 404 without a database, 503 when it cannot be read."""
        if self._statistics is None:
            raise WireError(
                404,
                "This gateway keeps no statistics: DISABLE_DATABASE is set.",
                type="invalid_request_error",
                code="statistics_disabled",
            )
        try:
            report = await self._statistics.report(hours)
        except StatisticsUnavailable as error:
            raise WireError(503, str(error), type="server_error", code="statistics_unavailable") from None
        return report | {"cooldowns": self._cooldowns()}

    def page(self) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of GET /stats."""
        return self._page.headers, self._page.body

    def metrics(self) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of GET /metrics."""
        return {"content-type": CONTENT_TYPE}, self._metrics.render()
