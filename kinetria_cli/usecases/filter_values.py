"""What the filters of a list are given as text, read into the values that repositories compare with.

Each reader takes the option's name, for its error, and the text, and raises MalformedParameters.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.records import Contains, Holds, Matches, Span, Within, id_range
from kinetria_cli.usecases.lookup import MIN_PREFIX

LARGEST_INTEGER = 2**31 - 1
TIME_HINT = (
    "a time like 2026-11-24, 2026-11-24T18:30+01:00, now, today or yesterday, or 30m, 12h, 7d, 2w ago; +7d lies ahead"
)

_DAYS = {"now": timedelta(0), "today": timedelta(0), "yesterday": timedelta(days=1)}
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\+?)([0-9]{1,9})([mhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]|$)")
_KEYS = re.compile(r"([^.=]+(?:\.[^.=]+)*)(?:=(.*))?", re.DOTALL)
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
# What makes a path a test: an operator outside of `? (...)`, whose own parentheses may nest.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_INNERMOST = re.compile(r"\([^()]*\)")
_OPERATOR = re.compile(r"==|!=|<|>|&&|\|\||\blike_regex\b|\bstarts\s+with\b|\bis\s+unknown\b")


def read_text(option: str, text: str) -> str:
    """Return the text as it is.

    Raises:
        MalformedParameters: It has a NUL or half of a surrogate pair in it, which no text in PostgreSQL has.
    """
    if _NOT_TEXT.search(text):
        raise MalformedParameters(f"{option} holds characters that are not text", hint="leave them out")
    return text


def read_part(option: str, text: str) -> Contains:
    """Return what looks for this text anywhere in a column."""
    if not text:
        raise MalformedParameters(f"{option} is empty", hint="give the text to look for, or leave it out")
    return Contains(read_text(option, text))


def read_time(option: str, text: str, *, now: datetime) -> datetime:
    """Return a point in time, in UTC.

    Args:
        option: Its name.
        text: ISO 8601, UTC where it has no offset, a date alone its midnight; or how long ago, or with + how far ahead.
        now: What those are counted from.

    Raises:
        MalformedParameters: It is neither, or lies outside of the years 1 to 9999.
    """
    try:
        if text in _DAYS:
            midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return now if text == "now" else midnight - _DAYS[text]
        if ago := _AGO.fullmatch(text):
            ahead, amount, unit = ago.groups()
            distance = timedelta(**{_UNITS[unit]: int(amount)})
            return now + distance if ahead else now - distance
        # Python reads more than people mean: 2611111 is a day of its own there.
        time = datetime.fromisoformat(text if _DATE.match(text) else "")
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedParameters(f"{option} is {text!r}, which is no time", hint=TIME_HINT) from None


def read_integer(option: str, text: str, *, lowest: int = 0, highest: int = LARGEST_INTEGER) -> int:
    """Return a whole number.

    Raises:
        MalformedParameters: It is none, or less than `lowest`, or more than `highest`.
    """
    if re.fullmatch("[0-9]{1,10}", text) and lowest <= int(text) <= highest:
        return int(text)
    raise MalformedParameters(f"{option} is {_short(text)}", hint=f"a whole number from {lowest} to {highest}")


def read_decimal(option: str, text: str, *, highest: str) -> Decimal:
    """Return a number that may have decimals.

    Raises:
        MalformedParameters: It is none, negative, or more than `highest`.
    """
    if re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,10})?", text) and Decimal(text) <= Decimal(highest):
        return Decimal(text)
    raise MalformedParameters(f"{option} is {_short(text)}", hint=f"a number from 0 to {highest}, such as 62.5")


def _read_id(option: str, text: str) -> UUID:
    """Return an id."""
    try:
        return UUID(text)
    except ValueError:
        raise MalformedParameters(
            f"{text!r} is not an id", hint=f"{option} takes one like 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887"
        ) from None


def read_beginning(option: str, text: str) -> object:
    """Return an id, or the range of those that begin as a table on a narrow terminal shows them."""
    try:
        lowest, highest = id_range(text)
    except MalformedParameters:
        return _read_id(option, text)
    if lowest != highest and len(text) < MIN_PREFIX:
        return _read_id(option, text)
    return lowest if lowest == highest else Span(lowest, until=highest)


def read_address(option: str, text: str) -> object:
    """Return an IP address, or what looks for those of a network."""
    try:
        return Within(ip_network(text, strict=False)) if "/" in text else ip_address(text)
    except ValueError:
        raise MalformedParameters(
            f"{option} is {_short(text)}, which is no address", hint="an address or a network: 192.0.2.7, 192.0.2.0/24"
        ) from None


def read_document(option: str, text: str) -> Holds | Matches:
    """Return what looks into a document.

    Args:
        option: Its name.
        text: `device.os=ios`, the value read as JSON where it is JSON and as text; `device.os`, which looks for
            documents that have it; or an SQL/JSON path, which begins with $ and is PostgreSQL's to read.

    Raises:
        MalformedParameters: It is none of them.
    """
    text = read_text(option, text)
    if text.startswith("$"):
        return Matches(text, exists=not _is_test(text))
    found = _KEYS.fullmatch(text)
    if not found:
        raise MalformedParameters(
            f"{option} is {_short(text)}", hint=f"{option} device.os=ios, device.os, or '$.device.os == \"ios\"'"
        )
    keys, value = found[1].split("."), found[2]
    if value is None:
        return Matches("$" + "".join(f".{json.dumps(key, ensure_ascii=False)}" for key in keys), exists=True)
    return Holds(tuple(_nested(keys, meant) for meant in _meanings(option, value)))


def _is_test(path: str) -> bool:
    rest = _STRING.sub('""', path)
    while (less := _INNERMOST.sub(" ", rest)) != rest:
        rest = less
    return bool(_OPERATOR.search(rest))


def _meanings(option: str, text: str) -> tuple[Any, ...]:
    """The text as JSON, where it is JSON that a database can hold, and as text."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return (text,)
    # JSON can spell what no text may hold.
    read_text(option, json.dumps(value, ensure_ascii=False).replace("\\u0000", "\0"))
    return (value, text)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    found: dict[str, Any] = value
    return found


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
