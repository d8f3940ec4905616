"""Profiles of the user's own: what a file may say, and how it is told what it may not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import ConfigInvalid, MalformedParameters
from kinetria_cli.domain.seed_ids import MAX_USERS
from kinetria_cli.usecases.profiles import find_profile
from kinetria_cli.usecases.profiles.gym_file import MAX_BYTES
from kinetria_cli.usecases.seeding.wish import SeedWish

OWN = """\
# Mine
users = 12
as_of = 2025-06-01T08:00:00+02:00

[per_user]
sessions = [4, 8]
sets = 40
"""


def written(folder: Path, text: str | bytes, name: str = "mine.toml") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def refused(path: str) -> ConfigInvalid:
    with pytest.raises(ConfigInvalid) as caught:
        find_profile(path, random_seed=42)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_a_file_says_what_it_wants_and_the_rest_is_as_in_load(tmp_path: Path) -> None:
    profile = find_profile(written(tmp_path, OWN), random_seed=42)
    assert (profile.name, profile.users) == ("mine", 12)
    assert profile.as_of.isoformat() == "2025-06-01T06:00:00+00:00"
    counts = profile.counts(range(1, 13))
    assert counts["workouts"] == 36
    assert counts["set_records"] == 480
    assert 48 <= counts["sessions"] <= 96
    assert find_profile(written(tmp_path, OWN), random_seed=42, users=5).users == 5


def test_a_file_may_say_its_name_and_its_ids_are_its_own(tmp_path: Path) -> None:
    profile = find_profile(written(tmp_path, f'name = "gym-2"\n{OWN}'), random_seed=42)
    assert profile.name == "gym-2"
    other = find_profile("load", random_seed=42, users=12)
    assert not {row[0] for row in profile.rows("users", range(1, 13))} & {
        row[0] for row in other.rows("users", range(1, 13))
    }


def test_the_definition_is_of_the_parameters_alone(tmp_path: Path) -> None:
    first = find_profile(written(tmp_path, OWN), random_seed=42).definition
    assert (
        find_profile(written(tmp_path, f"# other words\n{OWN}", "b.toml"), random_seed=1, users=3).definition == first
    )
    assert find_profile(written(tmp_path, OWN + "tokens = 4\n"), random_seed=42).definition != first


@pytest.mark.parametrize(
    ("text", "line", "key", "told"),
    [
        ("users = 0", 1, "users", "is 0, which is below 1"),
        ("users = -4", 1, "users", "is -4, which is below 1"),
        (f"users = {MAX_USERS + 1}", 1, "users", "is 10,000,001, which is above 10,000,000"),
        ('users = "ten"', 1, "users", "is a text"),
        ("users = true", 1, "users", "is true or false"),
        ("users = 1.5", 1, "users", "is a number with a point"),
        ("users = 10\n\n# more\nmembers = 5", 4, "members", "is no key of a profile"),
        ("[per_user]\nsets = 40\nsteps = 1", 3, "per_user.steps", "is no key of a profile"),
        ("[extra]\nx = 1", 1, "extra", "is no key of a profile"),
        ("per_user = 3", 1, "per_user", "is no key of a profile"),
        ("[per_user]\ntokens = [3, 1]", 2, "per_user.tokens", "is a range upside down: 3 is more than 1"),
        ("[per_user]\ntokens = [\n  1,\n  2,\n  3,\n]", 2, "per_user.tokens", "is a list of 3"),
        ("per_user = { tokens = -1 }", 1, "per_user.tokens", "is -1, which is below 0"),
        ("weeks = 9\nper_user.tokens = 70000", 2, "per_user.tokens", "is 70,000, which is above 65,535"),
        ("[per_user]\nsets = 601", 2, "per_user.sets", "nobody does more than 60 in one"),
        ("weeks = 1", 1, "weeks", "makes 10 sessions in 1 week,"),
        ("[per_user]\nworkouts = 0", 2, "per_user.workouts", "leaves users without a workout"),
        ("[chances]\nset_note = 1.01", 2, "chances.set_note", "is 1.01, which is above 1"),
        ("[chances]\nset_note = nan", 2, "chances.set_note", "is no number"),
        ("[chances]\nset_note = inf", 2, "chances.set_note", "is no number"),
        ("[progress]\nper_week = -0.1", 2, "progress.per_week", "is -0.1, which is below 0"),
        ("as_of = 08:00:00", 1, "as_of", "is a time alone"),
        ("as_of = 1914-06-01", 1, "as_of", "is in the year 1914"),
        ("as_of = 1914-06-01T08:00:00Z", 1, "as_of", "is in the year 1914"),
        ('name = "My Gym"', 1, "name", "'My Gym' is no name of a profile"),
        ('users = 5\nname = ""', 2, "name", "is empty"),
        ('name = "load"', 1, "name", "is the name of a profile of the package"),
    ],
)
def test_what_no_profile_has_is_told_with_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, told: str
) -> None:
    path = written(tmp_path, text)
    error = refused(path)
    assert error.message.startswith(f"{path}:{line}: {key} ")
    assert told in error.message


@pytest.mark.parametrize(
    ("text", "guess"),
    [("user = 5", "did you mean users? keys: name, "), ("[per_user]\nset = 5", "did you mean per_user.sets? keys: ")],
)
def test_a_key_that_is_nearly_one_is_asked_about(tmp_path: Path, text: str, guess: str) -> None:
    assert (refused(written(tmp_path, text)).hint or "").startswith(guess)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T08:00:00", "2026-01-01T08:00:00+00:00"),
        ("2026-01-01T08:00:00+02:00", "2026-01-01T06:00:00+00:00"),
    ],
)
def test_a_time_is_read_as_the_option_reads_it(tmp_path: Path, text: str, moment: str) -> None:
    profile = find_profile(written(tmp_path, f"as_of = {text}\n"), random_seed=42)
    assert profile.as_of.isoformat() == moment
    option = SeedWish("load", 42, as_of=text).time(datetime(2026, 11, 28, tzinfo=UTC))
    assert option == profile.as_of


@pytest.mark.parametrize(
    ("text", "line"),
    [("users = 5\nweeks =\n", 2), ("users = 5\n[per_user\n", 2), ("users = 1\nusers = 2", 2), ('name = "x', 1)],
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = written(tmp_path, text)
    assert refused(path).message.startswith(f"{path}:{line}: not TOML: ")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "No such file" in refused(str(tmp_path / "none.toml")).message
    assert "Is a directory" in refused(f"{tmp_path}/").message
    assert "not UTF-8" in refused(written(tmp_path, b"users = 1\n# \xff")).message
    assert refused(written(tmp_path, b"users = 1\n# \xff")).message.split(": ")[0].endswith(":2")
    assert f"larger than {MAX_BYTES:,} bytes" in refused(written(tmp_path, "#" * (MAX_BYTES + 1))).message


def test_the_name_of_the_file_has_to_be_one(tmp_path: Path) -> None:
    error = refused(written(tmp_path, OWN, "My Gym é.toml"))
    assert error.message.endswith("called as the file, and 'My Gym é' is no name of a profile")
    assert (error.hint or "").startswith('set name = "mine" in the file: ')
    assert "is the name of a profile of the package" in refused(written(tmp_path, OWN, "demo.toml")).message


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("lod", "did you mean load? "),
        ("", ""),
        ("LOAD", "did you mean load? "),
        ("dmeo", "did you mean demo? "),
        ("mine", ""),
    ],
)
def test_an_unknown_name_is_told_those_there_are(name: str, guess: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        find_profile(name, random_seed=42)
    assert caught.value.message == f"there is no profile {name!r}"
    assert caught.value.hint == f"{guess}profiles: minimal, demo, load; or a file: ./mine.toml"


@pytest.mark.parametrize("users", [0, -1, MAX_USERS + 1])
def test_a_seed_has_from_one_to_ten_million_users(users: int) -> None:
    with pytest.raises(MalformedParameters) as caught:
        find_profile("load", random_seed=42, users=users)
    assert caught.value.message == f"--users {users} is out of range"
    assert caught.value.hint == "--users from 1 to 10,000,000"


@pytest.mark.parametrize("name", ["minimal", "demo"])
def test_what_is_made_by_hand_has_the_users_it_has(name: str) -> None:
    with pytest.raises(MalformedParameters, match="made by hand"):
        find_profile(name, random_seed=42, users=3)


def test_a_random_seed_has_to_fit_its_column() -> None:
    with pytest.raises(MalformedParameters, match="--random-seed 9223372036854775808 is out of range") as caught:
        find_profile("demo", random_seed=1 << 63)
    assert caught.value.hint == "--random-seed from -9223372036854775808 to 9223372036854775807"
