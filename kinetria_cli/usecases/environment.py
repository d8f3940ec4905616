"""The connection as variables: for a shell, and for the service that `up` starts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from kinetria_cli.domain.config import ENV_MARK, EXPORTED, environment_mark
from kinetria_cli.domain.stack import ConnectionParams

LIBPQ = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSSLMODE", "PGTARGETSESSIONATTRS", "PGPASSFILE")
LIBPQ_TLS = ("PGSSLROOTCERT", "PGCHANNELBINDING")
"""Exported where they are set."""


@dataclass(frozen=True, slots=True)
class ShellEnvironment:
    """What `env` prints. The only result that holds a password."""

    kind: ClassVar[str] = "env"
    variables: Mapping[str, str]

    def as_data(self) -> dict[str, object]:
        """The JSON form: the keys that scripts read; the port numbers as text, as in the shell."""
        return {name: self.variables[name] for name in EXPORTED}


@dataclass(frozen=True, slots=True)
class ShellUnset:
    """What `env --unset` prints: the variables that `env` exports."""

    kind: ClassVar[str] = "env.unset"
    unset: tuple[str, ...] = (*EXPORTED, *LIBPQ, *LIBPQ_TLS, ENV_MARK)


def shell_environment(
    params: ConnectionParams,
    *,
    http_port: int,
    passfile: str,
    own_project: str | None = None,
    cleared: Iterable[str] = (),
) -> ShellEnvironment:
    """Return DB_*, DATABASE_URL and libpq's own variables for one database.

    Args:
        params: The database.
        http_port: The service's port.
        passfile: A file of mode 0600 in libpq's format that holds its password.
        own_project: The project whose `up` recorded exactly this connection; None for any other database.
        cleared: Other variables that would contradict these; they are exported empty, which hides them.
    """
    hosts = ",".join(server.host for server in params.servers)
    ports = ",".join(str(server.port) for server in params.servers)
    values = {
        "DB_HOST": hosts,
        "DB_PORT": ports,
        "DB_USER": params.user,
        "DB_PASSWORD": params.password,
        "DB_NAME": params.dbname,
        "DB_SSL_MODE": params.sslmode,
        "DB_TARGET_SESSION_ATTRS": params.session_attrs,
        "DATABASE_URL": database_url(params),
        "HTTP_PORT": str(http_port),
    }
    libpq = (hosts, ports, params.user, params.dbname, params.sslmode, params.session_attrs, passfile)
    tls = {
        name: value
        for name, value in zip(LIBPQ_TLS, (params.sslrootcert, params.channel_binding), strict=True)
        if value
    }
    mark = {ENV_MARK: environment_mark(own_project, values)} if own_project else {}
    own = values | dict(zip(LIBPQ, libpq, strict=True)) | tls
    return ShellEnvironment(own | dict.fromkeys(cleared, "") | mark)


def database_url(params: ConnectionParams) -> str:
    """Return a postgres:// URL, each part percent-encoded."""
    user, password, name = (quote(part, safe="") for part in (params.user, params.password, params.dbname))
    servers = ",".join(f"{_url_host(server.host)}:{server.port}" for server in params.servers)
    wanted = "" if params.session_attrs == "any" else f"&target_session_attrs={params.session_attrs}"
    wanted += f"&sslrootcert={quote(params.sslrootcert, safe='')}" if params.sslrootcert else ""
    wanted += f"&channel_binding={params.channel_binding}" if params.channel_binding else ""
    return f"postgres://{user}:{password}@{servers}/{name}?sslmode={params.sslmode}{wanted}"


def _url_host(host: str) -> str:
    if host.startswith("/") or ":" not in host:
        return quote(host, safe="")
    return f"[{host.replace('%', '%25')}]"


def passfile_line(params: ConnectionParams) -> str:
    """Return a line of libpq's password file for each server.

    `:` and `\\` are escaped (PostgreSQL 16 manual, section 34.16).
    """
    lines = []
    for server in params.servers:
        parts = (server.host, str(server.port), params.dbname, params.user, params.password)
        lines.append(":".join(part.replace("\\", "\\\\").replace(":", "\\:") for part in parts) + "\n")
    return "".join(lines)
