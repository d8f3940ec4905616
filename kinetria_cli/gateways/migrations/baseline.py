"""Recording as applied what a database has already, without running it."""

from collections.abc import Callable
from typing import Any

import psycopg

from kinetria_cli.domain.errors import DatabaseUnreachable, MigrationConflict
from kinetria_cli.domain.migration import Tell
from kinetria_cli.gateways.migrations.access import Access
from kinetria_cli.gateways.migrations.bookkeeping import TABLE, has_table
from kinetria_cli.gateways.migrations.compare import texts_of


def baseline(access: Access, ids: tuple[str, ...], *, lock_wait: float, tell: Tell) -> None:
    """See `MigrationGateway.baseline`."""
    committing = False

    def commits() -> None:
        nonlocal committing
        access.kill_point("before_commit")
        committing = True

    try:
        with access.connect() as connection, access.locked(connection, lock_wait, tell):
            _record(access, connection, ids, tell=tell, commits=commits)
    except (DatabaseUnreachable, KeyboardInterrupt) as lost:
        if not committing:
            raise
        # All are recorded in one transaction.
        access.settle(
            lost,
            "the baseline",
            lambda: access.took_place(lambda look: ids[-1] in look.status.applied_ids, lock_wait),
            tell,
        )


def _record(
    access: Access,
    connection: psycopg.Connection[Any],
    ids: tuple[str, ...],
    *,
    tell: Tell,
    commits: Callable[[], None],
) -> None:
    """Record the migrations; `commits` is called right before the COMMIT."""
    from kinetria_cli.gateways.migrations.backend import SingleConnectionBackend, make_migration

    look = access.look(connection)
    if look.status.applied_ids or look.status.problems:
        newest = look.status.head or look.status.problems[0].id
        raise MigrationConflict(
            f"migrations are recorded already, the newest is {newest}", hint="kinetria migrate status"
        )
    backend = SingleConnectionBackend(connection)
    runner = access.runner(connection, tell=tell)
    with backend.transaction():
        backend.prepare_tables()
        recorded = _recorded(connection)
        for file in look.files:
            if file.id not in ids:
                continue
            if file.id not in recorded:
                runner.record_only(texts_of(file), origin="baseline")
            backend.record(make_migration(file.id, (), "apply", lambda _: None), "apply")
        commits()


def _recorded(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """What our own table still has as applied where yoyo's marks were dropped: the text of then stays recorded."""
    if not has_table(connection):
        return frozenset()
    query = f"SELECT migration_id FROM public.{TABLE} WHERE state = 'applied'"  # noqa: S608 - a constant
    return frozenset(name for (name,) in connection.execute(query.encode()))
