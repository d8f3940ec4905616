"""The demo for tests of other things, and a small profile for those of seeds.

That one has every field of every table, null and not null, at any scale.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.migration_ports import MigrationGateway
from kinetria_cli.domain.seed_ids import Mark
from kinetria_cli.domain.seeding import CATALOGUE, Row, marks, micros
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
from kinetria_cli.usecases.profiles import find_profile
from kinetria_cli.usecases.seeding.seed import SeedPorts, SeedRequest, seed
from kinetria_cli.usecases.seeding.telling import Silence
from kinetria_cli.usecases.seeding.verification import SeedVerification
from kinetria_cli.usecases.seeding.verify import verify_seed

DAY = 86_400_000_000
PER_USER = {"users": 1, "workouts": 2, "sessions": 3, "set_records": 12, "refresh_tokens": 1, "audit_log": 2}
EXERCISES = 4


def seed_demo(params: ConnectionParams, migrations: MigrationGateway) -> None:
    """Load the demo into a migrated database."""
    seed_profile(params, migrations, "demo")


def seed_profile(
    params: ConnectionParams, migrations: MigrationGateway, name: str, *, users: int | None = None
) -> None:
    """Load a profile into a migrated database."""
    profile = find_profile(name, random_seed=42, users=users)
    with closing(PostgresSeedStore(params, timeout=5)) as store:
        ports = SeedPorts(LocalSource(profile), store, migrations, lambda: None)
        seed(SeedRequest(), profile=profile, ports=ports, progress=Silence(), agree=lambda _: None)


def verify_demo(params: ConnectionParams) -> SeedVerification:
    """Compare the demo in a database with what the profile makes."""
    profile = find_profile("demo", random_seed=42)
    with closing(PostgresSeedStore(params, timeout=5)) as store:
        return verify_seed(profile, users=None, source=LocalSource(profile), store=store, progress=Silence())


@dataclass(frozen=True)
class ToyProfile:
    """See `Profile`."""

    users: int = 3
    random_seed: int = 1
    name: str = "toy"
    as_of: datetime = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
    definition: str = "toy 1"
    bucket: int = 2
    email: str = "member{n}+{name}{seed}@example.com"

    @cached_property
    def marks(self) -> dict[str, Mark]:
        return marks(self.name, self.random_seed)

    def counts(self, users: range) -> Mapping[str, int]:
        return {table: EXERCISES if table == CATALOGUE else PER_USER[table] * len(users) for table in TABLES}

    def rows(self, table: str, users: range) -> Iterator[Row]:
        if table == CATALOGUE:
            return iter([self._exercise(number) for number in range(EXERCISES)])
        return (getattr(self, f"_{table}")(user, number) for user in users for number in range(PER_USER[table]))

    def _id(self, table: str, user: int, number: int) -> bytes:
        return self.marks[table].id(user, number)

    def _moment(self, user: int, days: int) -> int:
        return micros(self.as_of) - days * DAY + user

    def _exercise(self, number: int) -> Row:
        time = micros(datetime(2026, 1, 5, 8, tzinfo=UTC))
        odd = number % 2
        thumbnail = "/assets/defaults/exercise-placeholder.png"
        words = (("strength", "chest"), ("cardio", "legs"), ("flexibility", "back"), ("balance", "full_body"))[number]
        optional = ("Slow, «ü» ☃", None)[odd], ("mat", None)[odd], (None, "https://example.com/v")[odd]
        return (
            self._id(CATALOGUE, 0, number), f"Exercise {number}", optional[0], *words,
            optional[1], 1 + number, optional[2], thumbnail, time, time,
        )  # fmt: skip

    def _users(self, user: int, number: int) -> Row:
        time = self._moment(user, 90)
        email = self.email.format(n=user, name=self.name, seed=self.random_seed)
        return self._id("users", user, number), email, f"Zoë {user}", "!locked", time, time

    def _workouts(self, user: int, number: int) -> Row:
        time = self._moment(user, 80 + number)
        status, text = (("published", "Push"), ("draft", None))[number]
        owner = self._id("users", user, 0)
        return self._id("workouts", user, number), owner, f"Plan {number}", text, status, time, time

    def _sessions(self, user: int, number: int) -> Row:
        time = self._moment(user, 30 - number)
        status = ("completed", "cancelled", "completed")[number]
        ended = time + 3_600_000_000 if status == "completed" else None
        return (
            self._id("sessions", user, number), self._id("users", user, 0), self._id("workouts", user, number % 2),
            status, time, ended, ("good", None, None)[number], time, ended or time,
        )  # fmt: skip

    def _set_records(self, user: int, number: int) -> Row:
        session, position = divmod(number, 4)
        reps, weight, seconds = ((8, 6250, None), (10, 0, None), (12, None, None), (None, None, 45))[position]
        return (
            self._id("set_records", user, number), self._id("sessions", user, session),
            self._id(CATALOGUE, 0, (user + position) % EXERCISES), 1, reps, weight, seconds,
            "failed" if number == 5 else None, self._moment(user, 30 - session) + number * 1_000_000,
        )  # fmt: skip

    def _refresh_tokens(self, user: int, number: int) -> Row:
        time = self._moment(user, 2)
        token = f"{self.name}:{self.random_seed}:{user}:{number}"
        return self._id("refresh_tokens", user, number), self._id("users", user, 0), token, time + 30 * DAY, False, time

    def _audit_log(self, user: int, number: int) -> Row:
        time = self._moment(user, 90 - number)
        owner = self._id("users", user, 0)
        metadata = '{"source": "app", "version": "2.4.1"}'
        address = "192.0.2.7" if user % 2 else "2001:db8::7"
        if number:
            return self._id("audit_log", user, number), None, "user_deleted", None, None, None, None, None, time
        return (
            self._id("audit_log", user, number), owner, "user_created", "user", owner,
            metadata, address, "App/2.4", time,
        )  # fmt: skip
