"""Tables that another session keeps from being read: a wait for one has a deadline, and its error names the session."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from kinetria_cli.domain.errors import WaitTimedOut
from kinetria_cli.gateways.postgres.queries import load

Connection = psycopg.Connection[Any]


def set_deadlines(connection: Connection, *, lock: float, statement: float | None = None) -> None:
    """Limit the waits of the present transaction, whatever the role's settings are.

    Args:
        connection: In a transaction.
        lock: Seconds to wait for a locked table.
        statement: Seconds for a whole statement; None leaves the role's setting.
    """
    limits = {"lock_timeout": lock} | ({} if statement is None else {"statement_timeout": statement})
    # 0 would be no limit at all. SET, because the isolation level can still be chosen after it.
    settings = [f"SET LOCAL {name} = {max(1, round(seconds * 1000))}" for name, seconds in limits.items()]
    connection.execute("; ".join(settings).encode())


@contextlib.contextmanager
def naming_lockers(connection: Connection) -> Iterator[None]:
    """Name the session that holds the lock if the block waits for a table in vain; the block holds the transaction.

    Raises:
        WaitTimedOut: Another session kept a table locked.
    """
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise table_locked(connection) from error


def table_locked(connection: Connection) -> WaitTimedOut:
    """Return the error for a table that is locked by another session.

    Args:
        connection: Its transaction, or savepoint, that failed is rolled back.
    """
    row = connection.execute(load("server")["lockers"].encode()).fetchone()
    if row is None:
        return WaitTimedOut("a table was locked by another session, which has just ended", hint="run this again")
    table, pid, program, client, state, seconds, granted = row
    who = f"{program or 'an unnamed program'} at {client or 'a local socket'}"
    doing = f"{state or 'state not visible'}{'' if seconds is None else f' for {seconds:.0f} s'}"
    waits = "" if granted else ", which itself waits for the table"
    return WaitTimedOut(
        f"{table} is locked by pid {pid} ({who}, {doing}){waits}",
        hint=f"wait for it, or end it: SELECT pg_terminate_backend({pid})",
    )
