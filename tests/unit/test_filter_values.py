"""Filters as text, read into what repositories compare with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_network
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.records import Contains, Holds, Matches, Sort, Span, Within, sortable
from kinetria_cli.usecases.columns import read_columns, read_sort
from kinetria_cli.usecases.filter_values import (
    read_address,
    read_beginning,
    read_decimal,
    read_document,
    read_integer,
    read_part,
    read_text,
    read_time,
)

NOW = datetime(2026, 11, 24, 18, 30, 15, 123456, tzinfo=UTC)
AN_ID = "1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:30", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
        ("2026-11-01 10:30:05.25", datetime(2026, 11, 1, 10, 30, 5, 250_000, tzinfo=UTC)),
        ("2026-11-01T10:30Z", datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
        ("2026-11-01T00:30+02:00", datetime(2026, 10, 31, 22, 30, tzinfo=UTC)),
        ("now", NOW),
        ("today", NOW.replace(hour=0, minute=0, second=0, microsecond=0)),
        ("yesterday", NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)),
        ("30m", NOW - timedelta(minutes=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(days=14)),
        ("+7d", NOW + timedelta(days=7)),
        ("0d", NOW),
    ],
)
def test_a_time_is_iso_in_utc_or_counted_from_now(text: str, time: datetime) -> None:
    found = read_time("--since", text, now=NOW)
    assert (found, found.tzinfo) == (time, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "7x",
        "-7d",
        "7 d",
        "7.5d",
        "\u0667d",
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "2026-11-01T25:00",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59-14:00",
        "999999999w",
        "+999999999w",
        "1000000d",
        "1" * 400,
        "NaN",
        "a\0b",
        "\udc80",
    ],
)
def test_what_is_no_time_is_malformed(text: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        read_time("--completed-since", text, now=NOW)
    assert caught.value.message == f"--completed-since is {text!r}, which is no time"
    assert "7d" in (caught.value.hint or "")


@given(st.text())
def test_any_text_is_a_time_or_malformed(text: str) -> None:
    try:
        assert read_time("--since", text, now=NOW).tzinfo is UTC
    except MalformedParameters:
        assert text not in ("now", "7d")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("12", 12), ("2147483647", 2**31 - 1)])
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert read_integer("--min-reps", text) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "1e3", "NaN", "0x10", " 1", "\u0663", "2147483648", "1" + "0" * 400, "9" * 5000, "\0"]
)
def test_what_is_no_whole_number_is_malformed(text: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        read_integer("--min-reps", text)
    assert caught.value.message.startswith("--min-reps is ")
    assert len(caught.value.message) < 70
    assert caught.value.hint == "a whole number from 0 to 2147483647"


def test_a_whole_number_has_its_own_limits() -> None:
    assert read_integer("--difficulty", "5", lowest=1, highest=5) == 5
    for text in ("0", "6"):
        with pytest.raises(MalformedParameters) as caught:
            read_integer("--difficulty", text, lowest=1, highest=5)
        assert caught.value.hint == "a whole number from 1 to 5"


@pytest.mark.parametrize("text", ["0", "62.5", "9999.99", "0.0000000001"])
def test_a_number_with_decimals_is_read(text: str) -> None:
    assert read_decimal("--max-weight", text, highest="9999.99") == Decimal(text)


@pytest.mark.parametrize("text", ["", "-1", "-0.5", "NaN", "1e3", "62,5", ".5", "5.", "10000", "1" * 400])
def test_what_is_no_weight_is_malformed(text: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        read_decimal("--max-weight", text, highest="9999.99")
    assert caught.value.message.startswith("--max-weight is ")
    assert caught.value.hint == "a number from 0 to 9999.99, such as 62.5"


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800", "x\udfff"])
def test_what_is_no_text_is_malformed(text: str) -> None:
    for read in (read_text, read_part):
        with pytest.raises(MalformedParameters) as caught:
            read("--notes", text)
        assert caught.value.message == "--notes holds characters that are not text"


def test_a_part_is_looked_for_as_it_is_and_is_not_empty() -> None:
    assert read_part("--name", "100 %_\\") == Contains("100 %_\\")
    with pytest.raises(MalformedParameters) as caught:
        read_part("--name", "")
    assert caught.value.message == "--name is empty"


def test_the_beginning_of_an_id_is_the_range_of_those_that_begin_so() -> None:
    assert read_beginning("--entity-id", AN_ID) == UUID(AN_ID)
    assert read_beginning("--entity-id", "1f9d8a3e") == Span(
        UUID("1f9d8a3e-0000-0000-0000-000000000000"), until=UUID("1f9d8a3e-ffff-ffff-ffff-ffffffffffff")
    )
    for text in ("", "1f9", "x" * 36, AN_ID + "0"):
        with pytest.raises(MalformedParameters) as caught:
            read_beginning("--entity-id", text)
        assert caught.value.message == f"{text!r} is not an id"
        assert (caught.value.hint or "").startswith("--entity-id ")


def test_an_address_is_one_or_all_of_a_network() -> None:
    assert read_address("--ip", "192.0.2.7") == ip_address("192.0.2.7")
    assert read_address("--ip", "2001:db8::7") == ip_address("2001:db8::7")
    assert read_address("--ip", "192.0.2.7/24") == Within(ip_network("192.0.2.0/24"))
    for text in ("", "192.0.2", "192.0.2.256", "/24", "192.0.2.0/33", "host", "1" * 400, "\0"):
        with pytest.raises(MalformedParameters) as caught:
            read_address("--ip", text)
        assert caught.value.message.startswith("--ip is ")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("device.os=ios", Holds(({"device": {"os": "ios"}},))),
        ("count=3", Holds(({"count": 3}, {"count": "3"}))),
        ("a=1.5", Holds(({"a": 1.5}, {"a": "1.5"}))),
        ("a=null", Holds(({"a": None}, {"a": "null"}))),
        ('a="x"', Holds(({"a": "x"}, {"a": '"x"'}))),
        ('a={"b": [1]}', Holds(({"a": {"b": [1]}}, {"a": '{"b": [1]}'}))),
        ("a=", Holds(({"a": ""},))),
        ("a=b=c", Holds(({"a": "b=c"},))),
        ("a=NaN", Holds(({"a": "NaN"},))),
        ("a=1e400", Holds(({"a": "1e400"},))),
        ("a=" + "[" * 100_000, Holds(({"a": "[" * 100_000},))),
        ("a=" + "9" * 5000, Holds(({"a": "9" * 5000},))),
        ("device.os", Matches('$."device"."os"', exists=True)),
        ('a"b', Matches('$."a\\"b"', exists=True)),
        ("$.device.os", Matches("$.device.os", exists=True)),
        ('$.device ? (@.os == "ios")', Matches('$.device ? (@.os == "ios")', exists=True)),
        ("$.list[*] ? ((@ > 1) && (@ < 3))", Matches("$.list[*] ? ((@ > 1) && (@ < 3))", exists=True)),
        ('$."a == b"', Matches('$."a == b"', exists=True)),
        ('$.device.os == "ios"', Matches('$.device.os == "ios"')),
        ("$.n > 3", Matches("$.n > 3")),
        ('$.os like_regex "^i"', Matches('$.os like_regex "^i"')),
        ('$.os starts with "i"', Matches('$.os starts with "i"')),
        ("$.a ? (@ > 1) < 5", Matches("$.a ? (@ > 1) < 5")),
    ],
)
def test_a_document_is_asked_for_what_it_holds_has_or_fulfils(text: str, wanted: object) -> None:
    assert read_document("--metadata", text) == wanted


@pytest.mark.parametrize(
    "text", ["", "=", "=x", ".", "a..b", ".a", "a.=x", "a\0=b", "a=\udc80", 'a="\\u0000"', 'a="\\ud800"']
)
def test_what_asks_nothing_of_a_document_is_malformed(text: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        read_document("--metadata", text)
    assert caught.value.message.startswith("--metadata ")


def test_a_column_and_the_direction_make_an_order() -> None:
    assert read_sort("sessions", "completed_at") == Sort("completed_at", descending=False)
    assert read_sort("sessions", "-completed_at") == Sort("completed_at", descending=True)
    assert read_sort("sessions", "-completed-at") == Sort("completed_at", descending=True)


@pytest.mark.parametrize("text", ["", "-", "--id", "metadata", "password_hash", "id desc", "a\0", "\udc80"])
def test_an_unknown_order_is_malformed_and_names_the_columns(text: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        read_sort("audit_log", text)
    assert caught.value.message == f"--sort: there is no column {text.removeprefix('-')!r}"
    assert (caught.value.hint or "").endswith(f"columns: {', '.join(sortable('audit_log'))}")


def test_columns_keep_their_order_each_once() -> None:
    assert read_columns("users", "name, email,name") == ("name", "email")
    assert read_columns("users", "all") == ("id", "email", "name", "password_hash", "created_at", "updated_at")
    assert read_columns("set_records", "weight-kg") == ("weight_kg",)


@pytest.mark.parametrize("text", ["", ",", "name,", "nmae", "all,name", "*", "name;email"])
def test_unknown_columns_are_malformed(text: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        read_columns("users", text)
    assert caught.value.message.startswith("--columns: there is no column ")
    assert (caught.value.hint or "").endswith("columns: id, email, name, password_hash, created_at, updated_at")


def test_a_slip_of_the_pen_is_guessed() -> None:
    with pytest.raises(MalformedParameters) as caught:
        read_columns("users", "emial")
    assert (caught.value.hint or "").startswith("did you mean email? columns: ")
    with pytest.raises(MalformedParameters) as caught:
        read_sort("sessions", "-complete_at")
    assert (caught.value.hint or "").startswith("did you mean completed_at? columns: ")
