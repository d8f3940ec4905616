"""The audit rows of a generated gym."""

from operator import itemgetter

from kinetria_cli.domain.seed_ids import ROWS_PER_USER, Mark
from kinetria_cli.domain.seeding import Row
from kinetria_cli.domain.vos import AuditAction
from kinetria_cli.usecases.profiles.dice import draw
from kinetria_cli.usecases.profiles.gym import Share
from kinetria_cli.usecases.profiles.rows import jsonb_text
from kinetria_cli.usecases.profiles.visits import CANCELLED, COMPLETED, Members, Visit

GONE = ROWS_PER_USER - 1
"""The number of the record that an audit row tells of when it is not there any more. No user has that many."""
_THROWS = 4
"""Bytes an audit row."""
ACTIONS = tuple(action.value for action in AuditAction)
_ROUND = 50
"""Of so many users one has each of the actions, however rare it is."""
_USUAL = (
    ("login", 20),
    ("token_refreshed", 14),
    ("session_started", 8),
    ("session_completed", 8),
    ("set_recorded", 5),
    ("logout", 3),
    ("workout_created", 2),
    ("workout_updated", 1),
    ("set_updated", 1),
    ("session_cancelled", 1),
    ("user_updated", 1),
)
"""How often an action is done, of 64."""
_BY_THROW = tuple(action for action, times in _USUAL for _ in range(times))
_AGENTS = ("KinetriaApp/2.4.1 (iOS 18.1)", "KinetriaApp/2.4.1 (Android 15)", "KinetriaApp/2.3.0 (Android 14)", None)
_METADATA = tuple(
    jsonb_text(document)
    for document in (
        {"source": "app", "version": "2.4.1", "device": {"os": "ios", "version": 18}},
        {"source": "app", "version": "2.4.1", "device": {"os": "android", "version": 15}},
        {"source": "app", "version": "2.3.0", "device": {"os": "android", "version": 14}},
        {"source": "web", "tags": ["remember-me"]},
    )
)
_BY_STATUS = {"session_started": None, "session_completed": COMPLETED, "session_cancelled": CANCELLED}

Event = tuple[int, str, str | None, bytes | None]
"""When, what was done, and to what: its type and id."""


class Trails:
    """Makes the rows of audit_log.

    Args:
        path: Profile and random seed.
        share: How many a user has.
    """

    def __init__(self, path: str, members: Members, marks: dict[str, Mark], share: Share) -> None:
        self._path = path
        self._members = members
        self._marks = marks
        self._share = share

    def rows(self, user: int) -> list[Row]:
        """Return the rows of a user, by id and time."""
        count = self._share.of(user)
        if not count:
            return []
        traits = self._members.traits(user)
        throws = draw(_THROWS * count, f"{self._path}/{user}/audit")
        visits = self._members.visits(user, traits)
        owner = self._marks["users"].id(user, 0)
        joined = self._members.joined(traits)
        events: list[Event] = [(joined, "user_created", "user", owner)]
        for number in range(1, count):
            chance = throws[_THROWS * number : _THROWS * (number + 1)]
            rare = number == 1 and user % _ROUND < len(ACTIONS)
            action = ACTIONS[user % _ROUND] if rare else _BY_THROW[chance[0] % len(_BY_THROW)]
            events.append(self._event(action, user, joined, traits, visits, chance))
        events.sort(key=itemgetter(0))
        mark = self._marks["audit_log"]
        address = _address(traits)
        agent = traits[8] % len(_AGENTS)
        return [
            (mark.id(user, number), *_seen(event, owner, agent, address, throws[number]), event[0])
            for number, event in enumerate(events)
        ]

    def _event(self, action: str, user: int, joined: int, traits: bytes, visits: list[Visit], chance: bytes) -> Event:
        some_time = joined + (self._members.as_of - joined) * (chance[1] << 8 | chance[2]) // (1 << 16)
        table, _, verb = action.partition("_")
        if verb == "deleted":
            return some_time, action, table, self._gone(table, user)
        if table == "user":
            time = joined if verb == "created" else some_time
            return time, action, "user", self._marks["users"].id(user, 0)
        if table == "workout":
            return self._of_workout(action, user, joined, traits, chance[3], some_time)
        if table == "session":
            return self._of_session(action, user, visits, chance[3], some_time)
        if table == "set":
            return self._of_set(action, user, visits, chance[3], some_time)
        return some_time, action, None, None

    def _of_workout(self, action: str, user: int, joined: int, traits: bytes, throw: int, some_time: int) -> Event:
        workouts = len(self._members.statuses(user, traits))
        if not workouts:
            return some_time, action, "workout", self._gone("workout", user)
        number = throw % workouts
        created = workout_created(joined, number)
        time = created if action == "workout_created" else max(created, some_time)
        return time, action, "workout", self._marks["workouts"].id(user, number)

    def _of_session(self, action: str, user: int, visits: list[Visit], throw: int, some_time: int) -> Event:
        wanted = _BY_STATUS[action]
        fitting = [number for number, visit in enumerate(visits) if wanted in (None, visit.status)]
        if not fitting:
            return some_time, action, "session", self._gone("session", user)
        number = fitting[throw % len(fitting)]
        time = visits[number].ended if wanted else visits[number].started
        return time, action, "session", self._marks["sessions"].id(user, number)

    def _of_set(self, action: str, user: int, visits: list[Visit], throw: int, some_time: int) -> Event:
        visit = visits[throw % len(visits)] if visits else None
        if visit is None or visit.first == visit.stop:
            return some_time, action, "set", self._gone("set", user)
        size = visit.stop - visit.first
        place = throw % size
        step = (visit.ended - visit.started) // (size + 1)
        # A set is dated in the first half of its step, see Efforts: this is right after it.
        time = visit.started + step * (place + 1) + step // 2
        return time, action, "set", self._marks["set_records"].id(user, visit.first + place)

    def _gone(self, table: str, user: int) -> bytes:
        name = "set_records" if table == "set" else f"{table}s"
        return self._marks[name].id(user, GONE)


def workout_created(joined: int, number: int) -> int:
    """Return when a member made a workout: one a second after ten minutes, so that any number is done in a day."""
    return joined + 600_000_000 + number * 1_000_000


def _seen(event: Event, owner: bytes, agent: int, address: str, throw: int) -> Row:
    """Return the fields of an audit row from user_id to user_agent."""
    _, action, kind, entity = event
    if action == "user_deleted":  # the row outlived its user, and came from no device
        return None, action, kind, entity, None, None, None
    metadata = _METADATA[agent] if throw & 3 else None
    return owner, action, kind, entity, metadata, address if throw & 56 else None, _AGENTS[agent]


def _address(traits: bytes) -> str:
    """Return an address of the ranges for documentation, RFC 5737 and 3849."""
    high, low = traits[9], traits[10]
    if high < 64:
        return f"2001:db8::{low % 250 + 1:x}"
    return f"{('192.0.2', '198.51.100', '203.0.113')[high % 3]}.{low % 250 + 1}"
