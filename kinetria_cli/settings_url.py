"""DATABASE_URL as the variables that it stands for."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

DEFAULT_PORT = 5432

# The servers are cut out first: `urlsplit` knows one host alone.
_URL = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<login>[^/?#]*@)?(?P<servers>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_SERVER = re.compile(r"(?:\[(?P<v6>[0-9A-Za-z:.%]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{0,5}))?")
_PARAMETERS = {"sslmode": "DB_SSL_MODE", "target_session_attrs": "DB_TARGET_SESSION_ATTRS"}
_UNREADABLE = "cannot be read: is a character of the password not percent-encoded?"


def url_parts(text: str) -> dict[str, str]:
    """Return what a postgres:// URL says, by the names of the variables; lists of servers with commas, as there.

    Raises:
        ValueError: It cannot be read. The text never quotes the URL, which holds a password.
    """
    found = _URL.fullmatch(text)
    if found is None or found["scheme"].lower() not in ("postgres", "postgresql"):
        raise ValueError("does not start with postgres:// or postgresql://")
    try:
        url = urlsplit(f"postgres://{found['login'] or ''}host{found['rest']}")
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    hosts, ports = _servers(found["servers"])
    if url.fragment:
        raise ValueError("has a #; in a password it is written %23")
    if "@" in url.path + url.query:
        raise ValueError(_UNREADABLE)
    query = parse_qs(url.query, keep_blank_values=True)
    if unknown := sorted(set(query) - set(_PARAMETERS)):
        raise ValueError(f"has the parameter {unknown[0]!r}; only {' and '.join(_PARAMETERS)} are read")
    parts = {
        "DB_HOST": hosts,
        "DB_PORT": ports,
        "DB_USER": unquote(url.username or ""),
        "DB_PASSWORD": unquote(url.password or ""),
        "DB_NAME": unquote(url.path.removeprefix("/")),
        **{variable: query.get(name, [""])[-1] for name, variable in _PARAMETERS.items()},
    }
    return {name: part for name, part in parts.items() if part}


def _servers(text: str) -> tuple[str, str]:
    """Return the hosts and the ports of `h1:5432,[::1]:5433,h3`; no ports where none is given."""
    found = [_SERVER.fullmatch(part) for part in text.split(",")]
    servers = [(server["v6"] or unquote(server["host"] or ""), server["port"]) for server in found if server]
    if len(servers) < len(found) or any(port and not 1 <= int(port) <= 65535 for _, port in servers):
        raise ValueError(_UNREADABLE)
    if len(servers) > 1 and not all(host for host, _ in servers):
        raise ValueError("names several servers, one of them without a host")
    ports = [port for _, port in servers]
    hosts = ",".join(host for host, _ in servers)
    return hosts, ",".join(str(int(port or DEFAULT_PORT)) for port in ports) if any(ports) else ""
