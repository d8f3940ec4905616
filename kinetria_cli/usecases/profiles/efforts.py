"""The sets of a generated gym: eight of ten rows, so written to be made fast."""

from functools import lru_cache
from operator import add
from struct import Struct
from typing import NamedTuple

from kinetria_cli.domain.seed_ids import FIRST_SLOT, Mark
from kinetria_cli.domain.seeding import Row
from kinetria_cli.usecases.profiles.dice import draw
from kinetria_cli.usecases.profiles.gym import Gym
from kinetria_cli.usecases.profiles.visits import Members
from kinetria_cli.usecases.profiles.words import Drill, words

PLATE = 250
_HEAVIEST = 999_750
_MOST_PROGRESS = 3_000
_FEWEST_REPS = 3
_TOP_REPS = 9
_MOODS = 4
"""How many ways a session goes: so many variants of each, made once."""
_MADE = 8_192
"""How many are remembered: more than load has, and some megabytes."""
_JITTER = [throw * 78_125 for throw in range(256)]
"""Up to 20 s, in microseconds: a session has a set in 42 s at most."""
_slot = Struct(">I").pack
_suffix = Struct(">H10s").pack


class Plan(NamedTuple):
    """The sets of a session but for what their user lifts.

    Args:
        exercises, numbers, reps, seconds: Of each set.
        lifts: Of each exercise: where it starts, 0 for one without weights, and how many sets.
    """

    exercises: list[bytes]
    numbers: list[int]
    reps: list[int | None]
    seconds: list[int | None]
    lifts: list[tuple[int, int]]


@lru_cache(maxsize=_MADE)
def plan(routine: int, size: int, progress: int, mood: int) -> Plan:
    """Return a session of that many sets: shared out evenly among the exercises, fewer repetitions from set to set.

    Args:
        routine: Its number.
        progress: Thousandths of what one began with.
        mood: From 0.
    """
    made = Plan([], [], [], [], [])
    drills = words().routines[routine].drills
    for place, drill in enumerate(drills):
        count = size * (place + 1) // len(drills) - size * place // len(drills)
        tired = (mood + place) % 2
        made.exercises.extend([drill.exercise] * count)
        made.numbers.extend(range(1, count + 1))
        made.reps.extend(_reps(drill, progress, tired, number) for number in range(count))
        made.seconds.extend(_seconds(drill, progress, mood + number) for number in range(count))
        made.lifts.append((drill.start if drill.measure == "weight" else 0, count))
    return made


@lru_cache(maxsize=_MADE)
def lifted(start: int, percent: int, count: int) -> list[int | None]:
    """Return the weight of that many sets, in whole plates: None where the exercise has none."""
    if not start:
        return [None] * count
    plates = (start * percent // 100 + PLATE // 2) // PLATE
    return [min(max(plates, 1) * PLATE, _HEAVIEST)] * count


def _reps(drill: Drill, progress: int, tired: int, number: int) -> int | None:
    if drill.measure == "time":
        return None
    top = drill.start * progress // 1000 if drill.measure == "reps" else _TOP_REPS
    return max(_FEWEST_REPS, top - tired - number)


def _seconds(drill: Drill, progress: int, throw: int) -> int | None:
    return drill.start * progress * (90 + throw * 7 % 21) // 100_000 if drill.measure == "time" else None


class Efforts:
    """Makes the rows of set_records, column by column: what Python does for each row is what takes the time.

    Args:
        path: Profile and random seed.
        most: How many rows a user has at most.
    """

    def __init__(self, path: str, gym: Gym, members: Members, marks: dict[str, Mark], most: int) -> None:
        self._path = path
        self._members = members
        self._session = marks["sessions"]
        self._suffixes = [_suffix(number, marks["set_records"].tail) for number in range(most)]
        self._progress = [self._progress_of(gym, week) for week in range(gym.weeks)]
        texts = words().set_notes
        self._notes = [texts[throw % len(texts)] if throw < gym.set_note else None for throw in range(256)]

    def rows(self, user: int) -> list[Row]:
        """Return the rows of a user, by id."""
        traits = self._members.traits(user)
        visits = self._members.visits(user, traits)
        if not visits:
            return []
        count = visits[-1].stop
        throws = draw(2 * count, f"{self._path}/{user}/sets")
        slot = _slot(FIRST_SLOT + user)
        strength = strength_of(traits)
        sessions: list[bytes] = []
        exercises: list[bytes] = []
        numbers: list[int] = []
        reps: list[int | None] = []
        weights: list[int | None] = []
        seconds: list[int | None] = []
        times: list[int] = []
        for number, (workout, started, ended, _, week, first, stop, _, throw) in enumerate(visits):
            size = stop - first
            step = (ended - started) // (size + 1)
            progress = self._progress[week]
            made = plan(routine_of(traits, workout), size, progress, throw % _MOODS)
            sessions += [self._session.id(user, number)] * size
            exercises += made.exercises
            numbers += made.numbers
            reps += made.reps
            seconds += made.seconds
            percent = strength * progress // 1000
            for start, sets in made.lifts:
                weights += lifted(start, percent, sets)
            times += map(add, range(started + step, ended, step), map(_JITTER.__getitem__, throws[first:stop]))
        ids = [slot + suffix for suffix in self._suffixes[:count]]
        notes = map(self._notes.__getitem__, throws[count:])
        return list(zip(ids, sessions, exercises, numbers, reps, weights, seconds, notes, times, strict=True))

    def _progress_of(self, gym: Gym, week: int) -> int:
        """Thousandths of what a member began with."""
        risen = min(_MOST_PROGRESS, 1000 + gym.per_week * week)
        return risen * gym.deload // 1000 if self._members.is_deload(week) else risen


def strength_of(traits: bytes) -> int:
    """Return what a member lifts, in percent of a beginner: from 55 to 185, most in the middle."""
    return 55 + (traits[5] + traits[6]) * 130 // 510


def routine_of(traits: bytes, workout: int) -> int:
    """Return what a member's workout is made of: each a step of three further in the list than the one before."""
    return (traits[7] + 3 * workout) % len(words().routines)
