"""What `TrainingLog` counts, from rows made by hand: volume, frequency, records, gaps."""

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from kinetria_cli.domain.errors import MalformedParameters, SchemaMissing
from kinetria_cli.domain.insight import MAX_PERSONAL_RECORDS, Figures, PersonalRecord, Training
from kinetria_cli.domain.records import Span
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import Connection, connection
from kinetria_cli.gateways.postgres.insight import PostgresTrainingLog
from tests.integration import rows
from tests.integration.rows import Sql


class Gym:
    """Rows of one user and one workout, session by session."""

    def __init__(self, sql: Sql, **values: object) -> None:
        self._sql = sql
        self.user = rows.user(sql, **values)
        self.workout = rows.workout(sql, self.user)

    def visit(self, started: str, *sets: tuple[UUID, int | None, str | None], status: str = "completed") -> None:
        session = rows.session(self._sql, self.user, self.workout, started_at=f"{started}+00", status=status)
        for number, (exercise, reps, weight) in enumerate(sets, start=1):
            rows.set_record(
                self._sql, session_id=session, exercise_id=exercise, reps=reps, weight_kg=weight, set_number=number
            )


@pytest.fixture
def log(migrated: ConnectionParams) -> PostgresTrainingLog:
    def connections() -> AbstractContextManager[Connection]:
        return connection(migrated, timeout=5)

    return PostgresTrainingLog(connections, lock_seconds=5)


@pytest.fixture
def ana(sql: Sql) -> Gym:
    return Gym(sql, email="ana@example.com")


@pytest.fixture
def squat(sql: Sql) -> UUID:
    return rows.exercise(sql, name="Squat")


def records_by_week(figures: Figures) -> list[int]:
    return [week.records for week in figures.weeks]


def test_volume_is_reps_times_weight_and_a_set_without_one_adds_nothing(
    log: PostgresTrainingLog, ana: Gym, squat: UUID
) -> None:
    ana.visit("2026-11-18 10:00", (squat, 5, "100.25"), (squat, 3, "2.50"), (squat, None, "80"), (squat, 12, None))
    (week,) = log.figures({}, weeks=1).weeks
    assert (week.start, week.sessions, week.sets, week.volume_kg) == (date(2026, 11, 16), 1, 4, Decimal("508.75"))


def test_a_week_without_weights_has_a_volume_of_zero(log: PostgresTrainingLog, ana: Gym, squat: UUID) -> None:
    ana.visit("2026-11-18 10:00", (squat, 12, None))
    figures = log.figures({}, weeks=1)
    assert str(figures.weeks[0].volume_kg) == "0.00"
    assert figures.personal_records == ()


def test_cancelled_sessions_do_not_count_and_running_ones_are_not_completed(
    log: PostgresTrainingLog, ana: Gym, squat: UUID
) -> None:
    ana.visit("2026-11-16 10:00", (squat, 5, "50"))
    ana.visit("2026-11-17 10:00", (squat, 5, "60"), status="in_progress")
    ana.visit("2026-11-18 10:00", (squat, 5, "900"), status="cancelled")
    ana.visit("2026-12-31 10:00", (squat, 5, "900"), status="cancelled")
    figures = log.figures({}, weeks=1)
    (week,) = figures.weeks
    assert (week.start, week.sessions, week.sets, week.volume_kg, week.records) == (
        date(2026, 11, 16),
        1,
        2,
        Decimal("550.00"),
        1,
    )
    assert [record.weight_kg for record in figures.personal_records] == [60]


def test_weeks_end_with_the_newest_session_and_one_without_training_is_there(
    log: PostgresTrainingLog, ana: Gym, squat: UUID
) -> None:
    ana.visit("2026-11-02 10:00", (squat, 1, "10"))
    ana.visit("2026-11-16 10:00", (squat, 1, "20"))
    weeks = log.figures({}, weeks=4).weeks
    assert [week.start for week in weeks] == [date(2026, 10, 26), *(date(2026, 11, day) for day in (2, 9, 16))]
    assert [week.sessions for week in weeks] == [0, 1, 0, 1]
    assert [week.volume_kg for week in weeks] == [0, 10, 0, 20]


