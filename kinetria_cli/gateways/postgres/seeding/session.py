"""What a transaction of a seed may rely on, whose turn it is, and who is in the way."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import SchemaMissing, WaitTimedOut
from kinetria_cli.domain.needed import SEED_TABLE
from kinetria_cli.gateways.pooling import fire_triggers, pin
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.queries import load

LOCK_SECONDS = 5.0
"""How long one table or row is waited for: whoever comes later waits behind us."""
TURN_SECONDS = 600.0
"""How long another seed is waited for."""
TURN = int.from_bytes(hashlib.sha256(b"kinetria seed").digest()[:8], "big") >> 1
"""The number of the advisory lock; the server keeps it apart by database."""

_POLL_SECONDS = 0.1
_TELL_AFTER_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Holder:
    """A session that has what a seed waits for.

    Args:
        pid: Its server process.
        program: Its application_name.
        client: Its address; None for a local socket.
        state: As pg_stat_activity has it; None where this role is not shown it.
        seconds: How long its transaction is open.
    """

    pid: int
    program: str | None
    client: str | None
    state: str | None
    seconds: float

    def __str__(self) -> str:
        program, client = self.program or "an unnamed program", self.client or "a local socket"
        return f"{program} at {client}, server process {self.pid}, {self.state or 'open'} for {self.seconds:.0f} s"


def begin(connection: Connection, *, writes: bool, lock_seconds: float = LOCK_SECONDS) -> int:
    """Set what holds for a transaction, as its first statements; return its server process.

    Args:
        connection: In the transaction.
        writes: Whether it changes anything.
        lock_seconds: How long to wait for a table or row.

    Raises:
        SchemaMissing: There is no table kinetria_seed.
        PrivilegeMissing: Triggers are off for this role, and it cannot turn them on.
    """
    # A role or database that may only read stays so: its first write says it.
    mode = "READ COMMITTED" if writes else "REPEATABLE READ, READ ONLY"
    connection.execute(f"SET TRANSACTION ISOLATION LEVEL {mode}; SET LOCAL statement_timeout = 0".encode())
    pin(connection)
    if writes:
        fire_triggers(connection, local=True)
    row = connection.execute(_query("pins"), {"lock_timeout": f"{max(1, round(lock_seconds * 1000))}ms"}).fetchone()
    if row is None or not row[-1]:
        raise SchemaMissing(
            "there is no table kinetria_seed: migrations are pending", hint="kinetria migrate, then run this again"
        )
    return int(row[-2])


def take_turn(connection: Connection, tell: Callable[[str], None]) -> None:
    """Wait until no other seed runs on this database; until the end of the transaction none begins.

    Polled: a session that waits inside the server holds a snapshot, and a concurrent index build waits for it.

    Raises:
        WaitTimedOut: Another one ran for `TURN_SECONDS`.
    """
    deadline, quiet = Deadline(TURN_SECONDS), Deadline(_TELL_AFTER_SECONDS)
    told = False
    while not _has_turn(connection):
        if deadline.passed:
            raise WaitTimedOut(
                f"another seed runs on this database for {TURN_SECONDS:.0f} s: {_whose_turn(connection)}",
                hint="wait for it, or end it; then run this again",
            )
        if quiet.passed and not told:
            tell(f"waiting for another seed: {_whose_turn(connection)}")
            told = True
        deadline.pause(_POLL_SECONDS)


def in_the_way(connection: Connection, lock_seconds: float = LOCK_SECONDS) -> WaitTimedOut:
    """Return the error for a lock that was not to be had, after the rollback: with the session that has it."""
    row = connection.execute(_query("holders"), {"tables": [*TABLES, SEED_TABLE]}).fetchone()
    waited = f"waited {lock_seconds:g} s for a lock"
    if row is None:
        return WaitTimedOut(
            f"{waited}; a session that just ended held a table", hint="run this again; nothing was changed"
        )
    holder = Holder(*row[1:])
    return WaitTimedOut(
        f"{waited}; {row[0]} is in use: {holder}",
        hint=f"wait for it, or end it: SELECT pg_terminate_backend({holder.pid}); nothing was changed",
    )


def _has_turn(connection: Connection) -> bool:
    row = connection.execute(_query("take_turn"), {"key": TURN}).fetchone()
    return row is not None and bool(row[0])


def _whose_turn(connection: Connection) -> str:
    row = connection.execute(_query("whose_turn"), {"key": TURN}).fetchone()
    return str(Holder(*row)) if row else "it ended just now"


def _query(name: str) -> bytes:
    return load("seed")[name].encode()
