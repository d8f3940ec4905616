"""Commands that mend a setting or ask a server's administrator; they hold no secret."""

import re
import shlex
from collections.abc import Callable, Mapping
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
    return f"printf '{name}: ' && read -r {silent}{name} && export {name}"


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


@dataclass(frozen=True, slots=True)
class Psql:
    """The psql commands for what the role itself may not or cannot run.

    Args:
        params: The server.
        own: Returns the words of a psql of the project's own stack, which asks for no password; None for another
            server, where psql asks for it.
    """

    params: ConnectionParams
    own: Callable[[], str] | None

    def __call__(self, statement: str, *, user: str = "postgres", database: str = "postgres", options: str = "") -> str:
        """Return the command for a statement.

        Args:
            statement: Without a secret.
            user: The role that can; on the own stack its superuser does.
            database: Where it has to run; most statements work in any.
            options: Settings of the session, as PGOPTIONS takes them.
        """
        where = ["-h", self.params.host, "-p", str(self.params.port), "-U", user]
        words = shlex.join(["-d", database, "-c", statement])
        if self.own is None:
            prefix = f"PGOPTIONS={shlex.quote(options)} " if options else ""
            return f"{prefix}psql {shlex.join(where)} {words}"
        if not options:
            return f"{self.own()} {words}"
        # In a container our variables do not count; a connection string does.
        conninfo = shlex.quote(f"dbname={_conninfo(database)} options={_conninfo(options)}")
        return f"{self.own()} -d {conninfo} -c {shlex.quote(statement)}"


def _conninfo(text: str) -> str:
    """Escape a value for a connection string (libpq's conninfo_parse: a backslash before what would end it)."""
    return re.sub(r"([\\'\s])", r"\\\1", text)


def of_file(command: str, env_file: PurePath) -> str:
    """Return a command with the file of --env-file for each of ours in it: without it another database is meant."""
    return _OURS.sub(lambda _: f"kinetria --env-file {shlex.quote(str(env_file))} ", command)
