"""What the tests of commands share: the demo's facts, and how a JSON answer is taken apart."""

from typing import Any

from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from tests import world
from tests.world import Answer

IDS = list(world.IDS)
ENTITIES: dict[str, type[Any]] = {
    "users": User,
    "workouts": Workout,
    "exercises": Exercise,
    "sessions": Session,
    "set-records": SetRecord,
    "refresh-tokens": RefreshToken,
    "audit-log": AuditLog,
}
DEMO = {
    "users": 5,
    "workouts": 12,
    "exercises": 40,
    "sessions": 175,
    "set_records": 2040,
    "refresh_tokens": 10,
    "audit_log": 122,
}
ANA = "ana.ribeiro+demo42@example.com"
NOBODY = "00000000-0000-4000-8000-000000000000"


def succeeded(answer: Answer) -> Any:
    assert (answer.code, answer.err) == (0, "")
    return answer.data


def failed(answer: Answer, code: int, kind: str) -> str:
    """The message of a JSON error."""
    error = answer.error
    assert (answer.code, error["code"]) == (code, kind)
    assert set(error) - {"details"} == {"code", "message", "hint", "exit_code"}
    message: str = error["message"]
    return message
