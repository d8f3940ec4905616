"""DATABASE_URL as the variables that it stands for."""

import re
from urllib.parse import unquote, urlsplit

DEFAULT_PORT = 5432

# The servers are cut out first: `urlsplit` knows one host alone.
_URL = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<login>[^/?#]*@)?(?P<servers>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_SCHEME = re.compile(r"postgres(?:ql)?(?:\+[a-z0-9_]+)?", re.IGNORECASE)
"""SQLAlchemy's name of a driver may follow: which one connects is ours to say."""
_SERVER = re.compile(r"(?:\[(?P<v6>[0-9A-Za-z:.%_-]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{0,5}))?")
_PARAMETERS = {
    "host": "DB_HOST",
    "port": "DB_PORT",
    "user": "DB_USER",
    "password": "DB_PASSWORD",
    "dbname": "DB_NAME",
    "sslmode": "DB_SSL_MODE",
    "target_session_attrs": "DB_TARGET_SESSION_ATTRS",
    "sslrootcert": "sslrootcert",
    "channel_binding": "channel_binding",
}
"""libpq's parameter -> the variable it stands for; the last two have none."""
_IGNORED = re.compile(
    "(fallback_)?application_name|client_encoding|connect_timeout|keepalives(_idle|_interval|_count)?|tcp_user_timeout"
)
"""libpq's parameters that change nothing here: name, encoding and limits of time are our own."""
_INSTEAD = {
    "ssl": "write sslmode=require",
    "options": "set what it sets for the role: ALTER ROLE ... SET",
    "pgbouncer": "remove it: a pooler is recognised",
}
_UNREADABLE = "cannot be read: is a character of the password not percent-encoded?"


def url_parts(text: str) -> dict[str, str]:
    """Return what a postgres:// URL says, by the names of the variables; lists of servers with commas, as there.

    Raises:
        ValueError: It cannot be read. The text never quotes the URL, which holds a password.
    """
    found = _URL.fullmatch(text)
    if found is None or not _SCHEME.fullmatch(found["scheme"]):
        raise ValueError("does not start with postgres:// or postgresql://")
    _check_characters(text)
    login = found["login"] or ""
    try:
        url = urlsplit(f"postgres://{login}host{found['rest']}")
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    if "@" in login[:-1] + url.path + url.query:
        raise ValueError(_UNREADABLE)
    hosts, ports = _servers(found["servers"])
    parts = {
        "DB_HOST": hosts,
        "DB_PORT": ports,
        "DB_USER": _decoded(url.username or ""),
        "DB_PASSWORD": _decoded(url.password or ""),
        "DB_NAME": _decoded(url.path.removeprefix("/")),
    }
    for name, value in _parameters(url.query).items():
        if parts.get(name, "") not in ("", value):
            raise ValueError(f"names {name} twice, before the ? and behind it; remove one of them")
        parts[name] = value
    return {name: part for name, part in parts.items() if part}


def _check_characters(text: str) -> None:
    if "#" in text:
        raise ValueError("has a #; in a password it is written %23")
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError("has a blank or a line end in it; in a password a blank is written %20")
    # What is in brackets is an IPv6 address, whose zone is often written with a plain %.
    if re.search(r"%(?![0-9A-Fa-f]{2})", re.sub(r"\[[^\]]*\]", "", text)):
        raise ValueError("has a % without two hexadecimal digits behind it; in a password it is written %25")


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("has %-codes that are not UTF-8") from None


def _parameters(query: str) -> dict[str, str]:
    """Return what the parameters say, by the names of the variables."""
    found: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")  # a plus is a plus, as libpq reads it
        if _IGNORED.fullmatch(name):
            continue
        if name not in _PARAMETERS:
            instead = _INSTEAD.get(name) or f"remove it; {', '.join(_PARAMETERS)} are read"
            raise ValueError(f"has the parameter {name!r}, which is not read: {instead}")
        if _PARAMETERS[name] in found:
            raise ValueError(f"has the parameter {name!r} twice; remove one of them")
        found[_PARAMETERS[name]] = _decoded(value)
    return found


def _servers(text: str) -> tuple[str, str]:
    """Return the hosts and the ports of `h1:5432,[::1]:5433,h3`; no ports where none is given."""
    found = [_SERVER.fullmatch(part) for part in text.split(",")]
    servers = [(_decoded(server["v6"] or server["host"] or ""), server["port"]) for server in found if server]
    if len(servers) < len(found) or any(port and not 1 <= int(port) <= 65535 for _, port in servers):
        raise ValueError(_UNREADABLE)
    if len(servers) > 1 and not all(host for host, _ in servers):
        raise ValueError("names several servers, one of them without a host")
    ports = [port for _, port in servers]
    hosts = ",".join(host for host, _ in servers)
    return hosts, ",".join(str(int(port or DEFAULT_PORT)) for port in ports) if any(ports) else ""
