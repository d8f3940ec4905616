"""With 10,000 users and 1,000,000 sets no statement reads a large table from end to end where an index would do."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.records import Holds, Matches, Span
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.tree import DEPTHS, show_record
from tests.integration.plans import ExplainedDatabase, indexes_used, scanned
from tests.world import CHECKOUT, connect_to

LARGE = {"users", "workouts", "sessions", "set_records", "refresh_tokens", "audit_log"}


@pytest.fixture(scope="module")
def gym(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    """A migrated database with as many rows as `make bench` has."""
    name = "large_gym"
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    params = replace(server, dbname=name)
    with connect_to(params) as connection:
        for statement in (CHECKOUT / "bench" / "gym.sql").read_text("utf-8").split(";\n"):
            connection.execute(statement.replace(":users", "10000").encode())
    yield params
    with connect_to(server) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def database(gym: ConnectionParams) -> Iterator[ExplainedDatabase]:
    with closing(ExplainedDatabase(gym, timeout=5)) as opened:
        yield opened


@pytest.fixture(scope="module")
def examples(gym: ConnectionParams) -> dict[str, Any]:
    """One record a table, as a mapping."""
    with closing(ExplainedDatabase(gym, timeout=5)) as opened, opened.snapshot() as repositories:
        return {table: getattr(repositories, table).list({}, limit=1).items[0] for table in TABLES}


@pytest.mark.parametrize("table", sorted(LARGE))
def test_there_are_as_many_rows_as_the_figures_speak_of(database: ExplainedDatabase, table: str) -> None:
    assert getattr(database.repositories, table).count({}) >= 10_000


@pytest.mark.parametrize("table", TABLES)
def test_a_record_is_found_by_its_id_through_the_primary_key(
    database: ExplainedDatabase, examples: dict[str, Any], table: str
) -> None:
    record = examples[table]
    with database.snapshot() as repositories:
        found = getattr(repositories, table)
        assert found.get(record.id) == record
        assert found.get_many([record.id]) == {record.id: record}
        assert found.exists(record.id)
        assert record in found.with_prefix(str(record.id)[:12], limit=3)
    assert len(database.plans) == 4
    assert not scanned(database.plans) & LARGE
    assert table == "exercises" or indexes_used(database.plans) == {f"{table}_pkey"}


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

INDEXED: list[tuple[str, dict[str, Any]]] = [
    ("users", {"email": "member7777@example.com"}),
    ("workouts", {"user_id": ...}),
    ("workouts", {"user_id": ..., "status": "draft"}),
    ("sessions", {"user_id": ...}),
    ("sessions", {"user_id": ..., "status": "completed"}),
    ("sessions", {"workout_id": ...}),
    ("sessions", {"status": "in_progress"}),
    ("sessions", {"started_at": Span(NOON, NOON.replace(hour=13))}),
    ("set_records", {"session_id": ...}),
    ("set_records", {"session_id": ..., "exercise_id": ...}),
    ("set_records", {"user_id": "sessions"}),
    ("refresh_tokens", {"user_id": ...}),
    ("refresh_tokens", {"user_id": ..., "revoked": False}),
    ("refresh_tokens", {"expires_at": Span(None, NOON)}),
    ("audit_log", {"user_id": ...}),
    ("audit_log", {"action": "login"}),
    ("audit_log", {"entity_type": "session", "entity_id": ...}),
    ("audit_log", {"created_at": Span(NOON, NOON.replace(hour=13))}),
    ("audit_log", {"metadata": Holds(({"n": 77},))}),
    ("audit_log", {"metadata": Matches("$.n == 77")}),
]
"""A filter that has an index, with a value that few rows have: where most of them match, reading all is right."""


@pytest.mark.parametrize(("table", "filters"), INDEXED, ids=[f"{t}-{'-'.join(f)}" for t, f in INDEXED])
def test_a_filter_with_an_index_uses_it(
    database: ExplainedDatabase, examples: dict[str, Any], table: str, filters: dict[str, Any]
) -> None:
    def value(column: str, wanted: Any) -> Any:
        if wanted == "sessions":
            return examples["sessions"].user_id
        return getattr(examples[table], column) if wanted is ... else wanted

    chosen = {column: value(column, wanted) for column, wanted in filters.items()}
    with database.snapshot() as repositories:
        repository = getattr(repositories, table)
        first = repository.list(chosen, limit=20)
        assert repository.count(chosen) >= len(first.items)
    assert len(database.plans) == 2
    assert not scanned(database.plans) & LARGE
    assert indexes_used(database.plans)


@pytest.mark.parametrize(("table", "index"), [("sessions", "started_at"), ("audit_log", "created_at")])
def test_a_page_far_behind_begins_at_its_place_in_the_index(
    database: ExplainedDatabase, table: str, index: str
) -> None:
    with database.snapshot() as repositories:
        repository = getattr(repositories, table)
        first = repository.list({}, limit=20)
        repository.list({}, limit=20, after=first.next_cursor)
    assert indexes_used(database.plans) == {f"idx_{table}_{index}"}
    assert not scanned(database.plans)


@pytest.mark.scenario("S45")
def test_a_user_among_10000_is_found_by_email_through_an_index(database: ExplainedDatabase) -> None:
    (found,) = database.repositories.users.list({"email": "member7777@example.com"}, limit=2).items
    assert found.name == "Member 7777"
    assert indexes_used(database.plans) <= {"idx_users_email", "users_email_key"}
    assert not scanned(database.plans)


@pytest.mark.parametrize("table", TABLES)
def test_a_record_with_what_hangs_on_it_reads_no_large_table(
    database: ExplainedDatabase, examples: dict[str, Any], table: str
) -> None:
    with database.snapshot() as repositories:
        show_record(
            table.replace("_", "-"),
            str(examples[table].id),
            repositories=repositories,
            now=datetime.now(UTC),
            depth=DEPTHS[table],
        )
    # An exercise is done in a quarter of all sessions: who trained it is known soonest by reading them all once.
    right = {"sessions"} if table == "exercises" else set()
    assert not scanned(database.plans) & (LARGE - right)
