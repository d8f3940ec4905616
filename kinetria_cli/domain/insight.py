"""Training over weeks: what `inspect --chart` draws, and the port that counts it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Protocol

from kinetria_cli.domain.records import Filters

DEFAULT_WEEKS = 26
MAX_WEEKS = 520
MAX_PERSONAL_RECORDS = 100
"""Exercises whose heaviest weight is told, the heaviest ones; every other answer has a fixed size too."""


@dataclass(frozen=True, slots=True)
class Week:
    """What was trained in one week, which begins on Monday 00:00 UTC.

    A session belongs to the week that it began in. Sets, volume and records are those of sessions that are
    completed or still run; cancelled sessions do not count.

    Args:
        start: The Monday.
        sessions: How many were completed.
        sets: How many were done.
        volume_kg: The sum of reps times weight; a set without one of them adds nothing.
        records: How often a user beat the heaviest weight of an exercise in all earlier sessions. The first
            session with weight on an exercise beats none.
    """

    start: date
    sessions: int
    sets: int
    volume_kg: Decimal
    records: int


@dataclass(frozen=True, slots=True)
class PersonalRecord:
    """The heaviest weight of an exercise.

    Args:
        exercise: Its name.
        weight_kg: The weight.
        reps: The most with that weight in that session, if they were counted.
        achieved_at: When the first session with that weight began.
        user: The e-mail of who lifted it.
    """

    exercise: str
    weight_kg: Decimal
    reps: int | None
    achieved_at: datetime
    user: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The weeks in order, also those without training, and the personal records, the heaviest first."""

    weeks: tuple[Week, ...] = ()
    personal_records: tuple[PersonalRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Training:
    """The result of `inspect ... --chart`.

    Args:
        entity: What was inspected.
        user: The e-mail of the one user whose training it is, or None for all that match.
        since: The first day; None where no session matches.
        until: The last day.
        weeks: See `Figures`.
        personal_records: See `Figures`.
    """

    kind: ClassVar[str] = "inspect.chart"
    entity: str
    user: str | None
    since: date | None
    until: date | None
    weeks: tuple[Week, ...]
    personal_records: tuple[PersonalRecord, ...]

    @classmethod
    def of(cls, figures: Figures, *, entity: str, user: str | None) -> "Training":
        """Return the result for these figures."""
        weeks = figures.weeks
        since = weeks[0].start if weeks else None
        until = _sunday(weeks[-1].start) if weeks else None
        return cls(entity, user, since, until, weeks, figures.personal_records)


def _sunday(monday: date) -> date:
    """Return the last day of the week, as far as there are dates."""
    return min(monday, date.max - timedelta(days=6)) + timedelta(days=6)


class TrainingLog(Protocol):
    """The training of the sessions that match a filter."""

    def figures(self, filters: Filters, *, weeks: int) -> Figures:
        """Return so many weeks up to the one of the newest session that matches, and the personal records up to then.

        Args:
            filters: Of the list of sessions.
            weeks: How many.

        Raises:
            DatabaseUnreachable, LoginRefused: The database cannot be used.
            SchemaMissing: A table is not there.
            MalformedParameters: An unknown filter.
        """
        ...
