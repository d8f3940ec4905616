"""The database that the user's settings name: DB_*, DB_PASSWORD_FILE and DATABASE_URL as one value."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from kinetria_cli import settings_values as values
from kinetria_cli.domain.stack import ConnectionParams, NamedDatabase
from kinetria_cli.settings_sources import RawValue, secret_file

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
REQUIRED = ("DB_HOST", "DB_USER", "DB_PASSWORD", "DB_NAME")
DEFAULT_PORT = 5432
DEFAULT_SSL_MODE = "require"

_PARSERS: dict[str, Callable[[str], object]] = {
    "DB_HOST": values.plain,
    "DB_PORT": values.port,
    "DB_USER": values.plain,
    "DB_PASSWORD": values.plain,
    "DB_NAME": values.plain,
    "DB_SSL_MODE": values.choice(*SSL_MODES),
}


def is_named(raw: Mapping[str, RawValue]) -> bool:
    """Whether the settings name a database at all."""
    return "DB_HOST" in raw or "DATABASE_URL" in raw


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
    parsed: dict[str, object] = {"DB_PORT": DEFAULT_PORT, "DB_SSL_MODE": DEFAULT_SSL_MODE}
    for name, value in parts.items():
        try:
            parsed[name] = _PARSERS[name](value.text)
        except ValueError as error:
            problems.append(f"{name} {error} (from {value.origin})")
    if "," in str(parsed.get("DB_HOST", "")):
        problems.append(
            f"DB_HOST lists several hosts, which this version does not do yet (from {parts['DB_HOST'].origin})"
        )
    if len(problems) > before:
        return None
    return NamedDatabase(
        params=ConnectionParams(
            host=str(parsed["DB_HOST"]),
            port=int(str(parsed["DB_PORT"])),
            user=str(parsed["DB_USER"]),
            password=str(parsed["DB_PASSWORD"]),
            dbname=str(parsed["DB_NAME"]),
            sslmode=str(parsed["DB_SSL_MODE"]),
        ),
        origin=parts["DB_HOST"].origin,
        sslmode_given="DB_SSL_MODE" in parts,
    )


def _merge_url(url: RawValue, parts: dict[str, RawValue], problems: list[str]) -> None:
    """Add the URL's parts to those of DB_*; where both name a part differently, that is a problem."""
    try:
        from_url = _url_parts(url.text)
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


def _url_parts(text: str) -> dict[str, str]:
    """Split a postgres:// URL. Its errors never quote the URL, which holds a password."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError("cannot be read: is a character of the password not percent-encoded?") from None
    if url.scheme not in ("postgres", "postgresql"):
        raise ValueError("does not start with postgres:// or postgresql://")
    if url.fragment:
        raise ValueError("has a #; in a password it is written %23")
    if "@" in url.path + url.query:
        raise ValueError("cannot be read: is a character of the password not percent-encoded?")
    query = parse_qs(url.query, keep_blank_values=True)
    if unknown := sorted(set(query) - {"sslmode"}):
        raise ValueError(f"has the parameter {unknown[0]!r}; only sslmode is read")
    parts = {
        "DB_HOST": unquote(url.hostname or ""),
        "DB_PORT": "" if port is None else str(port),
        "DB_USER": unquote(url.username or ""),
        "DB_PASSWORD": unquote(url.password or ""),
        "DB_NAME": unquote(url.path.removeprefix("/")),
        "DB_SSL_MODE": query.get("sslmode", [""])[-1],
    }
    return {name: part for name, part in parts.items() if part}


def _same(name: str, one: str, other: str) -> bool:
    """Whether both texts mean the same: urlsplit writes a host in lower case and a port without zeros."""
    if name == "DB_HOST":
        return one.lower() == other.lower()
    return one == other or (name == "DB_PORT" and one.lstrip("0") == other)
