"""The description of the endpoints (OpenAPI 3.1), for whoever asks: nothing in it is of the machine it runs on."""

from collections.abc import Iterable, Mapping
from typing import Any

from kinetria_cli.domain.health import CheckStatus
from kinetria_cli.domain.readiness import FAILINGS, WARNINGS

PUBLIC_PATHS = ("/health", "/health/live", "/health/ready", "/openapi.json")
GUARDED_PATHS = ("/health/detail", "/metrics")

Schema = dict[str, Any]


def _object(properties: Mapping[str, Schema]) -> Schema:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _words(allowed: Iterable[str]) -> Schema:
    return {"type": "array", "items": {"type": "string", "enum": list(allowed)}, "uniqueItems": True}


_TEXT: Schema = {"type": "string"}
_SECONDS: Schema = {"type": "number", "minimum": 0}
_STATUS: Schema = {"type": "string", "enum": ["healthy", "unhealthy"]}
_ABOUT = {"service": _TEXT, "version": _TEXT}
_WHY = {"failing": _words(FAILINGS), "warnings": _words(WARNINGS)}
_CHECK = _object(
    {
        "name": _TEXT,
        "status": {"type": "string", "enum": [status.value for status in CheckStatus]},
        "seconds": _SECONDS,
        "detail": _TEXT,
        "hint": {"type": ["string", "null"]},
    }
)
SCHEMAS: Mapping[str, Schema] = {
    "Health": _object({"status": _STATUS, **_ABOUT}),
    "Live": _object({"status": {"const": "healthy"}}),
    "Ready": _object({"status": _STATUS, **_WHY}),
    "Detail": _object(
        {
            "status": _STATUS,
            **_ABOUT,
            **_WHY,
            "age_seconds": _SECONDS,
            "checks": {"type": "array", "items": {"$ref": "#/components/schemas/Check"}},
        }
    ),
    "Check": _CHECK,
    "Error": _object({"error": _TEXT}),
}


def document(version: str, *, details: bool, token: bool) -> Schema:
    """Return the description.

    Args:
        version: Of the service.
        details: Whether /health/detail and /metrics are there.
        token: Whether they need the token.
    """
    paths = {
        "/health": _json_path(
            "Whether the service works: the database answered a moment ago.", "Health", may_fail=True
        ),
        "/health/live": _json_path("Whether the process works. Never asks the database.", "Live"),
        "/health/ready": _json_path(
            "Whether the service may be sent requests: the database answers and can be written, its schema is not"
            " behind this build, the pool has room, and the service is not stopping.",
            "Ready",
            may_fail=True,
        ),
        "/openapi.json": _path("This document.", {"200": _answer("The document.", {"type": "object"})}),
    }
    if details:
        metrics = {
            "200": {
                "description": "All series.",
                "headers": _HEADERS,
                "content": {media: {"schema": _TEXT} for media in ("text/plain", "application/openmetrics-text")},
            }
        }
        guarded = {
            "/health/detail": _json_path("Every check with its reason.", "Detail", may_fail=True),
            "/metrics": _path("The series that Prometheus reads.", metrics),
        }
        paths |= {path: _guarded(found) if token else found for path, found in guarded.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kinetria app service",
            "version": version,
            "description": "Health endpoints. Any other path is 404, any other method 405 with the Allow header; an"
            " error is an object with the one property `error`. No answer may be stored.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS), "responses": _RESPONSES, **(_SECURITY if details and token else {})},
    }


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "headers": _HEADERS, "content": {"application/json": {"schema": schema}}}


def _header(text: str) -> Schema:
    return {"description": text, "required": True, "schema": _TEXT}


_HEADERS = {"Cache-Control": {"description": "`no-store`", "required": True, "schema": {"const": "no-store"}}}
_ERROR = {"$ref": "#/components/schemas/Error"}
_RESPONSES: Mapping[str, Schema] = {
    "Unauthorized": _answer("The bearer token is missing or wrong.", _ERROR)
    | {"headers": {**_HEADERS, "WWW-Authenticate": _header("`Bearer`, RFC 6750.")}},
    "NotFound": _answer("There is no such path.", _ERROR),
    "MethodNotAllowed": _answer("The path is there, and has no such method.", _ERROR)
    | {"headers": {**_HEADERS, "Allow": _header("The methods that the path has.")}},
    "InternalError": _answer("The service has a bug; its log says more.", _ERROR),
}
_SECURITY = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "HEALTH_TOKEN"}}}


def _json_path(summary: str, schema: str, *, may_fail: bool = False) -> Schema:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    answers = {"200": _answer("It is.", reference)}
    if may_fail:
        answers["503"] = _answer("It is not, or was not asked for too long.", reference)
    return _path(summary, answers)


def _path(summary: str, answers: Mapping[str, Schema]) -> Schema:
    every = {**answers, "500": {"$ref": "#/components/responses/InternalError"}}
    return {
        "get": {"summary": summary, "responses": every},
        "head": {"summary": f"{summary} The headers alone.", "responses": _without_content(every)},
    }


def _without_content(answers: Mapping[str, Schema]) -> Schema:
    return {
        code: {"description": found.get("description", "As for GET."), "headers": found.get("headers", _HEADERS)}
        for code, found in answers.items()
    }


def _guarded(path: Schema) -> Schema:
    refused = {"401": {"$ref": "#/components/responses/Unauthorized"}}
    bare = _without_content({"401": _RESPONSES["Unauthorized"]})
    return {
        method: {
            **operation,
            "security": [{"token": []}],
            "responses": {**operation["responses"], **(refused if method == "get" else bare)},
        }
        for method, operation in path.items()
    }
