"""What is recorded of a seed in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import SchemaMissing
from kinetria_cli.domain.seeding import Profile, SeedRecord

if TYPE_CHECKING:
    from kinetria_cli.domain.seed_ports import SeedStore, SeedTransaction


def find_record(transaction: SeedTransaction, profile: str, random_seed: int) -> SeedRecord | None:
    """Return what is recorded of a seed, if anything is."""
    key = profile, random_seed
    return next((found for found in transaction.records() if (found.profile, found.random_seed) == key), None)


def as_recorded(profile: Profile, store: SeedStore) -> SeedRecord | None:
    """Return the record of a seed of this profile in this form; None where there is none, or of another definition."""
    try:
        with store.transaction(writes=False) as transaction:
            found = find_record(transaction, profile.name, profile.random_seed)
    except SchemaMissing:
        return None  # migrations are pending: the seed itself says so
    return found if found is not None and found.definition == profile.definition else None
