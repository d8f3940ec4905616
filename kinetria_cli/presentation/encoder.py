"""The JSON form of results and errors: one document, the keys that scripts rely on."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from kinetria_cli.domain.constants import SECRET_FIELDS
from kinetria_cli.domain.errors import KinetriaError

FORMAT = 1


def result_document(result: Any, *, ok: bool) -> str:
    """Return a result's document; one whose `reveal` is true shows its secrets."""
    reveal = getattr(result, "reveal", False)
    return _dump({"kind": result.kind, "version": FORMAT, "ok": ok, "data": encode(result, reveal=reveal)})


def error_document(error: KinetriaError, message: str, hint: str | None, details: list[str]) -> str:
    """Return an error's document; its texts are given because they were redacted."""
    body: dict[str, Any] = {
        "code": error.code,
        "message": message,
        "hint": hint,
        "exit_code": error.exit_code,
    }
    if details:
        body["details"] = details
    return _dump({"kind": "error", "version": FORMAT, "ok": False, "error": body})


def encode(value: Any, *, reveal: bool = False) -> Any:
    """Return what json can write: times in ISO 8601, decimals as text.

    Args:
        value: A dataclass, a mapping, a sequence or a scalar. A field with `merged` in its metadata adds its own
            fields in its place, one with `json` false is left out.
        reveal: Whether secrets are written; else whether they are present or absent.
    """
    if hasattr(value, "as_data"):
        return encode(value.as_data(), reveal=reveal)
    if hasattr(value, "as_record"):
        return {name: _field(name, found, reveal=reveal) for name, found in value.as_record().items()}
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value, reveal=reveal)
    if isinstance(value, Mapping):
        return {str(key): encode(item, reveal=reveal) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item, reveal=reveal) for item in value]
    return _scalar(value)


def _fields(value: Any, *, reveal: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(value):
        content = getattr(value, field.name)
        if field.metadata.get("merged"):
            found |= encode(content, reveal=reveal)
        elif field.metadata.get("json", True):
            found[field.name] = _field(field.name, content, reveal=reveal)
    return found


def _field(name: str, value: Any, *, reveal: bool) -> Any:
    return _secret(value) if name in SECRET_FIELDS and not reveal else encode(value, reveal=reveal)


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)  # ids, decimals, addresses


def _secret(value: object) -> str:
    return "present" if value else "absent"


def _dump(document: Mapping[str, Any]) -> str:
    # Escaped, so that no reader's terminal and no reader's decoding can change a byte of it.
    return json.dumps(document, ensure_ascii=True, allow_nan=False)
