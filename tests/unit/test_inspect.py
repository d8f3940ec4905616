"""Lists of records."""

from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.usecases.inspect import list_records
from tests.fake_repositories import FakeRepositories
from tests.seed_entities import build_profile


@pytest.fixture(scope="module")
def gym() -> FakeRepositories:
    """The demo gym; no test changes it."""
    repositories = FakeRepositories()
    for table, records in build_profile("demo", 42).items():
        repositories.rows[table] = {record.id: record for record in records}
    return repositories


def first(gym: FakeRepositories, table: str) -> Any:
    return next(iter(gym.rows[table].values()))


def listed(gym: FakeRepositories, entity: str, count: bool = False, **filters: object) -> Any:
    return list_records(entity, repositories=gym, filters=filters, limit=3, after=None, count=count)


@pytest.mark.parametrize("table", TABLES)
def test_a_list_is_a_page_of_the_newest(gym: FakeRepositories, table: str) -> None:
    entity = table.replace("_", "-")
    found = listed(gym, entity, count=True)
    assert found.entity == entity
    assert len(found.items) == 3
    assert found.next_cursor is not None
    assert found.total == len(gym.rows[table])
    behind = list_records(entity, repositories=gym, filters={}, limit=3, after=found.next_cursor, count=False)
    assert not {row.id for row in found.items} & {row.id for row in behind.items}
    assert behind.total is None


def test_a_user_filter_takes_an_id_or_an_email(gym: FakeRepositories) -> None:
    user = first(gym, "users")
    by_email = listed(gym, "workouts", user=user.email, count=True)
    assert by_email == listed(gym, "workouts", user=str(user.id), count=True)
    assert {workout.user_id for workout in by_email.items} == {user.id}
    assert by_email.total == 3


def test_a_filter_that_is_none_means_any(gym: FakeRepositories) -> None:
    assert listed(gym, "workouts", user=None, status=None, count=True).total == 12
