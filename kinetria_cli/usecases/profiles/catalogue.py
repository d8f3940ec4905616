"""The exercise catalogue: data in the package, the same for every profile and seed."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from uuid import NAMESPACE_URL, UUID, uuid5

from kinetria_cli.domain.constants import DEFAULT_EXERCISE_THUMBNAIL_URL, DEFAULT_EXERCISE_VIDEO_URL
from kinetria_cli.domain.entities import Exercise, ExerciseId
from kinetria_cli.domain.vos import ExerciseCategory, MuscleGroup

NAMESPACE = uuid5(NAMESPACE_URL, "https://kinetria.invalid/seed")
LOCKED_PASSWORD = "!seed-account-without-password"  # noqa: S105 - no hash looks like this: nobody can log in with it
CATALOGUE_TIME = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An exercise and how a set of it is measured: weight, reps or time."""

    exercise: Exercise
    slug: str
    measure: str
    start_kg: Decimal


def seed_id(*path: object) -> UUID:
    """Return the id of the seed record that `path` names."""
    return uuid5(NAMESPACE, "/".join(str(part) for part in path))


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """Return the entries by slug, in the file's order."""
    text = files("kinetria_cli.data").joinpath("exercises.toml").read_text("utf-8")
    return {row["slug"]: _entry(row) for row in tomllib.loads(text, parse_float=Decimal)["exercise"]}


def exercises() -> list[Exercise]:
    """Return the catalogue's exercises."""
    return [entry.exercise for entry in catalogue().values()]


def _entry(row: dict[str, object]) -> CatalogueEntry:
    exercise = Exercise(
        id=ExerciseId(seed_id("exercise", row["slug"])),
        name=str(row["name"]),
        description=_text(row.get("description")),
        category=ExerciseCategory.validate(str(row["category"])),
        primary_muscle_group=MuscleGroup.validate(str(row["muscle_group"])),
        equipment_required=_text(row.get("equipment")),
        difficulty_level=int(str(row["difficulty"])),
        video_url=DEFAULT_EXERCISE_VIDEO_URL,
        thumbnail_url=DEFAULT_EXERCISE_THUMBNAIL_URL,
        created_at=CATALOGUE_TIME,
        updated_at=CATALOGUE_TIME,
    )
    return CatalogueEntry(exercise, str(row["slug"]), str(row["measure"]), Decimal(str(row.get("start_kg", 0))))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
