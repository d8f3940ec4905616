"""What a Prometheus server reads: the pool, the checks, the requests, the process, the build."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from kinetria_cli.domain.health import CheckStatus
from kinetria_cli.gateways.http.refresher import Refresher

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds; an answer reads memory alone, so that most take less than a millisecond."""

_GAUGES = {
    "pool_min": ("min", "Connections that the pool keeps open."),
    "pool_max": ("max", "Connections that the pool may have."),
    "pool_size": ("size", "Connections that the pool has, those being made included."),
    "pool_available": ("available", "Connections that are free."),
    "requests_waiting": ("requests_waiting", "Requests that wait for a connection."),
}
_COUNTERS = {
    "requests_num": ("requests", "Connections that were asked for.", 1.0),
    "requests_queued": ("requests_queued", "Requests that had to wait.", 1.0),
    "requests_wait_ms": ("requests_wait_seconds", "Seconds that requests waited.", 0.001),
    "requests_errors": ("requests_errors", "Requests that got no connection.", 1.0),
    "usage_ms": ("usage_seconds", "Seconds that connections were in use.", 0.001),
    "returns_bad": ("returns_bad", "Connections that came back broken.", 1.0),
    "connections_num": ("connections", "Connections that were attempted.", 1.0),
    "connections_ms": ("connections_seconds", "Seconds that attempts took.", 0.001),
    "connections_errors": ("connections_errors", "Attempts that failed.", 1.0),
    "connections_lost": ("connections_lost", "Connections that were found broken.", 1.0),
}
"""The names of psycopg_pool 3.3 (its `get_stats`), ours, what they count, and how many of our units one is."""


class Metrics:
    """One registry of our own.

    Args:
        refresher: Whose verdict is told.
        pool: The statistics of psycopg_pool; what it leaves out is zero.
        ready: Whether the service is ready.
        version: Of the build.
        routes: The paths that have a series of their own: what a client invents must not make new ones.
    """

    def __init__(
        self,
        refresher: Refresher,
        *,
        pool: Callable[[], Mapping[str, int]],
        ready: Callable[[], bool],
        version: str,
        routes: frozenset[str],
    ) -> None:
        self._routes = routes
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kinetria_http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._durations = Histogram(
            "kinetria_http_request_duration_seconds",
            "Seconds from a request to its answer.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        build = Gauge("kinetria_build_info", "The build that runs.", ["version"], registry=self._registry)
        build.labels(version).set(1)
        self._registry.register(_Checks(refresher, ready))
        self._registry.register(_Pool(pool))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            method: Of the request; one that nobody knows counts as `other`.
            route: Its path; one that is not ours counts as `other`.
            status: Of the answer.
            seconds: How long it took.
        """
        series = self._series.get((method, route, status)) or self._make_series(method, route, status)
        series[0].inc()
        series[1].observe(seconds)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return all series and their content type: Prometheus' text format, or OpenMetrics for whom it asks for it.

        Args:
            accept: The Accept header.
        """
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def _make_series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Kept by what is bounded alone: a client may invent methods and paths."""
        method = method if method in METHODS else OTHER
        route = route if route in self._routes else OTHER
        found = self._series.get((method, route, status))
        if found is None:
            found = self._requests.labels(method, route, str(status)), self._durations.labels(method, route)
            self._series[method, route, status] = found
        return found


class _Checks(Collector):
    def __init__(self, refresher: Refresher, ready: Callable[[], bool]) -> None:
        self._refresher = refresher
        self._ready = ready

    def collect(self) -> Iterator[Metric]:
        """Yield the last verdict; no question is asked for it."""
        refresher = self._refresher
        verdict = refresher.verdict
        status = GaugeMetricFamily(
            "kinetria_check_status", "1 for the status of the check.", labels=["check", "status"]
        )
        seconds = GaugeMetricFamily("kinetria_check_seconds", "Seconds that the check took.", labels=["check"])
        age = GaugeMetricFamily("kinetria_check_age_seconds", "Seconds since the check.", labels=["check"])
        present_age = refresher.age
        for check in verdict.checks:
            for word in CheckStatus:
                status.add_metric([check.name, word.value], float(check.status is word))
            seconds.add_metric([check.name], check.seconds)
            age.add_metric([check.name], present_age)
        yield from (status, seconds, age)
        yield GaugeMetricFamily("kinetria_healthy", "What GET /health says.", value=float(refresher.healthy))
        yield GaugeMetricFamily("kinetria_ready", "What GET /health/ready says.", value=float(self._ready()))


class _Pool(Collector):
    def __init__(self, pool: Callable[[], Mapping[str, int]]) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """Yield the pool's gauges and counters."""
        found = self._pool()
        for key, (name, text) in _GAUGES.items():
            yield GaugeMetricFamily(f"kinetria_db_pool_{name}", text, value=found.get(key, 0))
        for key, (name, text, unit) in _COUNTERS.items():
            yield CounterMetricFamily(f"kinetria_db_pool_{name}", text, value=found.get(key, 0) * unit)
