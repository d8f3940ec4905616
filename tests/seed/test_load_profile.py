"""The profile load: what people train, the same for user n however many there are, whole and within the domain."""

import pickle
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.fields import FieldKind, fields_of
from kinetria_cli.domain.seed_ids import user_of
from kinetria_cli.domain.seeding import CATALOGUE, Profile, Row, marks, micros
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.gateways.postgres.seeding.images import HEADER, images
from kinetria_cli.usecases.profiles import find_profile
from tests.integration.checking import look
from tests.seed.test_images import copy_in, copy_out
from tests.seed_entities import entity_of

USERS = 200
VARIED = """
weeks = 3
deload_every = 2
training_now_every = 3
[per_user]
workouts = [1, 40]
sessions = [0, 18]
sets = 0
tokens = [0, 9]
audit_rows = [0, 30]
[chances]
missed_week = 1
cancelled_session = 0.5
"""


def load(users: int = USERS, **options: Any) -> Profile:
    return find_profile("load", **{"random_seed": 42, "users": users, **options})


def everything(profile: Profile, users: range | None = None) -> dict[str, list[Row]]:
    return {table: list(profile.rows(table, users or range(1, profile.users + 1))) for table in TABLES}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    return everything(load())


def column(table: str, name: str) -> int:
    return list(fields_of(table)).index(name)


def test_each_user_has_three_workouts_ten_sessions_and_a_hundred_sets(rows: dict[str, list[Row]]) -> None:
    for table, wanted in (("users", 1), ("workouts", 3), ("sessions", 10), ("set_records", 100)):
        counted = Counter(user_of(row[0]) for row in rows[table])  # type: ignore[arg-type]
        assert counted == dict.fromkeys(range(1, USERS + 1), wanted)


def test_ten_thousand_users_are_about_one_million_two_hundred_thousand_rows() -> None:
    assert 1_190_000 < sum(load().counts(range(1, 10_001)).values()) < 1_220_000


def test_counts_are_those_of_the_rows(rows: dict[str, list[Row]], tmp_path: Path) -> None:
    for profile in (load(), varied(tmp_path)):
        for users in (range(1, USERS + 1), range(7, 8), range(50, 73)):
            made = everything(profile, users)
            assert profile.counts(users) == {table: len(found) for table, found in made.items()}


def varied(folder: Path) -> Profile:
    path = folder / "varied.toml"
    path.write_text(VARIED)
    return find_profile(str(path), random_seed=7, users=USERS)


def test_a_smaller_scale_is_a_prefix_of_a_larger(rows: dict[str, list[Row]]) -> None:
    for table, found in everything(load(1_000_000), range(1, 31)).items():
        assert rows[table][: len(found)] == found


def test_rows_come_by_id_and_bear_the_mark(rows: dict[str, list[Row]]) -> None:
    mark = marks("load", 42)
    for table, found in rows.items():
        ids = [row[0] for row in found]
        assert ids == sorted(set(ids))  # type: ignore[type-var]
        assert all(record_id[6:] == mark[table].tail for record_id in ids)  # type: ignore[index]


def test_another_seed_is_another_gym(rows: dict[str, list[Row]]) -> None:
    other = everything(load(random_seed=43))
    for table in TABLES:
        assert (other[table] == rows[table]) == (table == CATALOGUE)
        assert len(other[table]) == pytest.approx(len(rows[table]), rel=0.1)
    for table, name in (("users", "email"), ("refresh_tokens", "token_hash")):
        place = column(table, name)
        found = [row[place] for row in (*rows[table], *other[table])]
        assert len(set(found)) == len(found)


def test_another_day_moves_every_time_and_nothing_else(rows: dict[str, list[Row]]) -> None:
    later = timedelta(days=100, hours=3)
    moved = everything(load(as_of=datetime(2026, 11, 16, 18, 30, tzinfo=UTC) + later))
    for table in TABLES:
        by = 0 if table == CATALOGUE else later // timedelta(microseconds=1)
        times = [field.kind is FieldKind.TIME for field in fields_of(table).values()]
        for row, other in zip(rows[table], moved[table], strict=True):
            expected = [
                value + by if is_time and value is not None else value  # type: ignore[operator]
                for is_time, value in zip(times, row, strict=True)
            ]
            assert list(other) == expected


