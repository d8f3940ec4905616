"""Recording as applied what a database has already, without running it."""

from typing import Any

import psycopg

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.migration import Tell
from kinetria_cli.gateways.migrations.access import Access
from kinetria_cli.gateways.migrations.bookkeeping import TABLE, has_table
from kinetria_cli.gateways.migrations.compare import texts_of


def baseline(access: Access, ids: tuple[str, ...], *, lock_wait: float, tell: Tell) -> None:
    """See `MigrationGateway.baseline`."""
    from kinetria_cli.gateways.migrations.backend import SingleConnectionBackend, make_migration

    with access.connect() as connection, access.locked(connection, lock_wait, tell):
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


def _recorded(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """What our own table still has as applied where yoyo's marks were dropped: the text of then stays recorded."""
    if not has_table(connection):
        return frozenset()
    query = f"SELECT migration_id FROM public.{TABLE} WHERE state = 'applied'"  # noqa: S608 - a constant
    return frozenset(name for (name,) in connection.execute(query.encode()))
