"""The smallest useful database: one user, one workout, the exercise catalogue."""

from uuid import UUID

from kinetria_cli.domain.entities import Entity, User, UserId, Workout, WorkoutId
from kinetria_cli.domain.seeding import marks
from kinetria_cli.domain.vos import WorkoutStatus
from kinetria_cli.usecases.profiles.catalogue import CATALOGUE_TIME, LOCKED_PASSWORD

NAME = "minimal"
AS_OF = CATALOGUE_TIME
USERS = 1


def build_minimal(random_seed: int) -> dict[str, list[Entity]]:
    """Return the records by table."""
    mark = marks(NAME, random_seed)
    user_id = UserId(UUID(bytes=mark["users"].id(1, 0)))
    user = User(
        id=user_id,
        email=f"first.user+minimal{random_seed}@example.com",
        name="First User",
        password_hash=LOCKED_PASSWORD,
        created_at=AS_OF,
        updated_at=AS_OF,
    )
    workout = Workout(
        id=WorkoutId(UUID(bytes=mark["workouts"].id(1, 0))),
        user_id=user_id,
        name="Full body",
        description=None,
        status=WorkoutStatus.DRAFT,
        created_at=AS_OF,
        updated_at=AS_OF,
    )
    return {"users": [user], "workouts": [workout]}