def test_nothing_but_the_end_of_a_token_is_after_the_day(rows: dict[str, list[Row]]) -> None:
    as_of = micros(load().as_of)
    for table, found in rows.items():
        for place, field in enumerate(fields_of(table).values()):
            if field.kind is FieldKind.TIME and field.name != "expires_at":
                assert all(row[place] is None or row[place] <= as_of for row in found)  # type: ignore[operator]


@pytest.mark.parametrize(("random_seed", "start"), [(42, 1), (7, 1), (-3, 137), (99, 5_000)])
def test_any_two_hundred_users_have_every_word_and_every_null(random_seed: int, start: int) -> None:
    made = everything(load(10_000, random_seed=random_seed), range(start, start + USERS))
    for table in TABLES:
        for place, field in enumerate(fields_of(table).values()):
            found = {row[place] for row in made[table]}
            if field.vocabulary is not None:
                assert found == {word.value for word in field.vocabulary}
            # Every exercise has the placeholder, see DEFAULT_EXERCISE_VIDEO_URL.
            if field.optional and table != CATALOGUE:
                assert None in found, (table, field.name)
                assert len(found) > 1, (table, field.name)


def test_it_looks_like_training(rows: dict[str, list[Row]]) -> None:
    sessions = [entity_of("sessions", row) for row in rows["sessions"]]
    weeks = Counter((session.user_id, (load().as_of - session.started_at).days // 7) for session in sessions)
    assert sum(len({week for owner, week in weeks if owner == user}) < 8 for user in {owner for owner, _ in weeks}) > 50
    assert max(weeks.values()) <= 6
    heaviest: dict[int, list[int]] = defaultdict(list)
    week_of = {session.id.bytes: (load().as_of - session.started_at).days // 7 for session in sessions}
    for row in rows["set_records"]:
        if row[5] is not None:
            assert row[5] % 250 == 0
            heaviest[week_of[row[1]]].append(row[5])  # type: ignore[arg-type]
    mean = {week: sum(found) / len(found) for week, found in heaviest.items()}
    assert mean[1] > mean[7] * 1.02  # the last whole week against the first
    assert mean[4] < mean[5]  # the fourth week is a light one
    for (_, _), sets in groupby(rows["set_records"], key=lambda row: (row[1], row[2])):
        reps: list[Any] = [row[4] for row in sets]
        assert reps[0] is None or reps == sorted(reps, reverse=True)


def test_a_profile_goes_to_another_process(rows: dict[str, list[Row]]) -> None:
    for name in ("minimal", "demo", "load"):
        profile = find_profile(name, random_seed=42)
        list(profile.rows("set_records", range(1, 3)))
        other = pickle.loads(pickle.dumps(profile))
        assert other == profile
        assert other.definition == profile.definition
        assert list(other.rows("set_records", range(1, 3))) == list(profile.rows("set_records", range(1, 3)))


@pytest.mark.parametrize("name", ["minimal", "demo", "load", "varied"])
def test_the_database_takes_it_and_finds_no_fault(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], tmp_path: Path, name: str
) -> None:
    users = USERS if name == "load" else None
    profile = varied(tmp_path) if name == "varied" else find_profile(name, random_seed=42, users=users)
    for table in TABLES:
        made = b"".join(images(table, profile.rows(table, range(1, profile.users + 1))))
        copy_in(sql, table, made)
        assert copy_out(sql, table) == HEADER + made + b"\xff\xff"
    found = look(migrated, only=("invariant",), now=profile.as_of)
    assert [finding.message for finding in found.findings if finding.severity is not Severity.INFO] == []


def test_rows_are_the_entities_that_are_read_back(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    profile = find_profile("demo", random_seed=42)
    for table in TABLES:
        copy_in(sql, table, b"".join(images(table, profile.rows(table, range(1, 6)))))
    with closing(PostgresDatabase(migrated, timeout=5)) as database, database.transaction() as repositories:
        for table in TABLES:
            wanted = {found.id: found for found in (entity_of(table, row) for row in profile.rows(table, range(1, 6)))}
            assert getattr(repositories, table).get_many(wanted) == wanted
