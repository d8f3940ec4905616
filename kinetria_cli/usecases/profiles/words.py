"""The words of generated gyms, from the package's gym.toml: names, notes, and what a workout is made of."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from kinetria_cli.usecases.profiles.catalogue import catalogue, package_data


class Drill(NamedTuple):
    """An exercise as a set of it is made up.

    Args:
        exercise: Its id.
        measure: weight, reps or time.
        start: Of a weight: hundredths of a kilogram; of a time: seconds; of repetitions: how many.
    """

    exercise: bytes
    measure: str
    start: int


@dataclass(frozen=True, slots=True)
class Routine:
    """What a workout takes its name and exercises from."""

    name: str
    description: str | None
    drills: tuple[Drill, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """See gym.toml."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    session_notes: tuple[str, ...]
    set_notes: tuple[str, ...]
    routines: tuple[Routine, ...]


@cache
def words() -> Words:
    """Return the words."""
    data = package_data("gym.toml")
    return Words(
        first_names=tuple(data["first_names"]),
        last_names=tuple(data["last_names"]),
        session_notes=tuple(data["session_notes"]),
        set_notes=tuple(data["set_notes"]),
        routines=tuple(
            Routine(plan["name"], plan.get("description"), tuple(_drill(slug) for slug in plan["exercises"]))
            for plan in data["plan"]
        ),
    )


def _drill(slug: str) -> Drill:
    entry = catalogue()[slug]
    seconds = 180 if entry.exercise.category == "cardio" else 40
    start = {"weight": entry.start, "time": seconds, "reps": 12}[entry.measure]
    return Drill(entry.exercise.id.bytes, entry.measure, start)
