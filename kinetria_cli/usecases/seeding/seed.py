"""Seeding a database: what is missing is inserted, what is there is left, all of it in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import KinetriaError, Refused
from kinetria_cli.domain.migration import span
from kinetria_cli.domain.seeding import CATALOGUE, Fingerprint, Profile, SeedRecord
from kinetria_cli.usecases.seeding.compare import reconcile
from kinetria_cli.usecases.seeding.contract import require_columns
from kinetria_cli.usecases.seeding.estimate import check_disk, estimate
from kinetria_cli.usecases.seeding.load import Loader, Tally
from kinetria_cli.usecases.seeding.plan import SeedPlan, plan_seed
from kinetria_cli.usecases.seeding.results import SeedResult, SeedTable
from kinetria_cli.usecases.seeding.telling import Silence

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.seed_ports import SeedSource, SeedStore, SeedTransaction

TOLD_FROM = 20_000
"""From how many rows on a seed takes so long that one likes to see how far it is."""


@dataclass(frozen=True, slots=True)
class SeedRequest:
    """What the user asked for.

    Args:
        restore: Whether rows that say something else by now are set back.
        dry_run: Whether only to say what would be done.
    """

    restore: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class SeedPorts:
    """What a seed works with.

    Args:
        source: Makes the profile's rows.
        store: The database.
        migrations: Knows whether the schema is behind.
        free_bytes: Tells what the disk of the database has free; None where that cannot be known from here.
    """

    source: SeedSource
    store: SeedStore
    migrations: MigrationGateway
    free_bytes: Callable[[], int | None]


def seed(
    request: SeedRequest, *, profile: Profile, ports: SeedPorts, progress: Progress, agree: Callable[[str], None]
) -> SeedResult:
    """Insert the profile's rows that are not there yet; rows that say something else by now are left, or restored.

    Args:
        request: What the user asked for.
        profile: Whose rows.
        ports: What to work with.
        progress: Told of every table, where there are many rows.
        agree: Called with what is about to happen, where something may be written; raises where that is not confirmed.

    Raises:
        Refused: Migrations are pending; or the disk is too small; or what is here was loaded from another definition
            or for another time.
        SchemaMissing: A column is missing, of another type, or wants a value that no seed has.
        RecordConflict: A record of the user's own is in the way, such as the same e-mail; nothing was inserted.
        Whatever else the ports raise; all is as before then.
    """
    started = time.monotonic()
    check_schema(ports.migrations)
    if not request.dry_run:
        rows = sum(profile.counts(range(1, profile.users + 1)).values())
        agree(
            f"{rows:,} rows of profile {profile.name}, random seed {profile.random_seed}, will be inserted where they"
            f" are missing{', and set back where they say something else' if request.restore else ''}."
        )
    run = _Seeding(request, profile, ports, progress, started)
    with ports.store.transaction(writes=not request.dry_run) as transaction:
        result = run.in_transaction(transaction)
    if run.loaded:
        try:
            ports.store.analyze(run.loaded)
        except (KeyboardInterrupt, KinetriaError) as stopped:
            stopped.add_note("all rows are there; only the planner's statistics were not gathered: ANALYZE")
            raise
    return result


def check_schema(migrations: MigrationGateway) -> None:
    """Return when all migrations are applied.

    Raises:
        Refused: Some are pending.
    """
    if pending := migrations.status().pending_ids:
        raise Refused(
            f"the schema is behind: {len(pending)} pending, {span(pending)}", hint="kinetria migrate, then seed again"
        )


class _Seeding:
    """One run of a seed."""

    def __init__(
        self, request: SeedRequest, profile: Profile, ports: SeedPorts, progress: Progress, started: float
    ) -> None:
        self.loaded: tuple[str, ...] = ()
        self._request = request
        self._profile = profile
        self._ports = ports
        self._progress = progress
        self._started = started

    def in_transaction(self, transaction: SeedTransaction) -> SeedResult:
        require_columns(transaction.columns())
        records = transaction.records()
        plan = plan_seed(self._profile, transaction, records, restore=self._request.restore)
        progress = self._progress if self._rows(plan) >= TOLD_FROM else Silence()
        compared = Tally(self._ports.source)
        found = self._reconcile(plan, transaction, compared, progress)
        new = self._new(plan)
        missing = {name: count + (found[name].inserted if name in found else 0) for name, count in new.items()}
        needed = estimate(missing, records=records, free_bytes=self._ports.free_bytes())
        loader = Loader(transaction, self._ports.source, self._profile, progress)
        if not self._request.dry_run:
            check_disk(needed)
            loader.load(plan.load, plan.new)
            self.loaded = plan.load
            proved = plan.proved({name: table.changed for name, table in found.items()})
            record = replace(self._record(plan, compared.totals, loader.fingerprints), shapes=proved)
            if record != plan.recorded or any(table.inserted or table.restored for table in found.values()):
                transaction.write(record)
        return SeedResult(
            profile=self._profile.name,
            random_seed=self._profile.random_seed,
            tables=self._tables(plan, found, new),
            seconds=self._seconds(),
            users=self._profile.users,
            as_of=self._profile.as_of,
            dry_run=self._request.dry_run,
            notes=tuple(loader.notes),
            estimate=needed if self._request.dry_run else None,
        )

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def _rows(self, plan: SeedPlan) -> int:
        """How many rows have to be compared or made."""
        known = self._profile.counts(plan.known)
        return sum(self._new(plan).values()) + sum(known[table] for table in plan.compare)

    def _new(self, plan: SeedPlan) -> Mapping[str, int]:
        """Table -> how many rows are loaded."""
        counts = self._profile.counts(plan.new)
        return {table: counts[table] if table in plan.load else 0 for table in TABLES}

    def _reconcile(
        self, plan: SeedPlan, transaction: SeedTransaction, source: SeedSource, progress: Progress
    ) -> dict[str, SeedTable]:
        tables = reconcile(
            transaction,
            source,
            self._profile,
            plan.known,
            tables=plan.compare,
            restore=self._request.restore,
            dry_run=self._request.dry_run,
            progress=progress,
        )
        return {table.name: table for table in tables}

    def _tables(self, plan: SeedPlan, found: Mapping[str, SeedTable], new: Mapping[str, int]) -> tuple[SeedTable, ...]:
        known = self._profile.counts(plan.known)
        there = {
            # The catalogue belongs to no user: it counts whole, whether it was there or is new.
            name: found.get(name) or SeedTable(name, 0, 0, 0 if name == CATALOGUE else known[name])
            for name in TABLES
        }
        return tuple(replace(table, inserted=table.inserted + new[name]) for name, table in there.items())

    def _record(
        self, plan: SeedPlan, compared: Mapping[str, Fingerprint], loaded: Mapping[str, Fingerprint]
    ) -> SeedRecord:
        """The record of all that is the seed's by now."""
        before = plan.recorded
        kept = compared if plan.kept is None else plan.kept
        nothing = Fingerprint()
        return SeedRecord(
            self._profile.name,
            self._profile.random_seed,
            plan.users,
            self._profile.as_of,
            self._profile.definition,
            {table: kept.get(table, nothing) + loaded.get(table, nothing) for table in TABLES},
            (before.seconds if before else 0) + (self._seconds() if plan.load or not before else 0),
        )
