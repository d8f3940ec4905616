"""What each endpoint says, from what the refresher knows already."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kinetria_cli.domain.health import Check
from kinetria_cli.domain.readiness import STALE, STOPPING
from kinetria_cli.gateways.http.answers import NO_STORE, Prepared, answer
from kinetria_cli.gateways.http.metrics import Metrics
from kinetria_cli.gateways.http.refresher import Refresher

HEALTHY = "healthy"
UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the service may be sent requests now.

    Args:
        refresher: Whose verdict counts.
        stopping: Whether the service was told to end.
    """

    refresher: Refresher
    stopping: Callable[[], bool]

    def failing(self) -> tuple[str, ...]:
        """Return the words for what keeps it from being ready; of a verdict that is too old only that."""
        found = (STALE,) if self.refresher.stale else self.refresher.verdict.failing
        return (*found, STOPPING) if self.stopping() else found

    def warnings(self) -> tuple[str, ...]:
        """Return the words for what is worth a look."""
        return () if self.refresher.stale else self.refresher.verdict.warnings

    def ready(self) -> bool:
        """Return whether nothing fails."""
        return not self.failing()


class Health:
    """GET /health, an ASGI application: asked most often, so that both answers are encoded beforehand."""

    def __init__(self, refresher: Refresher, *, service: str, version: str) -> None:
        self._refresher = refresher
        about = {"service": service, "version": version}
        self._healthy = Prepared({"status": HEALTHY, **about})
        self._unhealthy = Prepared({"status": UNHEALTHY, **about}, 503)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the last verdict."""
        await (self._healthy if self._refresher.healthy else self._unhealthy)(scope, receive, send)


def live() -> Prepared:
    """GET /health/live: that it is answered is the answer."""
    return Prepared({"status": HEALTHY})


class Ready:
    """GET /health/ready, an ASGI application: coarse words for everybody."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the words for what fails and what is worth a look."""
        failing = self._readiness.failing()
        document = {
            "status": UNHEALTHY if failing else HEALTHY,
            "failing": failing,
            "warnings": self._readiness.warnings(),
        }
        await answer(document, 503 if failing else 200)(scope, receive, send)


class Detail:
    """GET /health/detail, an ASGI application: every check with its reason, for whom the token lets in."""

    def __init__(self, readiness: Readiness, *, service: str, version: str) -> None:
        self._readiness = readiness
        self._about = {"service": service, "version": version}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with everything that the last verdict says."""
        refresher = self._readiness.refresher
        failing = self._readiness.failing()
        document = {
            "status": UNHEALTHY if failing else HEALTHY,
            **self._about,
            "failing": failing,
            "warnings": self._readiness.warnings(),
            "age_seconds": round(refresher.age, 3),
            "checks": [_shown(check) for check in refresher.verdict.checks],
        }
        await answer(document, 503 if failing else 200)(scope, receive, send)


def _shown(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "status": check.status.value,
        "seconds": check.seconds,
        "detail": check.detail,
        "hint": check.hint,
    }


class Scrape:
    """GET /metrics, an ASGI application, in the format that the scraper asks for."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with all series."""
        body, content_type = self._metrics.render(Request(scope).headers.get("accept", ""))
        response = Response(body, headers={**NO_STORE, "Content-Type": content_type})
        await response(scope, receive, send)
