"""The port `HttpProbe` over the standard library's client: a GET of one small document needs no more."""

import json
from urllib.parse import urlsplit

from kinetria_cli.domain.stack import HttpAnswer

MAX_BODY = 64 * 1024


class HttpClientProbe:
    """See `HttpProbe`."""

    def get(self, url: str, *, timeout: float) -> HttpAnswer | None:
        """See `HttpProbe.get`."""
        import http.client  # 10 ms, and most commands ask nobody

        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            connection.request("GET", parts.path)
            response = connection.getresponse()
            body = response.read(MAX_BODY)
        except (OSError, http.client.HTTPException):
            return None  # nothing there, or nothing that speaks HTTP: the caller's question is answered
        finally:
            connection.close()
        return HttpAnswer(response.status, *_fields(body))


def _fields(body: bytes) -> tuple[str | None, str | None, str | None]:
    try:
        document = json.loads(body)
    except ValueError:
        return None, None, None
    if not isinstance(document, dict):
        return None, None, None
    values = [document.get(name) for name in ("status", "service", "version")]
    status, service, version = (value if isinstance(value, str) else None for value in values)
    return status, service, version
