"""The members of a generated gym, and when they come: what all tables of a user have in common."""

from datetime import timedelta
from itertools import accumulate
from typing import NamedTuple

from kinetria_cli.domain.vos import SessionStatus, WorkoutStatus
from kinetria_cli.usecases.profiles.dice import draw
from kinetria_cli.usecases.profiles.gym import Gym, Share

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

SESSIONS_A_WEEK = 6
"""At most one a day, and one day of rest."""
TRAITS = 16
"""How many bytes say what a member is like; one each for weeks and workouts follow, then those of the sessions."""
_THROWS = 3
"""Bytes a session."""
_DRAFTS, _ARCHIVED = 26, 52
"""Of 256 workouts, but for a member's first, which is always in use."""
_WHOLE, _LIGHT, _HALF, _CUT = 4, 3, 2, 1
"""How many sets a session has, against others: usual, deload, still going on, cancelled."""
_DAYS = [
    [tuple(throw % (7 // times) + visit * 7 // times for visit in range(times)) for throw in range(256)]
    for times in range(1, SESSIONS_A_WEEK + 1)
]
"""On which days of a week a member comes: by how many times, less one, and a byte of chance."""
_LONGEST = 170
"""Minutes: whoever comes at the latest hour is done before midnight."""

_DRAFT, _PUBLISHED, _OLD = (status.value for status in WorkoutStatus)
IN_PROGRESS, COMPLETED, CANCELLED = (status.value for status in SessionStatus)


class Visit(NamedTuple):
    """One session.

    Args:
        workout: The number of the user's workout.
        started, ended: Microseconds since EPOCH; of one that goes on, it ends now.
        week: From the first of training.
        first, stop: The numbers of its sets among the user's, from `first` to before `stop`.
        throw: A byte of chance.
    """

    workout: int
    started: int
    ended: int
    status: str
    week: int
    first: int
    stop: int
    noted: bool
    throw: int


_visit = tuple.__new__
"""Makes one in half the time that its own constructor takes."""


class Members:
    """What is known of a user by number alone.

    Args:
        path: Profile and random seed.
        gym: The parameters.
        shares: How many rows of each table a user has.
        as_of: Microseconds since EPOCH.
    """

    def __init__(self, path: str, gym: Gym, shares: dict[str, Share], as_of: int) -> None:
        self._path = path
        self._gym = gym
        self._workouts, self._sessions, self._sets = (
            shares[table].of for table in ("workouts", "sessions", "set_records")
        )
        self._weights = [_LIGHT if self.is_deload(week) else _WHOLE for week in range(gym.weeks)]
        self.as_of = as_of
        # Counted from the profile's own day, so that another one moves every time by the same span.
        day = gym.as_of
        into_day = timedelta(hours=day.hour, minutes=day.minute, seconds=day.second, microseconds=day.microsecond)
        self.began = as_of - into_day // timedelta(microseconds=1) - gym.weeks * WEEK

    def traits(self, user: int) -> bytes:
        """Return the bytes of chance that belong to a user: the same for all tables."""
        length = TRAITS + self._gym.weeks + self._workouts(user) + _THROWS * self._sessions(user)
        return draw(length, f"{self._path}/{user}")

    def joined(self, traits: bytes) -> int:
        """Return when a member joined: two days to two months before the first week."""
        return self.began - (2 + traits[0] % 60) * DAY + self._hour(traits) + traits[1] % 60 * MINUTE + traits[2] * 3901

    def statuses(self, user: int, traits: bytes) -> list[str]:
        """Return the status of each workout."""
        start = TRAITS + self._gym.weeks
        throws = traits[start : start + self._workouts(user)]
        found = [_PUBLISHED if throw >= _ARCHIVED else _OLD if throw >= _DRAFTS else _DRAFT for throw in throws]
        if found:
            found[0] = _PUBLISHED
        return found

    def archived_at(self) -> int:
        """Return when workouts were archived: after half of the weeks."""
        return self.began + (self._gym.weeks + 1) // 2 * WEEK

    def is_deload(self, week: int) -> bool:
        """Whether a week is a light one."""
        every = self._gym.deload_every
        return bool(every) and week % every == every - 1

    def visits(self, user: int, traits: bytes) -> list[Visit]:
        """Return a user's sessions in the order of time."""
        gym = self._gym
        count = self._sessions(user)
        if not count:
            return []
        days = self._days(count, traits)
        weeks = [day // 7 for day in days]
        throws = traits[-count:]
        cut = gym.cancelled_session
        statuses = [CANCELLED if throw < cut else COMPLETED for throw in traits[-3 * count : -2 * count]]
        if gym.training_now_every and user % gym.training_now_every == 0:
            statuses[-1] = IN_PROGRESS
        bounds = self._bounds(self._sets(user), weeks, statuses)
        workouts = self._trained(self.statuses(user, traits), weeks)
        opening = self.began + self._hour(traits)
        found = []
        for day, status, workout, week, first, stop, throw, note in zip(
            days, statuses, workouts, weeks, bounds, bounds[1:], throws, traits[-2 * count : -count], strict=False
        ):
            length = (min(12 + 4 * (stop - first), _LONGEST) + throw % 8) * MINUTE + throw * 90_001
            started = opening + day * DAY + throw % 40 * MINUTE + throw * 70_003
            if status is IN_PROGRESS:
                started = self.as_of - length
            values = (workout, started, started + length, status, week, first, stop, note < gym.session_note, throw)
            found.append(_visit(Visit, values))
        return found

    def _hour(self, traits: bytes) -> int:
        """When in the day this member comes: from 6 to 20 o'clock."""
        return (6 + traits[3] % 15) * HOUR

    def _days(self, count: int, traits: bytes) -> list[int]:
        """Return the days of the sessions, from the first: none in a missed week, never two on one day."""
        kept = self._kept(count, traits)
        offset = traits[4]
        weeks = len(kept)
        found = []
        before = 0
        for place, week in enumerate(kept, start=1):
            until = -(-place * count // weeks)
            if until > before:
                found += [week * 7 + day for day in _DAYS[until - before - 1][offset]]
                before = until
        return found

    def _kept(self, count: int, traits: bytes) -> list[int]:
        """Return the weeks that were not missed: enough of them for so many sessions."""
        weeks, missed = self._gym.weeks, self._gym.missed_week
        throws = traits[TRAITS : TRAITS + weeks]
        kept = [week for week, throw in enumerate(throws) if throw >= missed]
        needed = -(-count // SESSIONS_A_WEEK)
        if len(kept) >= needed:
            return kept
        return sorted(sorted(range(weeks), key=lambda week: (-throws[week], week))[:needed])

    def _bounds(self, sets: int, weeks: list[int], statuses: list[str]) -> list[int]:
        """Return the number of the first set of each session, and of the one after the last."""
        usual = self._weights
        weights = [
            usual[week] if status is COMPLETED else _CUT if status is CANCELLED else _HALF
            for week, status in zip(weeks, statuses, strict=True)
        ]
        total = sum(weights)
        return [sets * before // total for before in accumulate(weights, initial=0)]

    def _trained(self, statuses: list[str], weeks: list[int]) -> list[int]:
        """Return which workout each session is of: in turn, no drafts, archived ones in the first half alone."""
        usable = [number for number, status in enumerate(statuses) if status is not _DRAFT]
        turns = len(usable)
        if _OLD not in statuses:
            return [usable[number % turns] for number in range(len(weeks))]
        half = (self._gym.weeks + 1) // 2
        found = []
        for number, week in enumerate(weeks):
            workout = usable[number % turns]
            found.append(0 if week >= half and statuses[workout] is _OLD else workout)
        return found
