"""Settings as a result that can be shown."""

from dataclasses import dataclass
from typing import ClassVar


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
