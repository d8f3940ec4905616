"""The seed profiles, by name: what each one's rows are."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.seed_ids import MAX_USERS
from kinetria_cli.domain.seeding import Profile
from kinetria_cli.usecases.guess import did_you_mean
from kinetria_cli.usecases.profiles import demo, minimal
from kinetria_cli.usecases.profiles.generated import Generated
from kinetria_cli.usecases.profiles.gym import Gym
from kinetria_cli.usecases.profiles.gym_file import load_gym, read_gym
from kinetria_cli.usecases.profiles.gym_keys import YEARS
from kinetria_cli.usecases.profiles.handmade import Handmade
from kinetria_cli.usecases.profiles.rows import check_fields

PROFILES = ("minimal", "demo", "load")
"""The names of the profiles in the package."""
SEEDS = range(-(1 << 63), 1 << 63)
"""The random seeds that kinetria_seed can hold: its column is a bigint."""


def find_profile(
    name_or_path: str, *, random_seed: int, users: int | None = None, as_of: datetime | None = None
) -> Profile:
    """Return a profile by its name, or read one from a file: what ends in .toml or has a slash in it.

    Args:
        name_or_path: `minimal`, `demo`, `load`, or a TOML file of the same keys as the package's load.toml.
        random_seed: The same number gives the same rows.
        users: How many; without it as many as the profile says. Minimal and demo have theirs.
        as_of: The moment that the records lead up to, aware; without it the profile's own.

    Raises:
        MalformedParameters: There is no such profile, or a number or time is not one that it can have.
        ConfigInvalid: The file is not there, or not a profile; the message says where and why.
        GenerationFailed: An entity has a field that no generator makes.
    """
    check_fields()
    _check(random_seed, users, as_of)
    if name_or_path == "minimal":
        return _handmade(minimal.NAME, random_seed, users, as_of, (minimal.USERS, minimal.AS_OF, minimal.build_minimal))
    if name_or_path == "demo":
        return _handmade(demo.NAME, random_seed, users, as_of, (demo.USERS, demo.AS_OF, demo.build_demo))
    if name_or_path == "load":
        return _generated(name_or_path, load_gym(), random_seed, users, as_of)
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        return _generated(*read_gym(name_or_path), random_seed, users, as_of)
    raise MalformedParameters(
        f"there is no profile {name_or_path!r}",
        hint=f"{did_you_mean(name_or_path, PROFILES)}profiles: {', '.join(PROFILES)}; or a file: ./mine.toml",
    )


def _check(random_seed: int, users: int | None, as_of: datetime | None) -> None:
    if random_seed not in SEEDS:
        raise MalformedParameters(
            f"--random-seed {random_seed} is out of range", hint=f"--random-seed from {SEEDS[0]} to {SEEDS[-1]}"
        )
    if users is not None and not 1 <= users <= MAX_USERS:
        raise MalformedParameters(f"--users {users} is out of range", hint=f"--users from 1 to {MAX_USERS:,}")
    if as_of is not None and as_of.year not in YEARS:
        raise MalformedParameters(
            f"a seed cannot lead up to the year {as_of.year}: its records would be no dates to most programs",
            hint=f"--as-of takes a time of the years {YEARS[0]} to {YEARS[-1]}",
        )


def _generated(name: str, gym: Gym, random_seed: int, users: int | None, as_of: datetime | None) -> Generated:
    moment = gym.as_of if as_of is None else as_of.astimezone(UTC)
    return Generated(name, random_seed, gym.users if users is None else users, moment, gym)


def _handmade(
    name: str,
    random_seed: int,
    users: int | None,
    as_of: datetime | None,
    made: tuple[int, datetime, Callable[[int], Any]],
) -> Handmade:
    own_users, base, build = made
    if users is not None:
        raise MalformedParameters(
            f"the profile {name} is made by hand and has {own_users} user{'s' * (own_users > 1)}, always",
            hint=f"leave --users out, or take --profile load --users {users}",
        )
    return Handmade(name, random_seed, own_users, base if as_of is None else as_of.astimezone(UTC), base, build)
