"""Judging what a look at the database found, for the service that asks whether it is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.health import Check, CheckStatus
from kinetria_cli.domain.migration import span
from kinetria_cli.domain.readiness import (
    DATABASE,
    POOL,
    SCHEMA,
    SCHEMA_AHEAD,
    SCHEMA_DRIFTED,
    SCHEMA_UNKNOWN,
    WRITABLE,
    PoolRoom,
    RecordedMigration,
    Sighting,
    Verdict,
    unanswered,
)

_UNDER_WAY = ("applying", "rolling_back")


@dataclass
class Examiner:
    """Looks once a call. A pool whose connections were made before the database went away is renewed when it is back.

    Args:
        look: One look at the database; raises the domain's connection errors.
        room: How the pool stands.
        renew: Replaces the connections of the pool.
        expected: Checksum of each migration that this build expects, by id, or why that is not known.
    """

    look: Callable[[], Sighting]
    room: Callable[[], PoolRoom]
    renew: Callable[[], None]
    expected: Mapping[str, str] | KinetriaError
    _was_away: bool = False

    def __call__(self) -> Verdict:
        """Return the verdict. Raises nothing of the look's."""
        try:
            found = self.look()
        except KinetriaError as error:
            self._was_away = True
            return unanswered(error.message, pool=judge_pool(self.room()))
        pool = judge_pool(self.room(), gave=found.pooled)
        # A session keeps the settings that it began with, and its server: the next look, and requests, need new ones.
        if self._was_away or found.lost or found.in_recovery or found.read_only:
            self.renew()
            self._was_away = False
        schema, warnings = judge_schema(self.expected, found.migrations, locked=found.locked)
        answered = Check(DATABASE, CheckStatus.OK, round(found.seconds, 4), "answers")
        return Verdict((answered, judge_writable(found), schema, pool), warnings)


def judge_writable(found: Sighting) -> Check:
    """Return whether the service could write."""
    if found.in_recovery:
        return Check(WRITABLE, CheckStatus.FAIL, 0.0, "the server is a standby: connect to the primary")
    if found.read_only:
        return Check(WRITABLE, CheckStatus.FAIL, 0.0, "the database is read-only (default_transaction_read_only is on)")
    return Check(WRITABLE, CheckStatus.OK, 0.0, "the primary")


def judge_pool(room: PoolRoom, *, gave: bool = False) -> Check:
    """Return whether the pool has a connection for the next request.

    Args:
        room: How it stands.
        gave: Whether it just gave one, as it would have to a request; the others may be in use.
    """
    status = CheckStatus.FAIL if room.exhausted and not gave else CheckStatus.OK
    return Check(POOL, status, 0.0, f"{room.used} of {room.limit} connections in use")


def judge_schema(
    expected: Mapping[str, str] | KinetriaError,
    recorded: tuple[RecordedMigration, ...] | None,
    *,
    locked: bool = False,
) -> tuple[Check, tuple[str, ...]]:
    """Return whether the schema is one that this build can work with, and the warnings on it.

    Behind is a failure: a column that the code reads may not be there yet. Ahead, drifted and unreadable are warnings:
    a rolling deploy must not turn every old instance away.

    Args:
        expected: Checksum of each migration that this build expects, by id, or why that is not known.
        recorded: What the database records; None where it could not be read.
        locked: Whether that was for somebody else's lock, and not for want of a right.
    """
    if isinstance(expected, KinetriaError):
        return _unknown(expected.message)
    if locked:
        return _unknown("what is recorded of the migrations is locked by another session")
    if recorded is None:
        return _unknown("this role may not read what is recorded of the migrations")
    applied = {record.id for record in recorded if record.marked}
    gone = {record.checksum for record in recorded if record.marked and record.id not in expected}
    # A file that was renamed after it was applied is not pending: its text is applied.
    pending = tuple(name for name in sorted(expected) if name not in applied and expected[name] not in gone)
    newest = max(expected)
    ahead = tuple(sorted(name for name in applied - set(expected) if name > newest))
    drifted = tuple(record.id for record in recorded if _drifted(record, expected, newest))
    warnings = tuple(word for word, found in ((SCHEMA_AHEAD, ahead), (SCHEMA_DRIFTED, drifted)) if found)
    if pending:
        detail = f"{len(pending)} pending: {span(pending)}"
        return Check(SCHEMA, CheckStatus.FAIL, 0.0, detail, "kinetria migrate"), warnings
    if warnings:
        told = [f"ahead of this build: {span(ahead)}"] if ahead else []
        told += [f"not as in this build: {span(drifted)}"] if drifted else []
        return Check(SCHEMA, CheckStatus.WARN, 0.0, "; ".join(told), "kinetria migrate status"), warnings
    return Check(SCHEMA, CheckStatus.OK, 0.0, f"{len(applied)} applied, at {max(applied)}"), ()


def _unknown(why: str) -> tuple[Check, tuple[str, ...]]:
    return Check(SCHEMA, CheckStatus.WARN, 0.0, why, "kinetria migrate status"), (SCHEMA_UNKNOWN,)


def _drifted(record: RecordedMigration, expected: Mapping[str, str], newest: str) -> bool:
    if record.state in _UNDER_WAY:
        return True
    if record.id not in expected:
        return record.marked and record.id < newest
    return record.marked and record.checksum is not None and record.checksum != expected[record.id]
