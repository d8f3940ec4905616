"""Recording as applied what a database has already, without running it."""

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.migration import Tell
from kinetria_cli.gateways.migrations.access import Access
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
            for file in look.files:
                if file.id in ids:
                    runner.record_only(texts_of(file), origin="baseline")
                    backend.record(make_migration(file.id, (), "apply", lambda _: None), "apply")
