"""The ports of seeding in memory: tables of row images by id, which a transaction gives back when it fails."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import unpack_from

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.seed_ids import Mark, id_bounds
from kinetria_cli.domain.seed_images import fields_in, hash_of
from kinetria_cli.domain.seed_ports import Hanging
from kinetria_cli.domain.seeding import Block, Fingerprint, SeedRecord, buckets, users_of
from kinetria_cli.gateways.postgres.seeding.source import ID_AT
from kinetria_cli.usecases.checks.columns import type_of

Tables = dict[str, dict[bytes, bytes]]


def split(data: bytes) -> Iterator[bytes]:
    """Yield the images that a block's data consist of."""
    start = 0
    while start < len(data):
        at = start + 2
        for _ in range(unpack_from(">h", data, start)[0]):
            at += 4 + max(0, unpack_from(">i", data, at)[0])
        yield data[start:at]
        start = at


@dataclass
class FakeSeedStore:
    """See `SeedStore` and `SeedTransaction`: it is both.

    Args:
        tables: Table -> id -> image; tests change them as a user would.
        seeds: What is recorded.
        owned: The ids of rows that a seed wrote; a test that changes a row takes its id out. None: cannot be told.
        hangs: What `hanging` finds among the targets that it is asked for.
        aside: Why nothing is set aside, or None.
    """

    tables: Tables = field(default_factory=lambda: {table: {} for table in TABLES})
    seeds: list[SeedRecord] = field(default_factory=list)
    owned: set[bytes] | None = field(default_factory=set)
    hangs: tuple[Hanging, ...] = ()
    aside: str | None = None
    shape: dict[str, str] = field(default_factory=lambda: dict.fromkeys(TABLES, "as migrated"))
    """What DDL made of each table."""
    calls: list[str] = field(default_factory=list)
    """What was asked for, in order: `load users`, `set_aside`, `put_back sessions`, `analyze`, ..."""

    @contextlib.contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator["FakeSeedStore"]:
        self.calls.append("begin" if writes else "look")
        tables, seeds = {table: dict(rows) for table, rows in self.tables.items()}, list(self.seeds)
        owned = None if self.owned is None else set(self.owned)
        try:
            yield self
        except BaseException:
            self.tables, self.seeds, self.owned = tables, seeds, owned
            raise
        if not writes:
            assert (self.tables, self.seeds) == (tables, seeds), "written in a transaction that only reads"

    def analyze(self, tables: Sequence[str]) -> None:
        self.calls.append("analyze")

    def close(self) -> None:
        self.calls.append("close")

    def records(self) -> tuple[SeedRecord, ...]:
        return tuple(sorted(self.seeds, key=lambda record: (record.profile, record.random_seed)))

    def write(self, record: SeedRecord) -> None:
        self.forget(record.profile, record.random_seed)
        self.seeds.append(record)

    def forget(self, profile: str, random_seed: int) -> None:
        self.seeds = [found for found in self.seeds if (found.profile, found.random_seed) != (profile, random_seed)]

    def untouched(self, record: SeedRecord, tables: Sequence[str]) -> Mapping[str, int] | None:
        if self.owned is None:
            return None
        return {table: sum(record_id in self.owned for record_id in self.tables[table]) for table in tables}

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        return {table: {name: type_of(field) for name, field in fields_of(table).items()} for table in TABLES}

    def shapes(self) -> Mapping[str, str]:
        return self.shape

    def is_empty(self, table: str) -> bool:
        return not self.tables[table]

    def has_rows(self, table: str, mark: Mark, users: range) -> bool:
        return bool(self._marked(table, mark, users))

    def count(self, table: str, mark: Mark, users: range) -> int:
        return len(self._marked(table, mark, users))

    def fingerprints(self, table: str, mark: Mark, users: range, size: int) -> Iterator[tuple[range, Fingerprint]]:
        for bucket in buckets(users_of(table, users), size):
            found = Fingerprint()
            for number in self.hashes(table, mark, bucket).values():
                found += Fingerprint(1, number)
            if found.rows:
                yield bucket, found

    def hashes(self, table: str, mark: Mark, users: range) -> Mapping[bytes, int]:
        return {record_id: hash_of(image) for record_id, image in self._marked(table, mark, users).items()}

    def fields(self, table: str, ids: Sequence[bytes]) -> Mapping[bytes, tuple[bytes | None, ...]]:
        rows = self.tables[table]
        return {record_id: fields_in(rows[record_id]) for record_id in ids if record_id in rows}

    def set_aside(self, tables: Sequence[str]) -> str | None:
        self.calls.append("set_aside")
        return self.aside

    def load(self, table: str, blocks: Iterable[Block], progress: Callable[[int], None]) -> None:
        self.calls.append(f"load {table}")
        sent = 0
        for block in blocks:
            made = {image[ID_AT]: image for image in split(block.data)}
            assert block.table == table
            assert len(made) == block.fingerprint.rows
            assert not made.keys() & self.tables[table].keys(), "a row is there already"
            self.tables[table] |= made
            if self.owned is not None:
                self.owned |= made.keys()
            sent += len(made)
            progress(sent)

    def put_back(self, table: str, progress: Callable[[str], None]) -> None:
        self.calls.append(f"put_back {table}")

    def put_back_keys(self, progress: Callable[[str], None]) -> None:
        self.calls.append("put_back_keys")

    def restore(self, table: str, images: Sequence[bytes]) -> int:
        self.calls.append(f"restore {table}")
        rows = self.tables[table]
        wanted = {image[ID_AT]: image for image in images}
        changed = {record_id: image for record_id, image in wanted.items() if rows.get(record_id, image) != image}
        rows |= changed
        if self.owned is not None:
            self.owned |= changed.keys()
        return len(changed)

    def hold(self) -> None:
        self.calls.append("hold")

    def hanging(self, marks: Mapping[str, Mark], users: range) -> tuple[Hanging, ...]:
        return tuple(found for found in self.hangs if found.target in marks)

    def delete(self, table: str, mark: Mark, users: range) -> int:
        self.calls.append(f"delete {table}")
        doomed = self._marked(table, mark, users)
        self.tables[table] = {key: image for key, image in self.tables[table].items() if key not in doomed}
        return len(doomed)

    def _marked(self, table: str, mark: Mark, users: range) -> dict[bytes, bytes]:
        low, high = id_bounds(users_of(table, users))
        rows = self.tables[table]
        return {key: rows[key] for key in sorted(rows) if low <= key < high and key[6:] == mark.tail}
