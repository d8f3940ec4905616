"""What the options of a seed mean together."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kinetria_cli.domain.errors import ConfirmationRequired, MalformedParameters
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.confirm import asking
from kinetria_cli.usecases.seeding.wish import SeedWish
from kinetria_cli.usecases.target import Target
from tests.fakes import FakePrompt

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WISH = SeedWish("load", 42)
TARGET = Target(ConnectionParams("db.example", 5432, "app", "pw", "gym", "require"), "DB_HOST", own=False)


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({}, "load"),
        ({"restore": True, "dry_run": True, "users": 7, "as_of": "now"}, "load"),
        ({"verify": True, "users": 7, "as_of": "now"}, "verify"),
        ({"remove": True, "dry_run": True}, "remove"),
        ({"check": True}, "check"),
    ],
)
def test_one_thing_is_asked_for(options: dict[str, Any], mode: str) -> None:
    assert replace(WISH, **options).mode == mode


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"verify": True, "remove": True}, "--verify and --remove exclude each other"),
        ({"remove": True, "check": True}, "--remove and --check exclude each other"),
        ({"verify": True, "restore": True}, "--restore does not count with --verify: it only compares"),
        ({"verify": True, "dry_run": True}, "--dry-run does not count with --verify: it only compares"),
        (
            {"remove": True, "users": 5},
            "--users does not count with --remove: it takes away all rows of the profile and random seed",
        ),
        (
            {"check": True, "as_of": "now"},
            "--as-of does not count with --check: it compares the generators with the schema",
        ),
        (
            {"check": True, "users": 0},
            "--users does not count with --check: it compares the generators with the schema",
        ),
    ],
)
def test_options_that_exclude_each_other_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedParameters) as failed:
        _ = replace(WISH, **options).mode
    assert failed.value.message == message
    assert failed.value.hint


def test_the_time_is_read_as_everywhere() -> None:
    assert WISH.time(NOW) is None
    assert replace(WISH, as_of="2026-11-16T19:30+01:00").time(NOW) == datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
    assert replace(WISH, as_of="now").time(NOW) == NOW
    with pytest.raises(MalformedParameters, match="--as-of is 'noon', which is no time"):
        replace(WISH, as_of="noon").time(NOW)


def ask(prompt: FakePrompt, *, destroys: bool = False, production: bool = False, confirm: str | None = None) -> None:
    asking(prompt, TARGET, destroys=destroys, production=production, yes=True, confirm=confirm)("5 rows come.")


def test_inserting_asks_in_production_alone() -> None:
    nobody = FakePrompt()
    ask(nobody)
    assert nobody.told == []
    with pytest.raises(ConfirmationRequired) as refused:
        ask(nobody, production=True)
    assert refused.value.message.startswith("5 rows come. On app@db.example:5432/gym (DB_HOST). Not confirmed")
    assert refused.value.hint == "add --confirm gym"
    ask(nobody, production=True, confirm="gym")
    assert nobody.told == ["5 rows come. On app@db.example:5432/gym (DB_HOST)."]
    ask(FakePrompt("gym"), production=True)


def test_a_name_that_is_not_the_databases_counts_everywhere() -> None:
    with pytest.raises(ConfirmationRequired, match="--confirm names 'other', the database is 'gym'"):
        ask(FakePrompt(), confirm="other")


def test_destroying_asks_everywhere() -> None:
    with pytest.raises(ConfirmationRequired):
        ask(FakePrompt(), destroys=True)
