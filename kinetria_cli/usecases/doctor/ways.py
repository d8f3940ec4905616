"""Commands that mend a setting or ask a server's administrator; they hold no secret."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from kinetria_cli.domain.stack import ConnectionParams

_PLACE = re.compile(r"(?P<file>/[^;]*?) line (?P<line>\d+)")
_OURS = re.compile(r"(?<![\w/.-])kinetria (?=[a-z])")
FORGET_DATABASE = "export DB_HOST= DATABASE_URL="
"""A variable that is set to nothing hides the same one of a .env: then the recorded stack is the one in use."""
ENVIRONMENT, IN_URL = "the environment", "DATABASE_URL in "
"""How the settings tell where a value came from."""


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


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the settings of the database come from.

    Args:
        known: DB_* -> its origin, for people; empty where the database is the recorded one.
    """

    known: Mapping[str, str]

    def of(self, name: str) -> str:
        """Return the origin of a variable."""
        return self.known.get(name) or ("its default" if self.known else "what kinetria up recorded")

    def edit(self, name: str) -> str:
        """Return the command that corrects a variable where it is set."""
        origin = self.of(name)
        return edit(origin, "DATABASE_URL" if origin.startswith(IN_URL) else name)

    def put(self, name: str, value: str) -> tuple[str, str]:
        """Return the command that sets a variable, and the value in words where the command asks for it."""
        if self.known.get(name) in (None, ENVIRONMENT):  # a shell's own counts before a .env
            return f"export {name}={shlex.quote(value)}", ""
        return self.edit(name), f"{name} has to be {value}; "


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


def of_file(command: str, env_file: PurePath) -> str:
    """Return a command with the file of --env-file for each of ours in it: without it another database is meant."""
    return _OURS.sub(lambda _: f"kinetria --env-file {shlex.quote(str(env_file))} ", command)


def quoted(name: str) -> str:
    """Return an identifier as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'
