"""The keys of a generated profile's file: what each takes, and which values do not go together."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, Decimal
from typing import Any

from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.seed_ids import MAX_USERS, ROWS_PER_USER
from kinetria_cli.usecases.profiles.gym import Gym, Span
from kinetria_cli.usecases.profiles.visits import SESSIONS_A_WEEK

YEARS = range(2000, 2101)
"""The years that a seed can lead up to."""
MOST_ROWS = ROWS_PER_USER - 1
"""How many rows of one table a user can have: the last number is that of records that are gone."""
SETS_A_SESSION = 60
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Unfit(Exception):
    """A value that a key does not take.

    Args:
        why: To be read after the key: `is below 0`.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Args:
        name: With its table: `per_user.sets`.
        field: Of `Gym`.
        takes: What it takes, in words.
        read: Returns the field's value, or raises Unfit.
    """

    name: str
    field: str
    takes: str
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Clash:
    """Values that do not go together.

    Args:
        keys: Which; the first that a file gives is blamed.
    """

    keys: tuple[str, ...]
    why: str
    hint: str


def clash(gym: Gym) -> Clash | None:
    """Return what does not go together in a gym."""
    if gym.sessions.high and not gym.workouts.low:
        return Clash(
            ("per_user.workouts", "per_user.sessions"),
            "leaves users without a workout, and a session is of one",
            "give each user a workout, or none a session",
        )
    if gym.sessions.high > SESSIONS_A_WEEK * gym.weeks:
        return Clash(
            ("per_user.sessions", "weeks"),
            f"makes {counted(gym.sessions.high, 'session')} in {counted(gym.weeks, 'week')}, and nobody comes more than"
            f" {SESSIONS_A_WEEK} times a week",
            f"at most {SESSIONS_A_WEEK * gym.weeks:,} sessions, or more weeks",
        )
    if gym.sets.high > SETS_A_SESSION * gym.sessions.low:
        return Clash(
            ("per_user.sets", "per_user.sessions"),
            f"makes {counted(gym.sets.high, 'set')} of a user who may have"
            f" {counted(gym.sessions.low, 'session')}, and nobody does more than {SETS_A_SESSION} in one",
            f"at most {SETS_A_SESSION * gym.sessions.low:,} sets, or more sessions",
        )
    return None


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unfit(f"is {_kind(value)}")
        return int(_within(value, low, high))

    return read


def _span(value: Any) -> Span:
    read = _whole(0, MOST_ROWS)
    if not isinstance(value, list):
        return Span(read(value), read(value))
    if len(value) != 2:
        raise Unfit(f"is a list of {len(value)}")
    low, high = map(read, value)
    if low > high:
        raise Unfit(f"is a range upside down: {low} is more than {high}")
    return Span(low, high)


def _decimal(low: str, high: str, steps: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            raise Unfit(f"is {_kind(value)}")
        number = Decimal(value)
        if not number.is_finite():
            raise Unfit(f"is {value}, which is no number")
        # Rounded up: what is not zero happens.
        return int((_within(number, Decimal(low), Decimal(high)) * steps).to_integral_value(ROUND_CEILING))

    return read


def _time(value: Any) -> datetime:
    """Return the moment as --as-of reads it: UTC where there is no zone, a date alone its midnight."""
    if not isinstance(value, date):
        raise Unfit(f"is {_kind(value)}")
    moment = value if isinstance(value, datetime) else datetime.combine(value, time.min)
    if moment.year not in YEARS:
        raise Unfit(f"is in the year {moment.year}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _named(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit(f"is {_kind(value)}")
    if not _NAME.fullmatch(value):
        raise Unfit(f"{value[:60]!r} is no name of a profile" if value else "is empty")
    return value


def _within(value: Any, low: Any, high: Any) -> Any:
    if value < low:
        raise Unfit(f"is {value:,}, which is below {low:,}")
    if value > high:
        raise Unfit(f"is {value:,}, which is above {high:,}")
    return value


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a whole number", Decimal: "a number with a point", str: "a text"}
    names |= {list: "a list", dict: "a table", datetime: "a date with a time", date: "a date"}
    return names.get(type(value), "a time alone")


NAME = Key("name", "name", "up to 40 of a-z, 0-9 and -, the first no -", _named)
_MOST_WEEKS = 520
_COUNT = f"a whole number from 0 to {MOST_ROWS:,}, or the least and the most: [1, 3]"
_CHANCE = "a number from 0 to 1"
KEYS = {
    key.name: key
    for key in (
        Key("users", "users", f"a whole number from 1 to {MAX_USERS:,}", _whole(1, MAX_USERS)),
        Key("as_of", "as_of", f"a date or a time, {YEARS[0]} to {YEARS[-1]}: 2026-11-16T18:30:00Z", _time),
        Key("weeks", "weeks", f"a whole number from 1 to {_MOST_WEEKS}", _whole(1, _MOST_WEEKS)),
        Key("deload_every", "deload_every", f"a whole number from 0 to {_MOST_WEEKS}", _whole(0, _MOST_WEEKS)),
        Key(
            "training_now_every",
            "training_now_every",
            f"a whole number from 0 to {MAX_USERS:,}",
            _whole(0, MAX_USERS),
        ),
        *(
            Key(f"per_user.{field}", field, _COUNT, _span)
            for field in ("workouts", "sessions", "sets", "tokens", "audit_rows")
        ),
        *(
            Key(f"chances.{field}", field, _CHANCE, _decimal("0", "1", 256))
            for field in ("missed_week", "cancelled_session", "session_note", "set_note")
        ),
        Key("progress.per_week", "per_week", "a number from 0 to 0.2", _decimal("0", "0.2", 1000)),
        Key("progress.deload", "deload", "a number from 0.1 to 1", _decimal("0.1", "1", 1000)),
    )
}
"""Every key of a file, but for its name, with its table."""
