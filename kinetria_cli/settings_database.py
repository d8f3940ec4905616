"""The database that the user's settings name: DB_*, DB_PASSWORD_FILE and DATABASE_URL as one value."""

from collections.abc import Callable, Mapping
from typing import Any

from kinetria_cli import settings_values as values
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.stack import ConnectionParams, NamedDatabase, Server, StackRecord
from kinetria_cli.settings_sources import RawValue, secret_file
from kinetria_cli.settings_url import DEFAULT_PORT, url_parts

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
REQUIRED = ("DB_HOST", "DB_USER", "DB_PASSWORD", "DB_NAME")
DEFAULT_SSL_MODE = "require"
STRICTEST_SSL_MODE = "verify-full"
SYSTEM_ROOTS = "system"
"""The value of libpq's sslrootcert for the certificates that the system trusts."""
SESSION_ATTRS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
"""The values of libpq's target_session_attrs (PostgreSQL 16 manual, section 34.1.2)."""

_PARSERS: dict[str, Callable[[str], Any]] = {
    "DB_HOST": values.hosts,
    "DB_PORT": values.ports,
    "DB_USER": values.plain,
    "DB_PASSWORD": values.plain,
    "DB_NAME": values.plain,
    "DB_SSL_MODE": values.choice(*SSL_MODES),
    "DB_TARGET_SESSION_ATTRS": values.choice(*SESSION_ATTRS),
    # Of a URL alone.
    "sslrootcert": values.plain,
    "channel_binding": values.choice("disable", "prefer", "require"),
}


def is_named(raw: Mapping[str, RawValue]) -> bool:
    """Whether the settings name a database at all."""
    return "DB_HOST" in raw or "DATABASE_URL" in raw


def remarks(raw: Mapping[str, RawValue], http_port: int, record: StackRecord | None) -> tuple[str, ...]:
    """Return a sentence on each thing that is set and does not count now.

    Args:
        raw: The variables that are set, empty ones left out.
        http_port: What HTTP_PORT is.
        record: What `kinetria up` recorded, where that is the stack in use.
    """
    found = []
    ignored = [] if is_named(raw) else [name for name in (*_PARSERS, "DB_PASSWORD_FILE") if name in raw]
    if ignored:
        found.append(f"{', '.join(ignored)} {'is' if len(ignored) == 1 else 'are'} ignored: DB_HOST is not set")
    if "HTTP_PORT" in raw and record and record.app_wanted and record.http_port != http_port:
        found.append(f"HTTP_PORT={http_port} counts only after kinetria down: the app is on {record.http_port}")
    return tuple(found)


def missing_names(raw: Mapping[str, RawValue]) -> list[str]:
    """Return one problem for each required variable that is not set."""
    given = set(raw)
    if "DB_PASSWORD_FILE" in given:
        given.add("DB_PASSWORD")
    return [f"{name} is not set" for name in REQUIRED if name not in given]


def named_database(raw: Mapping[str, RawValue], problems: list[str]) -> NamedDatabase | None:
    """Read the database that the settings name.

    Args:
        raw: The variables that are set, empty ones left out.
        problems: Takes one sentence for each thing that is wrong; no value of a secret is in it.

    Returns:
        The database, or None when `problems` grew.
    """
    before = len(problems)
    parts = {name: raw[name] for name in _PARSERS if name in raw}
    if password := secret_file(raw, "DB_PASSWORD", problems):
        parts["DB_PASSWORD"] = password
    if "DATABASE_URL" in raw:
        _merge_url(raw["DATABASE_URL"], parts, problems)
    if len(problems) == before:
        problems.extend(missing_names(parts))
    system = "sslrootcert" in parts and parts["sslrootcert"].text == SYSTEM_ROOTS
    parsed: dict[str, Any] = {
        "DB_PORT": [DEFAULT_PORT],
        "DB_SSL_MODE": STRICTEST_SSL_MODE if system else DEFAULT_SSL_MODE,
        "sslrootcert": "",
        "channel_binding": "",
        "DB_TARGET_SESSION_ATTRS": SESSION_ATTRS[0],
    }
    for name, value in parts.items():
        try:
            parsed[name] = _PARSERS[name](value.text)
        except ValueError as error:
            problems.append(f"{name} {error} (from {value.origin})")
    if len(problems) == before:
        _check_counts(parsed["DB_HOST"], parsed["DB_PORT"], parts, problems)
        if system and parsed["DB_SSL_MODE"] != STRICTEST_SSL_MODE:
            problems.append(
                f"DB_SSL_MODE is {parsed['DB_SSL_MODE']} (from {parts['DB_SSL_MODE'].origin}), and sslrootcert=system"
                f" (from {parts['sslrootcert'].origin}) takes {STRICTEST_SSL_MODE} alone"
            )
    if len(problems) > before:
        return None
    first, *others = _servers(parsed["DB_HOST"], parsed["DB_PORT"])
    return NamedDatabase(
        params=ConnectionParams(
            host=first.host,
            port=first.port,
            user=parsed["DB_USER"],
            password=parsed["DB_PASSWORD"],
            dbname=parsed["DB_NAME"],
            sslmode=parsed["DB_SSL_MODE"],
            others=tuple(others),
            session_attrs=parsed["DB_TARGET_SESSION_ATTRS"],
            sslrootcert=parsed["sslrootcert"],
            channel_binding=parsed["channel_binding"],
        ),
        origin=parts["DB_HOST"].origin,
        sslmode_given="DB_SSL_MODE" in parts or system,
        origins={name: value.origin for name, value in parts.items()},
    )


def _check_counts(hosts: list[str], ports: list[int], parts: Mapping[str, RawValue], problems: list[str]) -> None:
    if len(ports) not in (1, len(hosts)):
        problems.append(
            f"DB_PORT names {counted(len(ports), 'port')} (from {parts['DB_PORT'].origin}) and DB_HOST"
            f" {counted(len(hosts), 'host')} (from {parts['DB_HOST'].origin}); name one port, or as many as hosts"
        )


def _servers(hosts: list[str], ports: list[int]) -> list[Server]:
    return [Server(*pair) for pair in zip(hosts, ports if len(ports) > 1 else ports * len(hosts), strict=True)]


def _merge_url(url: RawValue, parts: dict[str, RawValue], problems: list[str]) -> None:
    """Add the URL's parts to those of DB_*; where both name a part differently, that is a problem."""
    try:
        from_url = url_parts(url.text)
    except ValueError as error:
        problems.append(f"DATABASE_URL {error} (from {url.origin})")
        return
    for name, text in from_url.items():
        if name not in parts:
            parts[name] = RawValue(text, f"DATABASE_URL in {url.origin}")
        elif not _same(name, parts[name].text, text):
            problems.append(
                f"DATABASE_URL (from {url.origin}) and {name} (from {parts[name].origin}) disagree; remove one of them"
            )


def _same(name: str, one: str, other: str) -> bool:
    """Whether both texts mean the same: hosts in any case, ports with zeros in front, one port for several hosts."""
    if name == "DB_HOST":
        return one.lower() == other.lower()
    if name == "DB_PORT":
        first, second = ([port.lstrip("0") for port in text.split(",")] for text in (one, other))
        return first == second or (1 in (len(first), len(second)) and len({*first, *second}) == 1)
    return one == other
