"""Commands that mend a setting or ask a server's administrator; they hold no secret."""

import re
import shlex

from kinetria_cli.domain.stack import ConnectionParams

_PLACE = re.compile(r"(?P<file>/[^;]*?) line (?P<line>\d+)")
FORGET_DATABASE = "export DB_HOST= DATABASE_URL="
"""A variable that is set to nothing hides the same one of a .env: then the recorded stack is the one in use."""


def edit(origin: str, name: str) -> str:
    """Return what lets somebody correct a setting: an editor at its line, or the shell asking for the value.

    Args:
        origin: Where the value comes from.
        name: The variable.
    """
    place = _PLACE.search(origin)
    if place:
        return f"${{EDITOR:-vi}} +{place['line']} {shlex.quote(place['file'])}"
    if "named by" in origin:
        return f"${{EDITOR:-vi}} {shlex.quote(origin.split(', named by', maxsplit=1)[0])}"
    silent = "-s " if name in ("DB_PASSWORD", "DATABASE_URL") else ""
    return f"read -r {silent}{name} && export {name}"


def as_administrator(
    params: ConnectionParams, statement: str, *, user: str = "postgres", database: str = "postgres"
) -> str:
    """Return the psql command for a statement that the role itself may not or cannot run; psql asks for the password.

    Args:
        params: The server.
        statement: Without a secret.
        user: The role that can.
        database: Where it has to run; most statements work in any.
    """
    words = ["psql", "-h", params.host, "-p", str(params.port), "-U", user, "-d", database, "-c", statement]
    return shlex.join(words)


def quoted(name: str) -> str:
    """Return an identifier as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'
