"""The exercise catalogue: data in the package, the same for every profile and seed."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from kinetria_cli.domain.constants import DEFAULT_EXERCISE_THUMBNAIL_URL, DEFAULT_EXERCISE_VIDEO_URL
from kinetria_cli.domain.entities import Exercise, ExerciseId
from kinetria_cli.domain.seed_ids import mark_of
from kinetria_cli.domain.seeding import Row, hundredths
from kinetria_cli.domain.vos import ExerciseCategory, MuscleGroup
from kinetria_cli.usecases.profiles.rows import row_of

LOCKED_PASSWORD = "!seed-account-without-password"  # noqa: S105 - no hash looks like this: nobody can log in with it
CATALOGUE_TIME = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An exercise and how a set of it is measured: weight, reps or time.

    Args:
        start: What a beginner lifts, in hundredths of a kilogram.
    """

    exercise: Exercise
    slug: str
    measure: str
    start: int


def package_data(name: str) -> dict[str, Any]:
    """Return a TOML file of the package as it is written, decimals exact."""
    return tomllib.loads(files("kinetria_cli.data").joinpath(name).read_text("utf-8"), parse_float=Decimal)


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """Return the entries by slug, in the order of their ids."""
    rows = sorted(package_data("exercises.toml")["exercise"], key=lambda row: int(row["number"]))
    return {row["slug"]: _entry(row) for row in rows}


@cache
def catalogue_rows() -> tuple[Row, ...]:
    """Return the rows of the table exercises, by id."""
    return tuple(row_of(entry.exercise) for entry in catalogue().values())


def _entry(row: dict[str, Any]) -> CatalogueEntry:
    exercise = Exercise(
        id=ExerciseId(UUID(bytes=mark_of("catalogue").id(0, row["number"]))),
        name=row["name"],
        description=row.get("description"),
        category=ExerciseCategory.validate(row["category"]),
        primary_muscle_group=MuscleGroup.validate(row["muscle_group"]),
        equipment_required=row.get("equipment"),
        difficulty_level=row["difficulty"],
        video_url=DEFAULT_EXERCISE_VIDEO_URL,
        thumbnail_url=DEFAULT_EXERCISE_THUMBNAIL_URL,
        created_at=CATALOGUE_TIME,
        updated_at=CATALOGUE_TIME,
    )
    return CatalogueEntry(exercise, row["slug"], row["measure"], hundredths(Decimal(row.get("start_kg", 0))))
