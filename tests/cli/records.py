"""Records that the tests of `inspect ENTITY KEY` look at."""

from typing import Any

from tests.cli.answers import ENTITIES, succeeded
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import Cli

DEPTHS = {"users": 3, "workouts": 2, "exercises": 2}
"""Entity -> the deepest level; 1 of the others."""

SECRET = "$argon2id$v=19$SENTINEL"


def newest(gym: Cli, entity: str) -> Any:
    return succeeded(gym("inspect", entity, "--limit", "1", "--json"))["items"][0]


def show(cli: Cli, entity: str, key: str, *options: str) -> Any:
    return succeeded(cli("inspect", entity, key, *options, "--json"))


def of_each(sql: Sql, start: str) -> dict[str, str]:
    """A record of each entity, the first digits of its id given."""
    ids = {entity: f"{start}-{number:04}-4000-8000-000000000000" for number, entity in enumerate(ENTITIES)}
    owner = rows.user(sql, id=ids["users"], password_hash=SECRET)
    plan = rows.workout(sql, owner, id=ids["workouts"])
    squat = rows.exercise(sql, id=ids["exercises"])
    visit = rows.session(sql, owner, plan, id=ids["sessions"])
    rows.set_record(sql, id=ids["set-records"], session_id=visit, exercise_id=squat)
    rows.refresh_token(sql, owner, id=ids["refresh-tokens"], token_hash=f"{SECRET} {start}")
    rows.audit_row(sql, owner, id=ids["audit-log"])
    return ids
