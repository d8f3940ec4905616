"""What the options of a seed ask for together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.usecases.filter_values import read_time

Mode = Literal["load", "verify", "remove", "check"]
# What would not count beside each mode, and why.
_NOT_WITH: Mapping[Mode, tuple[tuple[str, ...], str]] = {
    "load": ((), ""),
    "verify": (("restore", "dry_run"), "it only compares"),
    "remove": (("restore", "users", "as_of"), "it takes away all rows of the profile and random seed"),
    "check": (("restore", "users", "as_of", "dry_run"), "it compares the generators with the schema"),
}


@dataclass(frozen=True, slots=True)
class SeedWish:
    """The options of `kinetria seed`, as they were given.

    Args:
        profile: The name of a profile, or a TOML file.
    """

    profile: str
    random_seed: int
    users: int | None = None
    as_of: str | None = None
    verify: bool = False
    remove: bool = False
    restore: bool = False
    check: bool = False
    dry_run: bool = False

    @property
    def mode(self) -> Mode:
        """What is to be done.

        Raises:
            MalformedParameters: Two options exclude each other.
        """
        modes: tuple[Mode, ...] = ("verify", "remove", "check")
        chosen: list[Mode] = [mode for mode in modes if getattr(self, mode)]
        if len(chosen) > 1:
            raise MalformedParameters(
                f"--{chosen[0]} and --{chosen[1]} exclude each other", hint=f"give one of {_options(modes)}"
            )
        mode = chosen[0] if chosen else "load"
        others, reason = _NOT_WITH[mode]
        for other in others:
            if getattr(self, other) is not None and getattr(self, other) is not False:
                raise MalformedParameters(
                    f"{_option(other)} does not count with --{mode}: {reason}", hint=f"leave out {_option(other)}"
                )
        return mode

    def time(self, now: datetime) -> datetime | None:
        """Return what --as-of means, or None where it was not given.

        Args:
            now: What `7d` is counted from.

        Raises:
            MalformedParameters: It is no time.
        """
        return None if self.as_of is None else read_time("--as-of", self.as_of, now=now)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _options(names: tuple[str, ...]) -> str:
    return ", ".join(map(_option, names))
