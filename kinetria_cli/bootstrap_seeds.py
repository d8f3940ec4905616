"""The part of the composition root that makes what works on seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from kinetria_cli.domain.stack import ConnectionParams, StackRecord
from kinetria_cli.settings import Settings
from kinetria_cli.usecases.engine import EMBEDDED

if TYPE_CHECKING:
    from kinetria_cli.domain.migration import Tell
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.seeding import Profile
    from kinetria_cli.usecases.seeding.seed import SeedPorts


@dataclass(frozen=True)
class Seeds:
    """What works on seeds.

    Args:
        settings: Read and checked.
        migrations: Returns the migrations folder against a database.
    """

    settings: Settings
    migrations: Callable[[ConnectionParams], MigrationGateway]

    def profile(
        self, name: str, *, random_seed: int, users: int | None = None, as_of: datetime | None = None
    ) -> Profile:
        """Return a profile. See `find_profile`."""
        from kinetria_cli.usecases.profiles import find_profile

        return find_profile(name, random_seed=random_seed, users=users, as_of=as_of)

    def profile_here(
        self, params: ConnectionParams, name: str, *, random_seed: int, users: int | None, as_of: datetime | None
    ) -> Profile:
        """Return a profile; what is not given of users and time is as it is recorded of that seed in the database."""
        from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
        from kinetria_cli.usecases.seeding.recorded import as_recorded

        found = self.profile(name, random_seed=random_seed, users=users, as_of=as_of)
        if users is not None and as_of is not None:
            return found
        with closing(PostgresSeedStore(params, timeout=self.settings.request_timeout)) as store:
            known = as_recorded(found, store)
        if known is None:
            return found
        # Where a profile has a number of users of its own, none is given, and it is the recorded one.
        many = known.users if users is None and known.users != found.users else users
        return self.profile(name, random_seed=random_seed, users=many, as_of=as_of or known.as_of)

    @contextmanager
    def opened(
        self,
        params: ConnectionParams,
        profile: Profile,
        *,
        engine: str | None = None,
        tell: Tell = lambda _: None,
        migrations: MigrationGateway | None = None,
    ) -> Iterator[SeedPorts]:
        """Open what a seed works with, for the block.

        Args:
            params: The database.
            profile: Whose rows.
            engine: What runs the database, where `up` of this project started it.
            tell: Takes a line where another seed is waited for.
            migrations: Of another folder than the settings name.
        """
        from kinetria_cli.bootstrap_seeding import source_for
        from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
        from kinetria_cli.usecases.seeding.seed import SeedPorts

        with closing(PostgresSeedStore(params, timeout=self.settings.request_timeout, tell=tell)) as store:
            known = migrations or self.migrations(params)
            yield SeedPorts(source_for(profile), store, known, partial(self._free_bytes, engine))

    def of_stack(self, record: StackRecord, profile: Profile) -> AbstractContextManager[SeedPorts]:
        """Open what a seed works with on the stack that `up` started, for the block."""
        return self.opened(record.database, profile, engine=record.engine)

    def insert_demo(self, params: ConnectionParams, migrations: MigrationGateway) -> None:
        """Insert the demo records into a database that is thrown away afterwards.

        Raises:
            SchemaMissing: Its migrations do not make all tables.
        """
        from kinetria_cli.usecases.seeding.seed import SeedRequest, seed
        from kinetria_cli.usecases.seeding.telling import Silence

        profile = self.profile("demo", random_seed=42)
        with self.opened(params, profile, migrations=migrations) as ports:
            seed(SeedRequest(), profile=profile, ports=ports, progress=Silence(), agree=lambda _: None)

    def _free_bytes(self, engine: str | None) -> int | None:
        """What the disk of the database has free: known of the embedded engine alone, whose data lie here."""
        if engine != EMBEDDED:
            return None
        from kinetria_cli.gateways.engines.common.layout import StackFolder
        from kinetria_cli.gateways.files import free_bytes

        return free_bytes(StackFolder(self.settings.home, self.settings.project).data)
