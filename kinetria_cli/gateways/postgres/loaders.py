"""Values that PostgreSQL holds and Python does not: read as near as can be, so that their row can be looked at."""

import json
import math
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_loads

MOST_DIGITS = 4000
"""Of a whole number in JSON; Python reads 4,300 from text (3.11, sys.int_info)."""

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


class NearestTime(TimestamptzLoader):
    """Reads a time; one outside of the years 1 to 9999, or at infinity, as the first or last that Python has."""

    def load(self, data: Any) -> datetime:
        """Return the time."""
        try:
            return super().load(data)
        except psycopg.DataError:
            text = bytes(data)
            early = text.startswith(b"-") or text.endswith(b"BC")
            return FIRST if early else LAST


def register_loaders(connection: "psycopg.Connection[Any]") -> None:
    """Make a connection read every value that its tables can hold."""
    connection.adapters.register_loader("timestamptz", NearestTime)
    set_json_loads(partial(json.loads, parse_float=_float, parse_int=_integer), connection)


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= MOST_DIGITS else text
