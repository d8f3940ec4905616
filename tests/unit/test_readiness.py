"""The verdict on what a look at the database found."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError, MigrationFileInvalid
from kinetria_cli.domain.health import CheckStatus
from kinetria_cli.domain.readiness import PoolRoom, RecordedMigration, Sighting, Verdict
from kinetria_cli.usecases.readiness import Examiner, judge_pool, judge_schema, judge_writable

EXPECTED = {"0001_a": "aa", "0002_b": "bb", "0003_c": "cc"}
ROOM = PoolRoom(used=2, limit=10)


def recorded(*ids: str) -> tuple[RecordedMigration, ...]:
    return tuple(RecordedMigration(name, True, "applied", EXPECTED.get(name, "??")) for name in ids)


ALL = recorded(*EXPECTED)
FINE = Sighting(in_recovery=False, read_only=False, migrations=ALL, seconds=0.00123)


def test_a_schema_with_everything_that_is_expected_is_fine() -> None:
    check, warnings = judge_schema(EXPECTED, ALL)
    assert (check.status, check.detail, warnings) == (CheckStatus.OK, "3 applied, at 0003_c", ())


@pytest.mark.parametrize(
    ("found", "detail"),
    [
        ((), "3 pending: 0001_a, 0002_b, 0003_c"),
        (recorded("0001_a", "0002_b"), "1 pending: 0003_c"),
        (recorded("0001_a", "0003_c"), "1 pending: 0002_b"),
        ((*recorded("0001_a", "0002_b"), RecordedMigration("0003_c", False, "applying", "cc")), "1 pending: 0003_c"),
        ((*recorded("0001_a", "0002_b"), RecordedMigration("0003_c", False, "applied", "cc")), "1 pending: 0003_c"),
    ],
)
def test_a_schema_that_is_behind_fails(found: tuple[RecordedMigration, ...], detail: str) -> None:
    check, _ = judge_schema(EXPECTED, found)
    assert (check.status, check.detail, check.hint) == (CheckStatus.FAIL, detail, "kinetria migrate")


@pytest.mark.parametrize(
    ("found", "detail", "word"),
    [
        (recorded(*EXPECTED, "0004_d"), "ahead of this build: 0004_d", "schema_ahead"),
        ((*recorded("0001_a", "0002_b"), RecordedMigration("0003_c", True, "applied", "xx")), None, "schema_drifted"),
        (recorded("0001_a", "0002_b", "0002_x", "0003_c"), "not as in this build: 0002_x", "schema_drifted"),
        (
            (*recorded("0001_a", "0002_b"), RecordedMigration("0003_c", True, "rolling_back", "cc")),
            "not as in this build: 0003_c",
            "schema_drifted",
        ),
        (
            (*recorded("0001_a", "0002_b"), RecordedMigration("0002_old_name", True, "applied", "cc")),
            "not as in this build: 0002_old_name",
            "schema_drifted",
        ),
    ],
    ids=["ahead", "changed", "its file is gone", "being rolled back", "renamed"],
)
def test_a_schema_that_is_another_is_a_warning(
    found: tuple[RecordedMigration, ...], detail: str | None, word: str
) -> None:
    check, warnings = judge_schema(EXPECTED, found)
    assert (check.status, check.detail) == (CheckStatus.WARN, detail or "not as in this build: 0003_c")
    assert warnings == (word,)


def test_a_mark_without_a_text_is_no_drift() -> None:
    marks = tuple(RecordedMigration(name, True) for name in EXPECTED)
    assert judge_schema(EXPECTED, marks)[0].status is CheckStatus.OK


def test_a_schema_that_is_behind_and_ahead_fails_and_says_both() -> None:
    check, warnings = judge_schema(EXPECTED, recorded("0001_a", "0003_c", "0004_d"))
    assert (check.status, warnings) == (CheckStatus.FAIL, ("schema_ahead",))


@pytest.mark.parametrize(
    ("expected", "found", "detail"),
    [
        (EXPECTED, None, "this role may not read what is recorded of the migrations"),
        (MigrationFileInvalid("the folder cannot be read"), ALL, "the folder cannot be read"),
    ],
)
def test_a_schema_that_cannot_be_judged_is_a_warning(
    expected: dict[str, str] | KinetriaError, found: tuple[RecordedMigration, ...] | None, detail: str
) -> None:
    check, warnings = judge_schema(expected, found)
    assert (check.status, check.detail, warnings) == (CheckStatus.WARN, detail, ("schema_unknown",))


@pytest.mark.parametrize(
    ("in_recovery", "read_only", "status"),
    [
        (False, False, CheckStatus.OK),
        (True, True, CheckStatus.FAIL),
        (True, False, CheckStatus.FAIL),
        (False, True, CheckStatus.FAIL),
    ],
)
def test_only_a_primary_that_takes_writes_is_writable(in_recovery: bool, read_only: bool, status: CheckStatus) -> None:
    assert judge_writable(Sighting(in_recovery, read_only, ALL, 0.0)).status is status


@pytest.mark.parametrize(
    ("used", "gave", "status"),
    [
        (10, False, CheckStatus.FAIL),
        (10, True, CheckStatus.OK),
        (9, False, CheckStatus.OK),
        (0, True, CheckStatus.OK),
        (0, False, CheckStatus.OK),
    ],
)
def test_a_pool_has_room_while_it_gives_one_or_not_all_are_in_use(used: int, gave: bool, status: CheckStatus) -> None:
    found = judge_pool(PoolRoom(used, limit=10), gave=gave)
    assert (found.status, found.detail) == (status, f"{used} of 10 connections in use")


def examiner(looks: Iterator[Sighting | KinetriaError], renewed: list[bool]) -> Examiner:
    def look() -> Sighting:
        found = next(looks)
        if isinstance(found, KinetriaError):
            raise found
        return found

    return Examiner(look=look, room=lambda: ROOM, renew=lambda: renewed.append(True), expected=EXPECTED)


def words(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.status.value for check in verdict.checks}


def test_every_check_is_told_in_order() -> None:
    verdict = examiner(iter([FINE]), [])()
    assert words(verdict) == {"database": "ok", "writable": "ok", "schema": "ok", "pool": "ok"}
    assert (verdict.failing, verdict.warnings) == ((), ())
    assert verdict.checks[0].seconds == 0.0012


def test_of_a_database_that_does_not_answer_only_the_pool_is_known() -> None:
    verdict = examiner(iter([DatabaseUnreachable("it is away")]), [])()
    assert words(verdict) == {"database": "fail", "writable": "skipped", "schema": "skipped", "pool": "ok"}
    assert verdict.failing == ("database",)
    assert verdict.checks[0].detail == "it is away"


def test_the_pool_is_renewed_once_when_the_database_is_back() -> None:
    renewed: list[bool] = []
    away = DatabaseUnreachable("it is away")
    examine = examiner(iter([FINE, away, away, FINE, FINE]), renewed)
    counts = []
    for _ in range(5):
        examine()
        counts.append(len(renewed))
    assert counts == [0, 0, 0, 1, 1]


def test_the_pool_is_renewed_where_the_database_was_away_between_two_looks() -> None:
    renewed: list[bool] = []
    examine = examiner(iter([FINE, replace(FINE, lost=True), FINE]), renewed)
    assert [examine().failing for _ in range(3)] == [(), (), ()]
    assert renewed == [True]


@pytest.mark.parametrize("found", [replace(FINE, in_recovery=True), replace(FINE, read_only=True)])
def test_the_pool_is_renewed_while_its_sessions_may_not_write(found: Sighting) -> None:
    renewed: list[bool] = []
    examine = examiner(iter([found, found, FINE]), renewed)
    assert [examine().failing for _ in range(3)] == [("writable",), ("writable",), ()]
    assert renewed == [True, True]
