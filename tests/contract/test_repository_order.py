"""Every order of every list: page by page what ORDER BY gives, on the fake as on PostgreSQL, while rows come and go."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from ipaddress import IPv6Address
from itertools import chain
from typing import Any
from uuid import UUID, uuid4

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.records import Sort, sortable
from kinetria_cli.domain.repository_ports import Repository
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from tests.contract.records import repository
from tests.fake_repositories import FakeDatabase
from tests.seed_entities import build_profile
from tests.world import connect_to

EVERY = [
    pytest.param(table, Sort(column, descending), id=f"{table} {'-' if descending else ''}{column}")
    for table in TABLES
    for column in sortable(table)
    for descending in (False, True)
]


def profile() -> dict[str, list[Any]]:
    """The demo's records, of the sets a tenth, with neighbours that share values, have none, or are odd."""
    records = {table: list(rows) for table, rows in build_profile("demo", 42).items()}
    records["set_records"] = records["set_records"][::10]
    for table, rows in records.items():
        optional = {name: None for name, field in fields_of(table).items() if field.optional}
        unlike = {"users": "email", "refresh_tokens": "token_hash"}.get(table)
        for number, row in enumerate(rows[:3]):
            again = replace(row, id=uuid4(), **({unlike: f"{table} {number}"} if unlike else {}))
            rows.extend([again, replace(again, id=uuid4(), **optional)] if optional else [again])
    first, second, third = records["set_records"][:3]
    records["set_records"] += [
        replace(first, id=uuid4(), weight_kg=Decimal("0.00"), reps=0, notes=""),
        replace(second, id=uuid4(), weight_kg=Decimal("9999.99"), reps=2**31 - 1, notes="\u4e2d\U0001f600"),
        replace(third, id=uuid4(), notes="\x1b[31m' \\ % _ \u202e"),
    ]
    records["audit_log"].append(replace(records["audit_log"][0], id=uuid4(), ip_address=IPv6Address("2001:db8::7")))
    return records


RECORDS = profile()


def filled(database: Database) -> Database:
    with database.transaction() as repositories:
        for table in TABLES:
            target: Repository[Any] = getattr(repositories, table)
            assert target.add_many(RECORDS[table]) == len(RECORDS[table])
    return database


@pytest.fixture(scope="module")
def gym_params(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    params = replace(server, dbname="orders")
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE orders TEMPLATE {template}".encode())
    yield params
    with connect_to(server) as admin:
        admin.execute("DROP DATABASE orders WITH (FORCE)")


@pytest.fixture(scope="module")
def real(gym_params: ConnectionParams) -> Iterator[Database]:
    with closing(PostgresDatabase(gym_params, timeout=5)) as opened:
        yield filled(opened)


@pytest.fixture(scope="module")
def fake() -> Database:
    return filled(FakeDatabase())


def pages(repository: Repository[Any], sort: Sort, limit: int) -> list[list[UUID]]:
    found = []
    after: str | None = None
    while True:
        page = repository.list({}, limit=limit, after=after, sort=sort)
        found.append([record.id for record in page.items])
        after = page.next_cursor
        if after is None:
            return found


@pytest.mark.parametrize(("table", "sort"), EVERY)
def test_pages_are_what_order_by_gives(
    real: Database, fake: Database, gym_params: ConnectionParams, table: str, sort: Sort
) -> None:
    direction = "DESC" if sort.descending else "ASC"
    with connect_to(gym_params) as sql:
        query = f"SELECT id FROM {table} ORDER BY {sort.column} {direction} NULLS LAST, id {direction}"
        wanted = [found for (found,) in sql.execute(query.encode())]
    assert len(wanted) == len(RECORDS[table])
    limit = max(2, len(wanted) // 5)
    for database in (real, fake):
        found = pages(repository(database, table), sort, limit)
        assert [*chain(*found)] == wanted
        assert len(found) > 3
        assert {len(page) for page in found[:-1]} == {limit}


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("table", "column"),
    [("users", "name"), ("sessions", "completed_at"), ("sessions", "status"), ("set_records", "weight_kg")],
)
def test_no_row_is_lost_or_seen_twice_while_others_come_and_go(
    database: Database, table: str, column: str, descending: bool
) -> None:
    target = repository(filled(database), table)
    sort = Sort(column, descending)
    before = [*chain(*pages(target, sort, 1000))]
    seen = []
    after: str | None = None
    while True:
        page = target.list({}, limit=len(before) // 4, after=after, sort=sort)
        seen += [record.id for record in page.items]
        after = page.next_cursor
        if after is None:
            break
        # One row like the first, one like the last of the page, and one of the page is gone: the last, with its place.
        for record in (page.items[0], page.items[-1]):
            target.add(replace(record, id=uuid4(), **({"email": str(uuid4())} if table == "users" else {})))
        if table == "set_records":
            target.delete(page.items[-1].id)
    assert [found for found in seen if found in set(before)] == before
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("column", ["colour", "password_hash", "token_hash", "metadata", "id; DROP TABLE users", ""])
def test_a_list_is_not_sorted_by_what_is_no_plain_column(
    real: Database, fake: Database, table: str, column: str
) -> None:
    for database in (real, fake):
        with pytest.raises(MalformedParameters) as caught:
            repository(database, table).list({}, limit=1, sort=Sort(column))
        assert caught.value.message == f"{table} cannot be sorted by {column}"
        assert caught.value.hint == f"columns: {', '.join(sortable(table))}"


def test_a_cursor_belongs_to_its_order(real: Database, fake: Database) -> None:
    for database in (real, fake):
        found = database.repositories.sessions.list({}, limit=1, sort=Sort("completed_at", descending=False))
        with pytest.raises(MalformedParameters) as caught:
            database.repositories.sessions.list({}, limit=1, after=found.next_cursor, sort=Sort("completed_at"))
        assert caught.value.message == "--after is a cursor of the list sorted by completed_at, not by -completed_at"
        assert caught.value.hint == "add --sort=completed_at, or begin without --after"
