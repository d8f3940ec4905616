"""What of a real schema the generators do not fill."""

from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.domain.vos import VOCABULARIES
from kinetria_cli.usecases.seeding.contract import check_contract, contract, produced
from tests.integration.checking import inspector


def test_the_migrated_schema_is_filled(migrated: ConnectionParams) -> None:
    found = check_contract(inspector(migrated))
    assert found.ok
    assert found.findings == ()


def test_the_profiles_use_every_word() -> None:
    assert produced() == {name: frozenset(word.value for word in words) for name, words in VOCABULARIES.items()}


@pytest.mark.parametrize(
    ("statement", "place", "told"),
    [
        ("ALTER TABLE users ADD phone text NOT NULL", "column public.users.phone", "may not be null, has no default"),
        ("ALTER TYPE audit_action ADD VALUE 'password_reset'", "type public.audit_action", "'password_reset'"),
        ("ALTER TABLE sessions DROP notes", "column public.sessions.notes", "is not there"),
        ("DROP TABLE refresh_tokens", "table public.refresh_tokens", "is not there"),
    ],
)
def test_what_no_generator_fills_is_found(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], statement: str, place: str, told: str
) -> None:
    sql.execute(statement.encode())
    (finding,) = check_contract(inspector(migrated)).findings
    assert finding.object == place
    assert told in finding.message


@pytest.mark.parametrize("rest", ["text", "text NOT NULL DEFAULT ''", "integer GENERATED ALWAYS AS IDENTITY"])
def test_a_column_that_fills_itself_is_none_of_it(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], rest: str
) -> None:
    sql.execute(f"ALTER TABLE users ADD phone {rest}".encode())
    assert check_contract(inspector(migrated)).ok


def test_an_empty_schema_lacks_every_table() -> None:
    assert len(contract({}, {}).findings) == 7
