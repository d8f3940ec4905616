"""The JSON form of results and errors, to the letter."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_interface
from typing import Any, ClassVar
from uuid import UUID

import pytest

from kinetria_cli.domain.entities import AuditLog, AuditLogId, RefreshToken, RefreshTokenId, User, UserId
from kinetria_cli.domain.errors import ConfigMissing
from kinetria_cli.domain.health import Check, CheckStatus, summarise
from kinetria_cli.domain.migration import MigrateResult, MigrationEntry, MigrationRun, MigrationState, MigrationStatus
from kinetria_cli.domain.vos import AuditAction
from kinetria_cli.presentation.encoder import encode, error_document, result_document
from kinetria_cli.usecases.down import DownResult
from kinetria_cli.usecases.inspect import RecordList
from kinetria_cli.usecases.seeding.results import SeedResult, SeedTable

NOW = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
ID = UUID("1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887")


def test_a_result_is_one_document() -> None:
    assert result_document(DownResult("embedded", ("app", "postgres"), ()), ok=True) == (
        '{"kind": "down", "version": 1, "ok": true,'
        ' "data": {"engine": "embedded", "stopped": ["app", "postgres"], "removed_volumes": []}}'
    )


def test_an_error_is_one_document() -> None:
    error = ConfigMissing("failed to parse config: DB_HOST is not set", hint="kinetria up")
    assert error_document(error, error.message, error.hint, []) == (
        '{"kind": "error", "version": 1, "ok": false, "error": {"code": "config.missing",'
        ' "message": "failed to parse config: DB_HOST is not set", "hint": "kinetria up", "exit_code": 3}}'
    )
    assert json.loads(error_document(error, "x", None, []))["error"]["hint"] is None
    assert json.loads(error_document(error, "x", None, ["line 3"]))["error"]["details"] == ["line 3"]


@pytest.mark.parametrize(
    ("result", "data"),
    [
        (
            MigrateResult((MigrationRun("0001_a", 0.5),), 0, "0001_a", 0.0),
            {
                "applied": [{"id": "0001_a", "seconds": 0.5}],
                "pending": 0,
                "head": "0001_a",
                "waited_seconds": 0.0,
                "already_applied": [],
                "already_applied_by": None,
                "worse": [],
            },
        ),
        (
            MigrationStatus((MigrationEntry("0001_a", MigrationState.APPLIED, NOW, "ana@host"),)),
            {
                "migrations": [
                    {
                        "id": "0001_a",
                        "state": "applied",
                        "applied_at": "2026-11-16T18:30:00+00:00",
                        "applied_by": "ana@host",
                        "detail": None,
                    }
                ],
                "head": "0001_a",
                "pending": 0,
                "problems": 0,
                "warnings": [],
                "missing_objects": [],
            },
        ),
        (
            summarise((Check("login", CheckStatus.FAIL, 0.01, "refused", "look"),)),
            {
                "status": "unhealthy",
                "checks": [{"name": "login", "status": "fail", "seconds": 0.01, "detail": "refused", "hint": "look"}],
            },
        ),
        (
            SeedResult("demo", 42, (SeedTable("users", 4, 0, 1),), 0.1, 5, NOW, dry_run=True),
            {
                "profile": "demo",
                "random_seed": 42,
                "tables": [{"name": "users", "inserted": 4, "changed": 0, "unchanged": 1, "restored": 0}],
                "seconds": 0.1,
                "users": 5,
                "as_of": "2026-11-16T18:30:00+00:00",
                "dry_run": True,
                "notes": [],
                "estimate": None,
                "rows": 5,
                "restored": 0,
            },
        ),
        (RecordList("users", (), None, None), {"entity": "users", "items": [], "next_cursor": None, "total": None}),
    ],
    ids=["migrate", "migrate.status", "health", "seed", "inspect.list"],
)
def test_a_result_has_the_documented_keys(result: Any, data: dict[str, Any]) -> None:
    document = json.loads(result_document(result, ok=False))
    assert document == {"kind": result.kind, "version": 1, "ok": False, "data": data}
    assert list(document["data"]) == list(data)


def test_a_secret_is_present_or_absent() -> None:
    user = User(UserId(ID), "ana@example.com", "Ana", "the-hash", NOW, NOW)
    token = RefreshToken(RefreshTokenId(ID), UserId(ID), "", NOW, False, NOW)
    assert encode(user)["password_hash"] == "present"
    assert encode(token)["token_hash"] == "absent"
    assert "the-hash" not in json.dumps(encode([user, {"user": user}]))


def test_a_record_keeps_its_values() -> None:
    row = AuditLog(
        AuditLogId(ID), None, AuditAction.LOGIN, None, ID, {"n": [1, None]}, ip_address("::1"), "<b>\u202e", NOW
    )
    assert encode(row) == {
        "id": str(ID),
        "user_id": None,
        "action": "login",
        "entity_type": None,
        "entity_id": str(ID),
        "metadata": {"n": [1, None]},
        "ip_address": "::1",
        "user_agent": "<b>\u202e",
        "created_at": "2026-11-16T18:30:00+00:00",
    }


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (Decimal("20.50"), "20.50"),
        (ip_interface("192.0.2.0/24"), "192.0.2.0/24"),
        (True, True),
        ({1: (Decimal(1),)}, {"1": ["1"]}),
    ],
)
def test_a_value_is_written_without_losing_anything(value: Any, encoded: Any) -> None:
    assert encode(value) == encoded


@dataclass(frozen=True)
class Toy:
    """A result with a field for people alone."""

    kind: ClassVar[str] = "toy"
    text: str
    steps: tuple[str, ...] = field(default=("hidden",), metadata={"json": False})


def test_a_field_for_people_is_left_out() -> None:
    assert encode(Toy("x")) == {"text": "x"}


@pytest.mark.parametrize("text", ["\x1b[2J", "\u202e", "\ud800", "\x9b", "\r\n", "\x00", "\x7f"])
def test_a_document_is_one_line_of_printable_ascii(text: str) -> None:
    document = result_document(Toy(f"a{text}b"), ok=True)
    assert all(" " <= char <= "~" for char in document)
    assert json.loads(document)["data"]["text"] == f"a{text}b"


def test_what_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        result_document(Toy(float("nan")), ok=True)  # type: ignore[arg-type]


def test_a_result_that_reveals_has_its_secrets_at_every_level() -> None:
    user = User(UserId(ID), "ana@example.com", "Ana", "$argon2id$x", NOW, NOW)
    hidden, shown = (RecordList("users", (user,), None, None, reveal=reveal) for reveal in (False, True))
    assert json.loads(result_document(hidden, ok=True))["data"]["items"][0]["password_hash"] == "present"
    assert json.loads(result_document(shown, ok=True))["data"]["items"][0]["password_hash"] == "$argon2id$x"
    assert set(json.loads(result_document(shown, ok=True))["data"]) == {"entity", "items", "next_cursor", "total"}
    assert encode({"a": [user]}, reveal=True)["a"][0]["password_hash"] == "$argon2id$x"
    assert encode({"a": [user]})["a"][0]["password_hash"] == "present"
