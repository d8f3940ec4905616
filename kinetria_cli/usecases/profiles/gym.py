"""The parameters of a generated gym, and how many rows they give each user."""

from dataclasses import dataclass
from datetime import datetime

from kinetria_cli.usecases.profiles.dice import draw

_MULTIPLIERS = {
    "workouts": 0x9E3779B1,
    "sessions": 0x85EBCA6B,
    "set_records": 0xC2B2AE35,
    "refresh_tokens": 0x27D4EB2F,
    "audit_log": 0x165667B1,
}
"""Odd numbers that spread consecutive ones evenly over 32 bits, another for each table."""
_BITS = 32


@dataclass(frozen=True, slots=True)
class Span:
    """How many: from `low` to `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Gym:
    """What a generated profile is made by: the keys of load.toml.

    Args:
        deload_every: Weeks; 0 for never.
        training_now_every: Users; 0 for never.
        missed_week, cancelled_session, session_note, set_note: Of 256.
        per_week, deload: In thousandths.
    """

    users: int
    as_of: datetime
    weeks: int
    deload_every: int
    training_now_every: int
    workouts: Span
    sessions: Span
    sets: Span
    tokens: Span
    audit_rows: Span
    missed_week: int
    cancelled_session: int
    session_note: int
    set_note: int
    per_week: int
    deload: int

    def spans(self) -> dict[str, Span]:
        """Return how many rows a user has, by table; neither users nor exercises."""
        return {
            "workouts": self.workouts,
            "sessions": self.sessions,
            "set_records": self.sets,
            "refresh_tokens": self.tokens,
            "audit_log": self.audit_rows,
        }

    def rows_at_most(self) -> int:
        """Return how many rows of one table a user can have."""
        return max(1, *(span.high for span in self.spans().values()))


class Share:
    """How many rows of a table each user has: arithmetic alone, so that millions are counted in no time.

    Args:
        path: What it depends on: profile and random seed.
    """

    def __init__(self, table: str, span: Span, path: str) -> None:
        self._low = span.low
        self._width = span.high - span.low + 1
        self._multiplier = _MULTIPLIERS[table]
        self._offset = int.from_bytes(draw(4, f"{path}/share/{table}"), "big")

    def of(self, user: int) -> int:
        """Return how many this user has."""
        place = user * self._multiplier + self._offset & 0xFFFFFFFF
        return self._low + (place * self._width >> _BITS)

    def total(self, users: range) -> int:
        """Return how many these users have together."""
        if self._width == 1:
            return self._low * len(users)
        return sum(map(self.of, users))
