"""What lists are narrowed by, on the fake and on real PostgreSQL: ranges, parts of texts, documents, networks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import AuditLogId
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import FieldKind, fields_of
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.records import Contains, Holds, Span, Within, filterable, id_range
from tests.contract.records import NOW, a_session, a_user, a_workout, an_audit_row, an_id, fill, repository


def matching(database: Database, table: str, **filters: object) -> set[UUID]:
    """The ids that a list has, which the count agrees with."""
    found = {record.id for record in repository(database, table).list(filters, limit=100).items}
    assert repository(database, table).count(filters) == len(found)
    return found


@pytest.mark.parametrize(
    ("span", "numbers"),
    [
        (Span(), {0, 1, 2}),
        (Span(since=NOW), {0, 1, 2}),
        (Span(since=NOW + timedelta(minutes=1)), {1, 2}),
        (Span(since=NOW + timedelta(minutes=1, microseconds=1)), {2}),
        (Span(before=NOW + timedelta(minutes=1)), {0}),
        (Span(until=NOW + timedelta(minutes=1)), {0, 1}),
        (Span(since=NOW + timedelta(minutes=1), before=NOW + timedelta(minutes=2)), {1}),
        (Span(since=NOW + timedelta(minutes=2), before=NOW), set()),
    ],
)
def test_a_span_has_its_beginning_and_not_its_end_unless_it_says_so(
    database: Database, span: Span, numbers: set[int]
) -> None:
    users = [a_user(number, minutes=number) for number in range(3)]
    for user in users:
        database.repositories.users.add(user)
    assert matching(database, "users", created_at=span) == {users[number].id for number in numbers}


def test_a_span_of_a_column_without_values_has_no_record(database: Database) -> None:
    records = fill(database)
    ended = replace(a_session(records["workouts"], 2), completed_at=NOW)
    database.repositories.sessions.add(ended)
    assert matching(database, "sessions", completed_at=Span(since=NOW)) == {ended.id}
    assert matching(database, "sessions", completed_at=Span(before=NOW)) == set()


def test_numbers_and_ids_have_spans_too(database: Database) -> None:
    one = fill(database)["set_records"]
    for span in (Span(since=8, until=8), Span(since=0), Span(until=2**31 - 1)):
        assert matching(database, "set_records", reps=span) == {one.id}
    for span in (Span(since=9), Span(before=8), Span(until=7)):
        assert matching(database, "set_records", reps=span) == set()
    assert matching(database, "set_records", weight_kg=Span(until=Decimal("9999.99"))) == {one.id}
    assert matching(database, "set_records", weight_kg=Span(until=Decimal("9999.985"))) == set()
    lowest, highest = id_range(str(one.id)[:9])
    assert matching(database, "set_records", id=Span(lowest, until=highest)) == {one.id}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%", {"50% off"}),
        ("_", {"a_b"}),
        ("\\", {"back\\slash"}),
        ("OFF", {"50% off", "50 off"}),
        ("0 o", {"50 off"}),
        ("%%", set()),
        ("' OR true --", set()),
        ("%(search)s", set()),
    ],
)
def test_a_text_is_looked_for_as_it_is_whatever_the_case(database: Database, text: str, found: set[str]) -> None:
    user = a_user()
    database.repositories.users.add(user)
    names = ("50% off", "50 off", "a_b", "acb", "back\\slash", "backslash")
    workouts = {name: replace(a_workout(user, number), name=name) for number, name in enumerate(names)}
    for workout in workouts.values():
        database.repositories.workouts.add(workout)
    wanted = {workouts[name].id for name in found}
    assert matching(database, "workouts", name=Contains(text)) == wanted
    assert matching(database, "workouts", search=Contains(text)) == wanted


def test_letters_beyond_ascii_are_found_in_any_case(database: Database) -> None:
    user = replace(a_user(), name="Ægir Ångström Élodie Привет", email="Ägir@Example.com")
    database.repositories.users.add(user)
    database.repositories.users.add(replace(a_user(2), name="Aegir Angstrom Elodie", email="agir@example.com"))
    for text in ("ÅNGSTRÖM", "ångström", "ÉLODIE", "élodie", "ПРИВЕТ", "привет", "ægIR"):
        assert matching(database, "users", search=Contains(text)) == {user.id}
        assert matching(database, "users", name=Contains(text)) == {user.id}
    assert database.repositories.trails.users_with_email("äGIR@example.com", limit=2) == (user.id,)


@pytest.mark.parametrize("table", [table for table in TABLES if table != "refresh_tokens"])
def test_a_search_looks_in_every_column_of_text_and_in_no_secret(database: Database, table: str) -> None:
    record = fill(database)[table]
    texts = [name for name, field in fields_of(table).items() if field.kind is FieldKind.TEXT and not field.secret]
    for name in texts:
        if value := getattr(record, name):
            assert matching(database, table, search=Contains(value.upper())) == {record.id}
    if table == "users":
        assert matching(database, table, search=Contains(record.password_hash)) == set()


def test_what_has_no_text_cannot_be_searched(database: Database) -> None:
    assert "search" not in filterable("refresh_tokens")
    with pytest.raises(MalformedParameters) as caught:
        database.repositories.refresh_tokens.list({"search": Contains("x")}, limit=1)
    assert caught.value.message == "refresh_tokens cannot be filtered by search"


@pytest.mark.parametrize(
    ("documents", "holds"),
    [
        (({"device": {"os": "ios"}},), True),
        (({"device": {}},), True),
        (({"device": {"os": "android"}},), False),
        (({"device": {"os": "android"}}, {"device": {"version": 17}}), True),
        (({"device": {"version": "17"}},), False),
        (({"os": "ios"},), False),
        (({"none": None},), True),
        ((), False),
    ],
)
def test_a_document_holds_what_postgres_says_it_does(
    database: Database, documents: tuple[dict[str, Any], ...], holds: bool
) -> None:
    row = replace(an_audit_row(None), metadata={"device": {"os": "ios", "version": 17}, "none": None})
    database.repositories.audit_log.add(row)
    database.repositories.audit_log.add(replace(row, id=AuditLogId(an_id("without")), metadata=None))
    assert matching(database, "audit_log", metadata=Holds(documents)) == ({row.id} if holds else set())


def test_an_address_is_within_a_network(database: Database) -> None:
    addresses = ("192.0.2.7", "192.0.3.7", "2001:db8::7")
    rows = [
        replace(an_audit_row(None, number), ip_address=ip_address(address)) for number, address in enumerate(addresses)
    ]
    for row in (*rows, replace(rows[0], id=AuditLogId(an_id("none")), ip_address=None)):
        database.repositories.audit_log.add(row)
    networks = {"192.0.2.0/24": {0}, "192.0.2.0/23": {0, 1}, "2001:db8::/32": {2}, "0.0.0.0/0": {0, 1}}
    for network, found in networks.items():
        wanted = {rows[number].id for number in found}
        assert matching(database, "audit_log", ip_address=Within(ip_network(network))) == wanted
    assert matching(database, "audit_log", ip_address=ip_address("192.0.2.7")) == {rows[0].id}


def test_the_sets_of_a_user_are_those_of_their_sessions(database: Database) -> None:
    records = fill(database)
    assert matching(database, "set_records", user_id=records["users"].id) == {records["set_records"].id}
    assert matching(database, "set_records", user_id=an_id("nobody")) == set()
    assert matching(database, "set_records", user_id=records["users"].id, reps=9) == set()
