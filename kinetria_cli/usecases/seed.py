"""Loading a profile: deterministic records, in one transaction, recognised by their ids."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import Refused
from kinetria_cli.domain.migration import span
from kinetria_cli.usecases.profiles import build_profile
from kinetria_cli.usecases.seeding.results import SeedResult, SeedTable

if TYPE_CHECKING:
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.ports import Database
    from kinetria_cli.domain.repository_ports import Repositories, Repository


def seed(
    profile: str, *, random_seed: int, database: Database, migrations: MigrationGateway, dry_run: bool
) -> SeedResult:
    """Insert the profile's records that are not there yet; change nothing else.

    Args:
        profile: `minimal` or `demo`.
        random_seed: The same number gives the same records.
        database: Where to.
        migrations: To refuse on a schema that is behind.
        dry_run: Only count.

    Raises:
        MalformedParameters: There is no such profile.
        Refused: Migrations are pending.
        RecordConflict: A record of the user's own is in the way, such as the same e-mail; nothing was inserted.
    """
    started = time.monotonic()
    records = build_profile(profile, random_seed)
    if pending := migrations.status().pending_ids:
        raise Refused(
            f"the schema is behind: {len(pending)} pending, {span(pending)}",
            hint="kinetria migrate, then seed again",
        )
    with database.transaction() as repositories:
        tables = tuple(_load_table(name, records[name], repositories, dry_run=dry_run) for name in TABLES)
    return SeedResult(profile, random_seed, tables, round(time.monotonic() - started, 3), dry_run)


def _load_table(name: str, records: list[Any], repositories: Repositories, *, dry_run: bool) -> SeedTable:
    repository: Repository[Any] = getattr(repositories, name)
    found = repository.get_many(record.id for record in records)
    missing = [record for record in records if record.id not in found]
    unchanged = sum(found.get(record.id) == record for record in records)
    if not dry_run:
        repository.add_missing(missing)
    return SeedTable(name, inserted=len(missing), changed=len(found) - unchanged, unchanged=unchanged)
