"""The small tables of a generated gym: users, workouts, sessions and refresh tokens."""

from kinetria_cli.domain.seed_ids import Mark
from kinetria_cli.domain.seeding import Row
from kinetria_cli.domain.vos import WorkoutStatus
from kinetria_cli.usecases.profiles.catalogue import LOCKED_PASSWORD
from kinetria_cli.usecases.profiles.dice import draw
from kinetria_cli.usecases.profiles.efforts import routine_of
from kinetria_cli.usecases.profiles.gym import Share
from kinetria_cli.usecases.profiles.trails import workout_created
from kinetria_cli.usecases.profiles.visits import COMPLETED, DAY, IN_PROGRESS, MINUTE, WEEK, Members
from kinetria_cli.usecases.profiles.words import words

_TOKEN_BYTES = 16
_VALID = 30 * DAY
_LOGGED_OUT = 32
"""Of 256 latest tokens."""


class Accounts:
    """Makes the rows of users, workouts, sessions and refresh_tokens.

    Args:
        profile: Its name.
        tokens: How many a user has.
    """

    def __init__(self, profile: str, random_seed: int, members: Members, marks: dict[str, Mark], tokens: Share) -> None:
        self._profile = profile
        self._random_seed = random_seed
        self._members = members
        self._marks = marks
        self._tokens = tokens

    def users(self, user: int) -> list[Row]:
        """Return the row of a user."""
        traits = self._members.traits(user)
        known = words()
        first = known.first_names[traits[11] % len(known.first_names)]
        last = known.last_names[traits[12] % len(known.last_names)]
        joined = self._members.joined(traits)
        changed = joined if traits[13] < 192 else self._members.began + traits[13] % 7 * DAY
        # A profile's name has no dot: no two of profile, random seed and user give the same.
        email = f"member{user}+{self._profile}.{self._random_seed}@example.com"
        return [(self._marks["users"].id(user, 0), email, f"{first} {last}", LOCKED_PASSWORD, joined, changed)]

    def workouts(self, user: int) -> list[Row]:
        """Return the rows of a user's workouts."""
        members = self._members
        traits = members.traits(user)
        routines = words().routines
        owner = self._marks["users"].id(user, 0)
        joined = members.joined(traits)
        found: list[Row] = []
        for number, status in enumerate(members.statuses(user, traits)):
            routine = routines[routine_of(traits, number)]
            cycle = number // len(routines)
            name = f"{routine.name} {cycle + 1}" if cycle else routine.name
            created = workout_created(joined, number)
            changed = members.archived_at() if status == WorkoutStatus.ARCHIVED.value else created
            record_id = self._marks["workouts"].id(user, number)
            found.append((record_id, owner, name, routine.description, status, created, changed))
        return found

    def sessions(self, user: int) -> list[Row]:
        """Return the rows of a user's sessions."""
        notes = words().session_notes
        owner = self._marks["users"].id(user, 0)
        workouts, mark = self._marks["workouts"], self._marks["sessions"]
        traits = self._members.traits(user)
        return [
            (
                mark.id(user, number),
                owner,
                workouts.id(user, visit.workout),
                visit.status,
                visit.started,
                visit.ended if visit.status == COMPLETED else None,
                notes[visit.throw % len(notes)] if visit.noted else None,
                visit.started,
                visit.started if visit.status == IN_PROGRESS else visit.ended,
            )
            for number, visit in enumerate(self._members.visits(user, traits))
        ]

    def refresh_tokens(self, user: int) -> list[Row]:
        """Return the rows of a user's refresh tokens: the last one is good unless its user logged out."""
        count = self._tokens.of(user)
        if not count:
            return []
        traits = self._members.traits(user)
        throws = draw(_TOKEN_BYTES * count, f"{self._profile}/{self._random_seed}/{user}/tokens")
        as_of = self._members.as_of
        apart = min(20 * DAY, (as_of - self._members.joined(traits) - WEEK) // count)
        last = as_of - (1 + traits[14] % 6) * DAY - traits[15] * 5 * MINUTE
        owner = self._marks["users"].id(user, 0)
        found: list[Row] = []
        for number in range(count):
            created = last - (count - 1 - number) * apart
            name = throws[_TOKEN_BYTES * number : _TOKEN_BYTES * (number + 1)]
            revoked = number < count - 1 or traits[13] < _LOGGED_OUT
            record_id = self._marks["refresh_tokens"].id(user, number)
            found.append((record_id, owner, f"seed:{name.hex()}", created + _VALID, revoked, created))
        return found
