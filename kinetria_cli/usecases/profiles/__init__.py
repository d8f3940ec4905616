"""The seed profiles, by name."""

from collections.abc import Callable
from typing import Any

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.usecases.profiles.demo import build_demo
from kinetria_cli.usecases.profiles.minimal import build_minimal

Records = dict[str, list[Any]]
"""Table name -> its entities."""

PROFILES: dict[str, Callable[[int], Records]] = {"minimal": build_minimal, "demo": build_demo}


def check_profile(name: str) -> None:
    """Return when there is such a profile.

    Raises:
        MalformedParameters: There is none.
    """
    if name not in PROFILES:
        raise MalformedParameters(f"there is no profile {name!r}", hint=f"profiles: {', '.join(PROFILES)}")


def build_profile(name: str, random_seed: int) -> Records:
    """Return the profile's records, the same for the same seed on any machine.

    Raises:
        MalformedParameters: There is no such profile.
    """
    check_profile(name)
    return PROFILES[name](random_seed)
