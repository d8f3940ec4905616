"""Profiles of any number of users, made by parameters; nothing is kept of a user, so that memory does not grow."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import chain

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.seeding import CATALOGUE, EPOCH, Row, marks, micros
from kinetria_cli.usecases.profiles.accounts import Accounts
from kinetria_cli.usecases.profiles.catalogue import catalogue_rows
from kinetria_cli.usecases.profiles.definition import definition_of
from kinetria_cli.usecases.profiles.efforts import Efforts
from kinetria_cli.usecases.profiles.gym import Gym, Share
from kinetria_cli.usecases.profiles.trails import Trails
from kinetria_cli.usecases.profiles.visits import Members
from kinetria_cli.usecases.profiles.words import words

_BUCKET_ROWS = 10_000


@dataclass(frozen=True)
class Generated:
    """See `Profile`.

    Args:
        gym: The parameters; its users and its day are only what is taken where nothing else was asked for.
    """

    name: str
    random_seed: int
    users: int
    as_of: datetime
    gym: Gym

    def __reduce__(self) -> tuple[type["Generated"], tuple[object, ...]]:
        """Go to another process as what it was made of."""
        return Generated, (self.name, self.random_seed, self.users, self.as_of, self.gym)

    @property
    def bucket(self) -> int:
        """See `Profile.bucket`."""
        return max(1, _BUCKET_ROWS // self.gym.rows_at_most())

    @cached_property
    def definition(self) -> str:
        """See `Profile.definition`: of the gym's day only the hour matters to the rows."""
        hour = self.gym.as_of.timetz()
        return definition_of(replace(self.gym, users=0, as_of=datetime.combine(EPOCH, hour)), words())

    def counts(self, users: range) -> Mapping[str, int]:
        """See `Profile.counts`."""
        shared = {table: share.total(users) for table, share in self._shares.items()}
        whole = {"users": len(users), CATALOGUE: len(catalogue_rows())}
        return {table: whole.get(table, shared.get(table, 0)) for table in TABLES}

    def rows(self, table: str, users: range) -> Iterator[Row]:
        """See `Profile.rows`."""
        if table == CATALOGUE:
            return iter(catalogue_rows())
        return chain.from_iterable(map(self._makers[table], users))

    @property
    def _path(self) -> str:
        """What chance depends on."""
        return f"{self.name}/{self.random_seed}"

    @cached_property
    def _shares(self) -> dict[str, Share]:
        return {table: Share(table, span, self._path) for table, span in self.gym.spans().items()}

    @cached_property
    def _makers(self) -> dict[str, Callable[[int], list[Row]]]:
        mark = marks(self.name, self.random_seed)
        members = Members(self._path, self.gym, self._shares, micros(self.as_of))
        accounts = Accounts(self.name, self.random_seed, members, mark, self._shares["refresh_tokens"])
        return {
            "users": accounts.users,
            "workouts": accounts.workouts,
            "sessions": accounts.sessions,
            "set_records": Efforts(self._path, self.gym, members, mark, self.gym.sets.high).rows,
            "refresh_tokens": accounts.refresh_tokens,
            "audit_log": Trails(self._path, members, mark, self._shares["audit_log"]).rows,
        }
