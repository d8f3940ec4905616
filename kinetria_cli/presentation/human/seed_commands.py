"""The commands that a screen about a seed ends with, to be pasted as they are."""

from datetime import datetime
from typing import Protocol

from kinetria_cli.presentation.screen import Screen


class OfSeed(Protocol):
    """What a result says of the seed it is about."""

    @property
    def profile(self) -> str:
        """Its name."""
        ...

    @property
    def random_seed(self) -> int:
        """The number it was made with."""
        ...

    @property
    def users(self) -> int:
        """How many."""
        ...

    @property
    def as_of(self) -> datetime:
        """What its records lead up to."""
        ...


def advise(screen: Screen, seed: OfSeed, advice: dict[str, str]) -> None:
    """Print commands on this seed, each with what it does.

    Args:
        screen: Where to.
        seed: A result that tells which seed.
        advice: Option, or nothing for `kinetria seed` itself -> what it does.
    """
    commands = {seed_command(seed, option): words for option, words in advice.items()}
    width = max(map(len, commands), default=0)
    for command, words in commands.items():
        screen.line(f"  {command:{width}}  {words}")


def seed_command(seed: OfSeed, option: str = "") -> str:
    """Return `kinetria seed` with all options that it needs to be about the same seed.

    Args:
        seed: A result that tells which seed. Of a profile of the user's own it does not tell the file.
        option: Such as --verify.
    """
    from kinetria_cli.usecases.profiles import PROFILES, find_profile

    own = seed.profile not in PROFILES
    default = None if own else find_profile(seed.profile, random_seed=seed.random_seed).as_of
    parts = ["kinetria seed"]
    if (seed.profile, seed.random_seed) != ("demo", 42):
        parts.append(f"--profile {'FILE.toml' if own else seed.profile}")
    if seed.random_seed != 42:
        parts.append(f"--random-seed {seed.random_seed}")
    # --remove takes away all rows of the profile and random seed, and refuses the options that would say which.
    if option != "--remove":
        if own or seed.profile == "load":
            parts.append(f"--users {seed.users}")
        if seed.as_of != default:
            parts.append(f"--as-of {seed.as_of.isoformat()}")
    return " ".join([*parts, option]).rstrip()