def test_a_week_begins_on_monday_in_utc(log: PostgresTrainingLog, ana: Gym, squat: UUID, sql: Sql) -> None:
    ana.visit("2026-11-15 23:59:59", (squat, 1, "10"))
    ana.visit("2026-11-16 00:00:00", (squat, 1, "20"))
    sql.execute("ALTER ROLE CURRENT_USER SET timezone = 'Pacific/Auckland'")
    try:
        figures = log.figures({}, weeks=2)
    finally:
        sql.execute("ALTER ROLE CURRENT_USER RESET timezone")
    assert [(week.start, week.sets) for week in figures.weeks] == [(date(2026, 11, 9), 1), (date(2026, 11, 16), 1)]
    assert figures.personal_records[0].achieved_at == datetime(2026, 11, 16, tzinfo=UTC)
    assert figures.personal_records[0].achieved_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("started", "weeks", "since", "until"),
    [
        ("0001-01-10 00:00", 2, date(1, 1, 1), date(1, 1, 14)),
        ("9999-12-31 00:00", 1, date(9999, 12, 27), date.max),
    ],
)
def test_a_time_at_the_end_of_the_calendar_is_shown(
    log: PostgresTrainingLog, ana: Gym, started: str, weeks: int, since: date, until: date
) -> None:
    ana.visit(started)
    result = Training.of(log.figures({}, weeks=26 if weeks == 2 else 1), entity="sessions", user=None)
    assert (len(result.weeks), result.since, result.until) == (weeks, since, until)


def test_a_record_beats_all_sessions_before_and_the_first_one_beats_none(
    log: PostgresTrainingLog, ana: Gym, squat: UUID
) -> None:
    ana.visit("2026-10-19 10:00", (squat, 5, None))  # no weight: nothing to beat
    ana.visit("2026-10-26 10:00", (squat, 5, "50"), (squat, 5, "55"))  # the first with weight
    ana.visit("2026-11-02 10:00", (squat, 5, "55"))  # as much is not more
    ana.visit("2026-11-09 10:00", (squat, 5, "60"))
    ana.visit("2026-11-11 10:00", (squat, 5, "65"))  # twice in a week
    ana.visit("2026-11-16 10:00", (squat, 5, "62.5"))  # more than most, less than the best
    assert records_by_week(log.figures({}, weeks=5)) == [0, 0, 0, 2, 0]


def test_a_record_is_told_by_what_came_before_the_weeks_that_are_shown(
    log: PostgresTrainingLog, ana: Gym, squat: UUID
) -> None:
    ana.visit("2025-01-06 10:00", (squat, 5, "50"))
    ana.visit("2026-11-16 10:00", (squat, 5, "60"))
    assert records_by_week(log.figures({}, weeks=1)) == [1]


def test_each_exercise_and_each_user_has_records_of_its_own(
    log: PostgresTrainingLog, ana: Gym, squat: UUID, sql: Sql
) -> None:
    press = rows.exercise(sql, name="Press")
    marek = Gym(sql, email="marek@example.com")
    ana.visit("2026-11-02 10:00", (squat, 5, "100"), (press, 5, "20"))
    marek.visit("2026-11-03 10:00", (squat, 5, "60"))
    ana.visit("2026-11-09 10:00", (squat, 5, "90"), (press, 5, "25"))
    marek.visit("2026-11-10 10:00", (squat, 5, "70"))
    figures = log.figures({}, weeks=2)
    assert records_by_week(figures) == [0, 2]  # Ana's press, Marek's squat
    assert [(record.exercise, record.weight_kg, record.user) for record in figures.personal_records] == [
        ("Squat", Decimal(100), "ana@example.com"),
        ("Press", Decimal(25), "ana@example.com"),
    ]
    mine = log.figures({"user_id": marek.user}, weeks=2)
    assert [(week.sets, week.records) for week in mine.weeks] == [(1, 0), (1, 1)]
    assert [(record.weight_kg, record.user) for record in mine.personal_records] == [(Decimal(70), "marek@example.com")]


