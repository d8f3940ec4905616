"""What an export keeps to, on the fake and on real PostgreSQL."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.export import Export, ExportFormat
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.records import Sort
from kinetria_cli.presentation.encoder import encode
from tests.contract.records import a_user, fill

CSV, NDJSON = ExportFormat.CSV, ExportFormat.NDJSON


def written(database: Database, table: str, wanted: Export) -> tuple[int, bytes]:
    with database.snapshot() as repositories, closing(getattr(repositories, table).export(wanted)) as chunks:
        found = list(chunks)
    return sum(chunk.records for chunk in found), b"".join(chunk.data for chunk in found)


def ids(database: Database, wanted: Export) -> list[str]:
    return [json.loads(line)["id"] for line in written(database, "users", wanted)[1].splitlines()]


@pytest.mark.parametrize("table", TABLES)
def test_a_line_has_the_record_as_json_has_it(database: Database, table: str) -> None:
    record = fill(database)[table]
    assert written(database, table, Export(NDJSON, {})) == (1, f"{json.dumps(encode(record))}\n".encode())


@pytest.mark.parametrize("table", TABLES)
def test_csv_has_a_header_that_is_no_record(database: Database, table: str) -> None:
    header = ",".join(fields_of(table)).encode() + b"\n"
    assert written(database, table, Export(CSV, {})) == (0, header)
    fill(database)
    records, data = written(database, table, Export(CSV, {}))
    assert (records, data.count(b"\n")) == (1, 2)
    assert data.startswith(header)


def test_nothing_that_matches_is_no_line(database: Database) -> None:
    fill(database)
    assert written(database, "users", Export(NDJSON, {"email": "no@example.com"})) == (0, b"")


def test_columns_are_those_asked_for_in_that_order(database: Database) -> None:
    fill(database)
    wanted = Export(NDJSON, {}, columns=("password_hash", "email", "password_hash"))
    assert written(database, "users", wanted)[1] == b'{"password_hash": "present", "email": "user1@example.com"}\n'
    assert (
        written(database, "users", replace(wanted, format=CSV))[1]
        == b"password_hash,email\npresent,user1@example.com\n"
    )


def test_a_limit_takes_the_newest_and_a_sort_decides(database: Database) -> None:
    users = [a_user(number, minutes=number) for number in (1, 2, 3)]
    database.repositories.users.add_many(users)
    named = {str(user.id): number for number, user in enumerate(users, 1)}
    assert sorted(named[found] for found in ids(database, Export(NDJSON, {}))) == [1, 2, 3]
    for sort, limit, expected in (
        (None, 2, [3, 2]),
        (Sort("email", descending=False), None, [1, 2, 3]),
        (Sort("created_at", descending=False), 1, [1]),
    ):
        assert [named[found] for found in ids(database, Export(NDJSON, {}, sort, limit))] == expected


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Export(CSV, {}, columns=("id", "nope")), "users has no column nope"),
        (Export(CSV, {"nope": 1}), "users cannot be filtered by nope"),
        (Export(CSV, {}, limit=0), "--limit is 0"),
        (Export(CSV, {}, sort=Sort("password_hash")), "users cannot be sorted by password_hash"),
    ],
)
def test_what_the_table_has_not_is_malformed(database: Database, wanted: Export, message: str) -> None:
    with pytest.raises(MalformedParameters, match=f"^{message}$"):
        written(database, "users", wanted)
