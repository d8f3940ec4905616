"""Log lines of the service: one JSON object a line on stderr."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

from kinetria_cli.domain.service import AccessLog

LOGGER = "kinetria"
ACCESS_LOGGER = "kinetria.access"
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered, for every line that is logged meanwhile."""

ACCESS_LEVELS = {AccessLog.OFF: logging.CRITICAL, AccessLog.ERRORS: logging.WARNING, AccessLog.ALL: logging.INFO}
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class JsonFormatter(logging.Formatter):
    """Time (UTC), level, message, request id, and whatever was given as `extra`.

    Exceptions are named with their place in the code, not printed: their text can hold a value or an address.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        request_id = REQUEST_ID.get()
        if request_id is not None:
            document["request_id"] = request_id
        document |= {
            name: value for name, value in vars(record).items() if name not in _STANDARD and name != "color_message"
        }
        if record.exc_info and record.exc_info[0]:
            document["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            if frames:
                document["at"] = f"{frames[-1].name}:{frames[-1].lineno}"
        return json.dumps(document, default=str)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether our own log does not say it already: `Requests` names the exception that uvicorn is left to end with."""
    return not record.getMessage().startswith("Exception in ASGI application")


def service_logger(access_log: AccessLog = AccessLog.ERRORS) -> logging.Logger:
    """Send every log line of the process to stderr as JSON and return our own logger.

    psycopg's pool logs each failed attempt with the server's text; the verdict says that once, so it is left out. So is
    what uvicorn says of each malformed request, and of each that failed: ours has it.

    Args:
        access_log: Which requests are logged.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    logging.getLogger(ACCESS_LOGGER).setLevel(ACCESS_LEVELS[access_log])
    return logging.getLogger(LOGGER)