def test_a_personal_record_is_of_the_first_who_lifted_it_with_the_most_reps_of_that_session(
    log: PostgresTrainingLog, ana: Gym, squat: UUID
) -> None:
    ana.visit("2026-11-09 10:00", (squat, None, "80"), (squat, 3, "80"), (squat, 6, "80"), (squat, 9, "70"))
    ana.visit("2026-11-16 10:00", (squat, 12, "80"))
    assert log.figures({}, weeks=1).personal_records == (
        PersonalRecord("Squat", Decimal("80.00"), 6, datetime(2026, 11, 9, 10, tzinfo=UTC), "ana@example.com"),
    )


def test_a_personal_record_without_reps_has_none(log: PostgresTrainingLog, ana: Gym, squat: UUID) -> None:
    ana.visit("2026-11-09 10:00", (squat, None, "80"))
    assert [record.reps for record in log.figures({}, weeks=1).personal_records] == [None]


def test_so_many_exercises_are_told_and_no_more(log: PostgresTrainingLog, ana: Gym, sql: Sql) -> None:
    exercises = [rows.exercise(sql, name=f"Lift {number}") for number in range(MAX_PERSONAL_RECORDS + 1)]
    ana.visit("2026-11-09 10:00", *((exercise, 1, str(number + 1)) for number, exercise in enumerate(exercises)))
    found = log.figures({}, weeks=1).personal_records
    assert len(found) == MAX_PERSONAL_RECORDS
    assert (found[0].weight_kg, found[-1].weight_kg) == (Decimal(MAX_PERSONAL_RECORDS + 1), Decimal(2))


def test_filters_choose_the_sessions(log: PostgresTrainingLog, ana: Gym, squat: UUID, sql: Sql) -> None:
    other = rows.workout(sql, ana.user)
    ana.visit("2026-11-16 10:00", (squat, 1, "10"))
    ana.visit("2026-11-17 10:00", (squat, 1, "10"), (squat, 1, "10"), status="in_progress")
    assert log.figures({"workout_id": other}, weeks=1) == Figures()
    assert log.figures({"workout_id": ana.workout, "status": None}, weeks=1).weeks[0].sets == 3
    assert log.figures({"status": "in_progress"}, weeks=1).weeks[0].sets == 2
    assert log.figures({"user_id": uuid4()}, weeks=1) == Figures()
    with pytest.raises(MalformedParameters, match="cannot be filtered by password_hash"):
        log.figures({"password_hash": "x"}, weeks=1)


def test_every_filter_of_a_list_of_sessions_chooses(migrated: ConnectionParams, ana: Gym, squat: UUID) -> None:
    ana.visit("2026-11-02 10:00", (squat, 1, "10"))
    ana.visit("2026-11-16 10:00", (squat, 1, "20"))
    log = PostgresTrainingLog(lambda: connection(migrated, timeout=5), lock_seconds=5)
    figures = log.figures({"started_at": Span(before=datetime(2026, 11, 10, tzinfo=UTC))}, weeks=1)
    assert [(week.start, week.volume_kg) for week in figures.weeks] == [(date(2026, 11, 2), Decimal(10))]
    assert [record.weight_kg for record in figures.personal_records] == [10]


def test_nothing_is_changed_and_the_setting_ends_with_the_answer(
    migrated: ConnectionParams, ana: Gym, squat: UUID
) -> None:
    ana.visit("2026-11-02 10:00", (squat, 1, "10"))
    with connection(migrated, timeout=5) as opened:
        before = rows.one(opened, "SHOW work_mem")

        class Lent:
            def __enter__(self) -> Connection:
                return opened

            def __exit__(self, *_: object) -> None:
                return None

        PostgresTrainingLog(Lent, lock_seconds=5).figures({}, weeks=1)
        assert rows.one(opened, "SHOW work_mem") == before
        assert rows.one(opened, "SHOW transaction_read_only") == "off"


def test_a_database_without_tables_says_so(empty: ConnectionParams) -> None:
    with pytest.raises(SchemaMissing):
        PostgresTrainingLog(lambda: connection(empty, timeout=5), lock_seconds=5).figures({}, weeks=1)
