"""Profiles of a few users made by hand: their records are entities, and all of them fit into memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import Entity
from kinetria_cli.domain.seed_ids import user_of
from kinetria_cli.domain.seeding import CATALOGUE, Row, micros
from kinetria_cli.usecases.profiles.catalogue import catalogue_rows
from kinetria_cli.usecases.profiles.definition import definition_of
from kinetria_cli.usecases.profiles.rows import row_of

Records = Mapping[str, list[Entity]]
"""Table -> its entities by id; without the catalogue."""


@dataclass(frozen=True)
class Handmade:
    """See `Profile`.

    Args:
        base: The moment that the records of `build` lead up to.
        build: Makes the records of a random seed.
    """

    name: str
    random_seed: int
    users: int
    as_of: datetime
    base: datetime
    build: Callable[[int], Records]
    bucket: int = 100

    @cached_property
    def definition(self) -> str:
        """See `Profile.definition`."""
        return definition_of(self.name)

    @cached_property
    def _rows(self) -> dict[str, list[tuple[int, Row]]]:
        later = micros(self.as_of) - micros(self.base)
        made: dict[str, list[tuple[int, Row]]] = {table: [] for table in TABLES}
        for table, entities in self.build(self.random_seed).items():
            made[table] = [(user_of(entity.id.bytes), row_of(entity, later)) for entity in entities]
        return made

    def counts(self, users: range) -> Mapping[str, int]:
        """See `Profile.counts`."""
        return {table: sum(1 for _ in self.rows(table, users)) for table in TABLES}

    def rows(self, table: str, users: range) -> Iterator[Row]:
        """See `Profile.rows`."""
        if table == CATALOGUE:
            return iter(catalogue_rows())
        return (row for user, row in self._rows[table] if user in users)
