"""One error for several servers, each of which failed in its own way."""

import re
from collections.abc import Mapping, Sequence

from kinetria_cli.domain.errors import (
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnreachable,
    KinetriaError,
    LoginRefused,
    TlsRefused,
)
from kinetria_cli.domain.stack import ConnectionParams, Server

# As psycopg 3.3 puts together the errors of several attempts (connection.py). Unlike libpq it goes on after a login
# that was refused.
_ATTEMPT = re.compile(r"^- host: '([^']*)', port: '([0-9]+)', hostaddr: (?:'[^']*'|None): ", re.MULTILINE)

_TELLING: tuple[type[KinetriaError], ...] = (LoginRefused, TlsRefused, DatabaseBusy, DatabaseUnreachable)
"""What waiting does not mend comes first, then what it may mend. A server that is up and merely the wrong one comes
last: the right one is among those that fail otherwise."""


_ROLES = {
    "primary": "a primary",
    "read-write": "one that takes writes",
    "standby": "a standby",
    "read-only": "one that is read-only",
}
"""What a value of target_session_attrs asks for, as far as it asks."""


def attempts(text: str) -> Mapping[Server, str]:
    """Return what went wrong with each server, those of one server together; empty where the text has no list."""
    found: dict[Server, str] = {}
    _, *parts = _ATTEMPT.split(text)
    for host, port, failure in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        server = Server(host, int(port))
        found[server] = f"{found.get(server, '')} {failure}".strip()
    return found


def most_telling(
    problems: Sequence[KinetriaError], params: ConnectionParams, *, others_role: bool = False
) -> KinetriaError:
    """Return one error for all of them: the one that says most, each server's own in its details.

    Args:
        problems: One for each server, at least one.
        params: All the servers.
        others_role: Whether one of them works and is merely not what DB_TARGET_SESSION_ATTRS asks for.
    """
    chosen = min(problems, key=_rank)
    if len(problems) == 1:
        return chosen
    message = f"none of the servers {params.address} will do: {chosen.message}"
    if others_role and (role := _ROLES.get(params.session_attrs)):
        message = f"none of the servers {params.address} that answer is {role}: {chosen.message}"
    if isinstance(chosen, DatabaseReadOnly):
        message = f"connected to a standby: none of the servers {params.address} is the primary"
    return type(chosen)(message, hint=chosen.hint, details=[problem.message for problem in problems])


def _rank(problem: KinetriaError) -> int:
    return next((rank for rank, kind in enumerate(_TELLING) if isinstance(problem, kind)), len(_TELLING))
