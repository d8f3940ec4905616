"""The smallest useful database: one user, one workout, the exercise catalogue."""

from typing import Any

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import User, UserId, Workout, WorkoutId
from kinetria_cli.domain.vos import WorkoutStatus
from kinetria_cli.usecases.profiles.catalogue import CATALOGUE_TIME, LOCKED_PASSWORD, exercises, seed_id


def build_minimal(random_seed: int) -> dict[str, list[Any]]:
    """Return the records by table."""
    user_id = UserId(seed_id("minimal", random_seed, "user", 1))
    user = User(
        id=user_id,
        email=f"first.user+minimal{random_seed}@example.com",
        name="First User",
        password_hash=LOCKED_PASSWORD,
        created_at=CATALOGUE_TIME,
        updated_at=CATALOGUE_TIME,
    )
    workout = Workout(
        id=WorkoutId(seed_id("minimal", random_seed, "workout", 1)),
        user_id=user_id,
        name="Full body",
        description=None,
        status=WorkoutStatus.DRAFT,
        created_at=CATALOGUE_TIME,
        updated_at=CATALOGUE_TIME,
    )
    records: dict[str, list[Any]] = {table: [] for table in TABLES}
    return records | {"users": [user], "workouts": [workout], "exercises": exercises()}
