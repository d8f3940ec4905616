"""Log lines of the service: one JSON object a line on stderr."""

import json
import logging
import sys
from datetime import UTC, datetime

LOGGER = "kinetria"
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class JsonFormatter(logging.Formatter):
    """Time (UTC), level, message, and whatever was given as `extra`. Exceptions are named, not printed."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        document |= {
            name: value for name, value in vars(record).items() if name not in _STANDARD and name != "color_message"
        }
        if record.exc_info and record.exc_info[0]:
            document["exception"] = record.exc_info[0].__name__
        return json.dumps(document, default=str)


def service_logger() -> logging.Logger:
    """Send every log line of the process to stderr as JSON and return our own logger.

    psycopg's pool logs each failed attempt with the server's text; the verdict says that once, so it is left out.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return logging.getLogger(LOGGER)
