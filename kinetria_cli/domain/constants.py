"""Defaults and limits of the domain. Source: the backend's domain specification.

`db check` keeps them: the rules in gateways/postgres/checks/invariants name them in braces.
"""

DEFAULT_EXERCISE_THUMBNAIL_URL = "/assets/defaults/exercise-placeholder.png"
DEFAULT_EXERCISE_VIDEO_URL = ""
DEFAULT_DIFFICULTY_LEVEL = 3

MIN_NAME_LENGTH = 1
MAX_NAME_LENGTH = 255
MIN_DESCRIPTION_LENGTH = 0
MAX_DESCRIPTION_LENGTH = 5000
MIN_DIFFICULTY_LEVEL = 1
MAX_DIFFICULTY_LEVEL = 5
MIN_SET_NUMBER = 1
MAX_SET_NUMBER = 100
MAX_WEIGHT_KG = "9999.99"

TABLES = (
    "users",
    "workouts",
    "exercises",
    "sessions",
    "set_records",
    "refresh_tokens",
    "audit_log",
)
"""The seven tables, each after the ones it refers to: the order in which rows can be inserted."""

SECRET_FIELDS = frozenset({"password_hash", "token_hash"})
"""Fields whose value is never shown, only whether there is one."""
