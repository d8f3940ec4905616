"""Settings as a result that can be shown, and the variables that `kinetria env` exports."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

EXPORTED = (
    "DB_HOST",
    "DB_PORT",
    "DB_USER",
    "DB_PASSWORD",
    "DB_NAME",
    "DB_SSL_MODE",
    "DB_TARGET_SESSION_ATTRS",
    "DATABASE_URL",
    "HTTP_PORT",
)
"""What decides which database our commands use; `env` exports PG* too, for other programs."""
ENV_MARK = "KINETRIA_ENV_MARK"
"""The variable by which a later command knows that an earlier `env` of the same project exported EXPORTED."""


def environment_mark(project: str, values: Mapping[str, str]) -> str:
    """Return the value of ENV_MARK: the project, and a digest of every exported value, so that any change shows."""
    text = "\0".join(values.get(name, "") for name in EXPORTED)
    return f"{project}:{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}"


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """One setting: `value` is None for a secret and for what is not set."""

    name: str
    value: str | None
    origin: str
    secret: bool


@dataclass(frozen=True, slots=True)
class ConfigShown:
    """Every setting with its origin."""

    kind: ClassVar[str] = "config.show"
    values: tuple[ConfigValue, ...]
