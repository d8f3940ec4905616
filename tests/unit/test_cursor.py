"""A cursor that somebody made up is told as one, whatever value is in it."""

import base64
import json

import pytest

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.records import Sort
from kinetria_cli.gateways.postgres.cursor import decode

AN_ID = "1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887"


def forged(table: str, column: str, value: object) -> str:
    text = json.dumps([table, f"-{column}", value, AN_ID])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("users", "name", "a\0b"),
        ("users", "name", "\ud800"),
        ("users", "created_at", None),
        ("users", "created_at", "2026-11-16T18:30:00"),
        ("set_records", "weight_kg", "NaN"),
        ("set_records", "weight_kg", "1e400"),
        ("set_records", "reps", 10**30),
        ("set_records", "reps", True),
        ("set_records", "set_number", None),
    ],
)
def test_a_value_that_no_row_can_have_is_no_cursor(table: str, column: str, value: object) -> None:
    with pytest.raises(MalformedParameters) as caught:
        decode(forged(table, column, value), table, Sort(column))
    assert caught.value.message == "--after is not a cursor"


@pytest.mark.parametrize(("column", "value"), [("weight_kg", "62.50"), ("reps", 8), ("reps", None)])
def test_a_value_that_a_row_can_have_is_read(column: str, value: object) -> None:
    found = decode(forged("set_records", column, value), "set_records", Sort(column))
    assert str(found.id) == AN_ID and str(found.value) == str(value)
