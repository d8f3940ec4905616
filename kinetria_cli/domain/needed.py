"""The tables and columns that the tool cannot work without.

Written out: to build them from the entities, `health` would import `domain.fields`, which takes 15 ms. A test compares
them with the entities and with the migrations.
"""

from collections.abc import Iterable, Mapping

SEED_TABLE = "kinetria_seed"
"""The tool's own table of what was seeded."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "users": ("id", "email", "name", "password_hash", "created_at", "updated_at"),
    "workouts": ("id", "user_id", "name", "description", "status", "created_at", "updated_at"),
    "exercises": (
        "id",
        "name",
        "description",
        "category",
        "primary_muscle_group",
        "equipment_required",
        "difficulty_level",
        "video_url",
        "thumbnail_url",
        "created_at",
        "updated_at",
    ),
    "sessions": (
        "id",
        "user_id",
        "workout_id",
        "status",
        "started_at",
        "completed_at",
        "notes",
        "created_at",
        "updated_at",
    ),
    "set_records": (
        "id",
        "session_id",
        "exercise_id",
        "set_number",
        "reps",
        "weight_kg",
        "duration_seconds",
        "notes",
        "created_at",
    ),
    "refresh_tokens": ("id", "user_id", "token_hash", "expires_at", "revoked", "created_at"),
    "audit_log": (
        "id",
        "user_id",
        "action",
        "entity_type",
        "entity_id",
        "metadata",
        "ip_address",
        "user_agent",
        "created_at",
    ),
    SEED_TABLE: (
        "profile",
        "random_seed",
        "users",
        "as_of",
        "definition",
        "tables",
        "transactions",
        "seconds",
        "seeded_at",
    ),
}
"""Table -> the columns that the entity, or the tool itself, reads and writes."""


def maker_of(table: str, ids: Iterable[str]) -> str | None:
    """Return the migration that creates a table, by its name `NNNN_create_TABLE`; None if the folder has none.

    A folder of another project creates none of these tables, and an older folder not all of them.
    """
    return next((name for name in ids if name.partition("_")[2] == f"create_{table}"), None)
