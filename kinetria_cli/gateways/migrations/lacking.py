"""What a file needs and its server does not have: an extension that was not built, a role of another server."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import psycopg

from kinetria_cli.domain.errors import MigrationFailed, NotOnServer

# The embedded server speaks English whatever the user's language is.
_EXTENSION = re.compile(r'extension "(.+)" is not available')
_ROLE = re.compile(r'role "(.+)" does not exist')


def lacking_extension(connection: psycopg.Connection[Any], error: BaseException | None) -> str | None:
    """Return the name of the extension that the embedded engine was built without, or None for another error.

    Args:
        connection: Outside a transaction that failed.
        error: What the driver raised.
    """
    found = _found(_EXTENSION, error, "0A000")
    if found is None:
        return None
    # `up` names its embedded server so; on any other server its own hint, to install the extension, is the right one.
    row = connection.execute("SELECT pg_catalog.current_setting('cluster_name') LIKE 'kinetria %'").fetchone()
    return found if row and row[0] else None


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Name what is missing on an embedded throw-away server when a migration fails for want of it.

    Args:
        place: The server, and why it is used.

    Raises:
        NotOnServer: A role or an extension is missing.
    """
    try:
        yield
    except MigrationFailed as error:
        server = f"on the throw-away server, which is {place}"
        if role := _found(_ROLE, error.__cause__, "42704", "22023"):
            raise NotOnServer(
                f"role {role} does not exist {server}",
                hint=f"create {role} in a migration, or take statements on roles and dynamic SQL out of the migrations,"
                " so that the throw-away database is made on your own server",
                details=error.details,
            ) from error
        if extension := _found(_EXTENSION, error.__cause__, "0A000"):
            raise NotOnServer(
                f"the embedded engine's PostgreSQL has no extension {extension} {server}",
                hint="kinetria up --engine docker has it when it belongs to PostgreSQL; name that database",
                details=error.details,
            ) from error
        raise


def _found(pattern: re.Pattern[str], error: BaseException | None, *states: str) -> str | None:
    if not isinstance(error, psycopg.Error) or error.sqlstate not in states:
        return None
    match = pattern.search(error.diag.message_primary or "")
    return match[1] if match else None
