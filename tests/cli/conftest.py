"""Databases for the tests of commands: the demo to read from, and empty ones to write to."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA
from tests.conftest import free_port, gateway_for
from tests.integration import rows
from tests.integration.rows import Sql, one
from tests.seeding import seed_demo
from tests.world import Cli, connect_to

DOCUMENTS: tuple[dict[str, Any], ...] = (
    {"device": {"os": "ios", "version": 17}},
    {"device": {"os": "android", "version": "17"}},
    {"device": {"os": None}, "tags": ["a", "b"]},
    {"device": "none", "100 %_\\": True},
)


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine is not asked for its health."""
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


@pytest.fixture(scope="session")
def gym_params(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    """A database with the demo profile, for tests that only read."""
    params = replace(server, dbname="gym")
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE gym TEMPLATE {template}".encode())
    seed_demo(params, gateway_for(params))
    yield params
    with connect_to(server) as admin:
        admin.execute("DROP DATABASE gym WITH (FORCE)")


@pytest.fixture
def gym(cli: Cli, gym_params: ConnectionParams) -> Cli:
    return cli.use(gym_params)


@pytest.fixture
def gym_sql(gym_params: ConnectionParams) -> Iterator[Sql]:
    with connect_to(gym_params) as opened:
        yield opened


@pytest.fixture
def new(cli: Cli, migrated: ConnectionParams) -> Cli:
    """The command line against a migrated database without records."""
    return cli.use(migrated)


@pytest.fixture(scope="session")
def varied_params(gym_params: ConnectionParams) -> Iterator[ConnectionParams]:
    """The demo, and what it has not: documents, addresses, texts full of patterns, tokens of every state."""
    params = replace(gym_params, dbname="varied")
    with connect_to(replace(gym_params, dbname="kinetria")) as admin:
        admin.execute("CREATE DATABASE varied TEMPLATE gym")
    with connect_to(params) as sql:
        for number, document in enumerate(DOCUMENTS):
            rows.audit_row(
                sql,
                metadata=Jsonb(document),
                ip_address=("2001:db8::7", "198.51.100.7", "198.51.100.7/24", None)[number],
                user_agent="curl/8 100%_\\",
                entity_type="odd",
                entity_id=f"1f9d8a3e-5b7c-4d2e-9f10-3c4b5a69788{number % 2}",
            )
        owner = one(sql, f"SELECT id FROM users WHERE email = '{ANA}'")
        for distance in ("-1 year", "1 year"):
            for revoked in (True, False):
                expires = one(sql, "SELECT now() + %s::interval", (distance,))
                rows.refresh_token(sql, owner, expires_at=expires, revoked=revoked)
        for text in ("50% off", "50 off", "a_b", "acb", "back\\slash", "backslash"):
            rows.workout(sql, owner, name=text, description=text.upper())
            rows.user(sql, name=text)
            rows.exercise(sql, name=text, description=text, video_url=f"https://example.com/{text}")
        visit = rows.session(sql, owner, rows.workout(sql, owner), notes="50% OFF", completed_at="2027-01-01 00:00+00")
        lift = rows.exercise(sql)
        rows.set_record(sql, session_id=visit, exercise_id=lift, set_number=7, weight_kg="60.01", notes="50% off")
        rows.set_record(sql, session_id=visit, exercise_id=lift, set_number=8, reps=0, weight_kg="0", notes="50 off")
    yield params
    with connect_to(replace(gym_params, dbname="kinetria")) as admin:
        admin.execute("DROP DATABASE varied WITH (FORCE)")


@pytest.fixture
def varied(cli: Cli, varied_params: ConnectionParams) -> Cli:
    return cli.use(varied_params)


@pytest.fixture
def varied_sql(varied_params: ConnectionParams) -> Iterator[Sql]:
    with connect_to(varied_params) as opened:
        yield opened
